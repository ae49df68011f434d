#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

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

    /// The files of this machine.
    package static let system = TimeZoneDatabase(
        file: { name in
            for directory in Self.directories {
                if let bytes = Self.read("\(directory)/\(name)") { return bytes }
            }
            return nil
        },
        localFile: {
            guard let variable = getenv("TZ") else { return Self.read("/etc/localtime") }
            var name = String(cString: variable)
            if name.hasPrefix(":") { name.removeFirst() }
            if name.isEmpty { return nil }
            if name.hasPrefix("/") { return Self.read(name) }
            return Self.directories.lazy.compactMap { Self.read("\($0)/\(name)") }.first
        }
    )

    private static let directories = [
        "/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo",
    ]

    private static func read(_ path: String) -> [UInt8]? { try? SmallFile.read(path, maximum: 1 << 20) }
}
