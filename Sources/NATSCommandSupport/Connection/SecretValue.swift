import NATSText
import NATSWire

/// Where creds, an nkey, a JWT or a seed is found.
///
/// Its description does not show a secret.
package enum SecretValue: Sendable, Equatable {
    /// In a file, read anew for every connection.
    case file(String)
    /// Here.
    case contents([UInt8])

    /// Reads a path, `file://PATH`, `env://NAME`, `data:;base64,…`, or a seed or a JWT itself.
    ///
    /// Errors quote what names a place, and nothing that may be the secret itself.
    ///
    /// - Throws: `UsageError` or, for a value of a context, `ToolFailure`.
    init(
        parsing text: String,
        _ field: ConnectionField,
        of origin: ConnectionSource.Origin,
        environment: (String) -> String?
    ) throws {
        let name = origin.name(of: field)
        if text.hasPrefix("env://") {
            let variable = String(text.dropFirst(6))
            guard let value = environment(variable), !value.isEmpty else {
                throw origin.failure("\(name): the environment variable \(variable) is not set")
            }
            self = .contents(Array(value.utf8))
            return
        }
        if text.hasPrefix("data:") {
            let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].hasSuffix(";base64"), let bytes = Base64.decode(String(parts[1])) else {
                throw origin.failure("\(name): malformed data:;base64, value")
            }
            self = .contents(bytes)
            return
        }
        for scheme in ["op://", "nsc://"] where text.hasPrefix(scheme) {
            throw origin.failure("\(name): \(scheme) values are not supported")
        }
        let bare = text.drop { $0.isWhitespace }.prefix { !$0.isWhitespace }
        if Self.isSecret(String(bare), field) {
            self = .contents(Array(bare.utf8))
            return
        }
        // Nearly one: an error about a missing file would show it.
        guard !Self.resemblesSecret(bare) else {
            throw origin.failure("\(name) is neither a file's name nor what such a file holds")
        }
        let path = text.hasPrefix("file://") ? String(text.dropFirst(7)) : text
        guard !path.isEmpty else { throw origin.failure("\(name) names no file") }
        let expanded = ToolFile.expanded(path, home: environment("HOME"))
        self = ToolFile.isReadOnce(expanded) ? .contents(try ToolFile.read(expanded)) : .file(expanded)
    }

    /// For errors.
    var place: String {
        switch self {
        case .file(let path): "the file \(path)"
        case .contents: "the value given"
        }
    }

    /// What it holds now.
    ///
    /// - Throws: `ToolFailure` if the file cannot be read.
    func bytes() throws(ToolFailure) -> [UInt8] {
        switch self {
        case .file(let path): try ToolFile.read(path)
        case .contents(let bytes): bytes
        }
    }

    /// Whether this could be a seed or a JWT with a character too much or too little.
    private static func resemblesSecret(_ text: Substring) -> Bool {
        guard text.utf8.count > 40, !text.contains("/"), !text.contains("\\") else { return false }
        if text.hasPrefix("eyJ") { return true }
        return text.hasPrefix("S") && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
    }

    /// Whether this is no path but the thing itself: it must not end up in an error about a missing file.
    private static func isSecret(_ text: String, _ field: ConnectionField) -> Bool {
        switch field {
        case .jwt:
            text.hasPrefix("eyJ") && text.utf8.count { $0 == UInt8(ascii: ".") } == 2 && !text.contains("/")
        case .nkey, .seed:
            text.utf8.count == 58 && text.hasPrefix("S")
                && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x32...0x37).contains($0) }
        default:
            false
        }
    }
}

extension SecretValue: CustomStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .file(let path): "file \(path)"
        case .contents: "contents"
        }
    }

    package var customMirror: Mirror {
        Mirror(self, children: ["kind": self.description])
    }
}
