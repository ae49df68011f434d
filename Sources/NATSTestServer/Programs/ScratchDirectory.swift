#if os(Linux) || os(macOS)
import NATSAuth

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A directory of files that is removed when the value goes.
final class ScratchDirectory: Sendable {
    /// Enough for a log.
    private static let longestFile = 256 << 20

    let path: String

    init() throws {
        var template = Array("/tmp/nats-test-server-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw NATSTestServerError(message: "mkdtemp: \(String(cString: strerror(errno)))")
        }
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in self.names { _ = unlink(self.file(name)) }
        _ = rmdir(self.path)
    }

    /// The names of the files in it.
    var names: [String] { ((try? SmallFile.names(in: self.path)) ?? []).filter { $0 != "." && $0 != ".." } }

    /// The path of a file in it.
    func file(_ name: String) -> String { "\(self.path)/\(name)" }

    /// The text of a file; empty if it is not there.
    func read(_ name: String) -> String {
        String(decoding: (try? SmallFile.read(self.file(name), maximum: Self.longestFile)) ?? [], as: UTF8.self)
    }

    func write(_ text: String, to name: String) throws {
        try SmallFile.write(Array(text.utf8), to: self.file(name), permissions: 0o600)
    }
}
#endif
