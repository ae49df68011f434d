/// Where time zones are looked up by name, by the rules of Go's `time.LoadLocation`.
package struct TimeZoneDatabase: Sendable {
    /// There is no such time zone.
    package struct Failure: Error, Equatable {
        package let words: String
    }

    private let file: @Sendable (_ name: String) -> [UInt8]?
    private let localFile: @Sendable () -> [UInt8]?

    /// A database of files, which the closures read; `localFile` is the one of the machine's own time zone.
    package init(
        file: @escaping @Sendable (_ name: String) -> [UInt8]?,
        localFile: @escaping @Sendable () -> [UInt8]? = { nil }
    ) {
        self.file = file
        self.localFile = localFile
    }

    /// The rules of a time zone by its IANA name.
    ///
    /// - Throws: ``Failure`` in Go's words.
    package func zone(_ name: String) throws(Failure) -> TimeZoneRules {
        switch name {
        case "", "UTC": return .utc
        case "Local": return self.local()
        default: break
        }
        let bytes = Array(name.utf8)
        let hasDots = zip(bytes, bytes.dropFirst()).contains { $0 == UInt8(ascii: ".") && $1 == UInt8(ascii: ".") }
        if hasDots || bytes[0] == UInt8(ascii: "/") || bytes[0] == UInt8(ascii: "\\") {
            throw Failure(words: "time: invalid location name")
        }
        guard !bytes.contains(0), let file = self.file(name) else {
            throw Failure(words: "unknown time zone \(name)")
        }
        guard let rules = TimeZoneRules(file) else { throw Failure(words: "malformed time zone information") }
        return rules
    }

    /// The machine's own time zone; UTC when it has none.
    package func local() -> TimeZoneRules { self.localFile().flatMap { TimeZoneRules($0) } ?? .utc }

    /// The files of this machine; its own time zone is that of `/etc/localtime`.
    package static let system = TimeZoneDatabase.files(variable: nil)

    /// The files of this machine, with its own time zone as the variable `TZ` of a process has it.
    ///
    /// - Parameter variable: A name or a path, possibly behind a colon; `/etc/localtime` if `nil`, UTC if empty.
    /// - Returns: A database.
    package static func files(variable: String?) -> TimeZoneDatabase {
        TimeZoneDatabase(file: Self.file) {
            guard var name = variable else { return Self.read("/etc/localtime") }
            if name.hasPrefix(":") { name.removeFirst() }
            if name.isEmpty { return nil }
            return name.hasPrefix("/") ? Self.read(name) : Self.file(name)
        }
    }

    @Sendable
    private static func file(_ name: String) -> [UInt8]? {
        Self.directories.lazy.compactMap { Self.read("\($0)/\(name)") }.first
    }

    private static let directories = [
        "/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo",
    ]

    private static func read(_ path: String) -> [UInt8]? { try? SmallFile.read(path, maximum: 1 << 20) }
}
