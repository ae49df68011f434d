import NATSText

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Small files that say how to connect.
package enum ToolFile {
    /// Contexts, creds and keys have a few KiB; nobody gets to fill the memory with another file.
    package static let maximumLength = 1 << 20

    /// The contents of a file; a pipe is read to its end.
    ///
    /// - Throws: `ToolFailure` if it cannot be read or is too large.
    package static func read(_ path: String, limit: Int = maximumLength) throws(ToolFailure) -> [UInt8] {
        try self.bytes(path, limit: limit) { error throws(ToolFailure) in
            throw self.failure(path, POSIX.describe(error))
        } ?? []
    }

    /// The same, or nil if there is no such file.
    package static func readIfPresent(_ path: String) throws(ToolFailure) -> [UInt8]? {
        try self.bytes(path) { error throws(ToolFailure) in
            guard error == ENOENT || error == ENOTDIR else { throw self.failure(path, POSIX.describe(error)) }
        }
    }

    /// The same, or nil if there is no such file or it is not ours to read.
    package static func readIfAllowed(_ path: String) throws(ToolFailure) -> [UInt8]? {
        try self.bytes(path) { error throws(ToolFailure) in
            let isExpected = error == ENOENT || error == ENOTDIR || error == EACCES
            guard isExpected else { throw self.failure(path, POSIX.describe(error)) }
        }
    }

    /// Makes a file, or gives one that is there another text.
    ///
    /// - Throws: `ToolFailure` if the system does not let it.
    package static func write(_ text: String, to path: String) throws(ToolFailure) {
        func failure() -> ToolFailure {
            ToolFailure("cannot write the file \(GoString.harmless(path.utf8)): \(POSIX.describe(errno))")
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var text = text
        let error = text.withUTF8 { POSIX.writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
        guard error == 0 else {
            errno = error
            throw failure()
        }
    }

    /// Whether it is there and can be read only once, such as a pipe of the shell (`<(…)`).
    static func isReadOnce(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        let kind = status.st_mode & S_IFMT
        return kind == S_IFIFO || kind == S_IFCHR || kind == S_IFSOCK
    }

    /// `path` with the home directory in the place of a tilde at its start.
    static func expanded(_ path: String, home: String?) -> String {
        guard let home, !home.isEmpty, path == "~" || path.hasPrefix("~/") else { return path }
        return home + path.dropFirst()
    }

    /// The contents; nil if the file cannot be opened and `cannotOpen` does not throw.
    private static func bytes(
        _ path: String,
        limit: Int = maximumLength,
        cannotOpen: (_ error: Int32) throws(ToolFailure) -> Void
    ) throws(ToolFailure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            try cannotOpen(errno)
            return nil
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = chunk.withUnsafeMutableBytes { POSIX.readSome(from: descriptor, into: $0) }
            guard count >= 0 else { throw self.failure(path, POSIX.describe(Int32(truncatingIfNeeded: -count))) }
            if count == 0 { return bytes }
            bytes += chunk.prefix(count)
            guard bytes.count <= limit else {
                throw self.failure(path, "larger than \(limit) bytes")
            }
        }
    }

    private static func failure(_ path: String, _ reason: String) -> ToolFailure {
        ToolFailure("cannot read the file \(GoString.harmless(path.utf8)): \(reason)")
    }
}
