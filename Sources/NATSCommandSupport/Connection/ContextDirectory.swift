import NATSText

/// Where the `nats` command keeps its contexts: `${XDG_CONFIG_HOME:-~/.config}/nats` (ADR-21).
struct ContextDirectory: Sendable {
    /// Nil if there is neither `XDG_CONFIG_HOME` nor `HOME`.
    let path: String?

    init(environment: (String) -> String?) {
        func variable(_ name: String) -> String? {
            environment(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        let configuration = variable("XDG_CONFIG_HOME") ?? variable("HOME").map { "\($0)/.config" }
        self.path = configuration.map { "\($0)/nats" }
    }

    /// The name that `nats context select` wrote down; nil if there is none that we may read.
    ///
    /// - Throws: `ToolFailure` for a file that holds no name.
    private func selectedName() throws(ToolFailure) -> String? {
        guard let path = self.path, let bytes = try ToolFile.readIfAllowed("\(path)/context.txt") else { return nil }
        let blanks = Array(" \t\r\n".utf8)
        let bare = bytes.drop(while: blanks.contains).reversed().drop(while: blanks.contains).reversed()
        if bare.isEmpty { return nil }
        let name = String(decoding: bare, as: UTF8.self)
        guard Self.isName(name) else { throw ToolFailure("invalid context name \(GoString.quoted(name)) is selected") }
        return name
    }

    /// What a context says.
    ///
    /// - Parameter name: Its name, or a path that ends with `.json`.
    /// - Returns: Its fields.
    /// - Throws: `UsageError` for what is neither; `ToolFailure` for a file that is missing or broken.
    func source(of name: String) throws -> ConnectionSource {
        if name.hasSuffix(".json"), let contents = try ToolFile.readIfPresent(name) {
            return try ConnectionSource(context: name, contents)
        }
        guard Self.isName(name) else {
            if name.hasSuffix(".json") { throw ToolFailure("no context in the file \(GoString.harmless(name.utf8))") }
            throw UsageError("invalid context name \(GoString.quoted(name))")
        }
        return try self.source(named: name)
    }

    /// What the selected context says; nil if none is.
    ///
    /// Its name is never a path: what lies about in the current directory was not selected.
    func selectedSource() throws -> ConnectionSource? {
        guard let name = try self.selectedName() else { return nil }
        return try self.source(named: name)
    }

    private func source(named name: String) throws -> ConnectionSource {
        let title = GoString.quoted(name)
        guard let path = self.path else {
            throw ToolFailure("context \(title): neither XDG_CONFIG_HOME nor HOME says where contexts are")
        }
        let file = "\(path)/context/\(name).json"
        guard let contents = try ToolFile.readIfPresent(file) else {
            throw ToolFailure("unknown context \(title): no file \(GoString.harmless(file.utf8))")
        }
        return try ConnectionSource(context: name, contents)
    }

    /// jsm.go natscontext validName; and no control characters.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && !name.contains("..") && name.utf8.allSatisfy { $0 != 0x2F && $0 >= 0x20 && $0 != 0x7F }
    }
}
