package import NIOCore
import NIOPosix

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A directory that gets a file for each message.
package final class DumpDirectory: Sendable {
    private let path: String
    private let descriptor: Int32

    /// Opens the directory, which stays open as long as the process lives.
    ///
    /// - Throws: `ToolFailure` if it is none.
    package init(path: String) throws(ToolFailure) {
        self.path = path
        self.descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard self.descriptor >= 0 else { throw ToolFailure("\(path): \(POSIX.describe(errno))") }
    }

    /// Writes files that only this user can read, on a thread that may block; what has such a name is replaced.
    ///
    /// - Throws: `ToolFailure` if one cannot be written.
    package func write(_ files: [(name: String, contents: ByteBuffer)]) async throws {
        try await NIOThreadPool.singleton.runIfActive { [self] in
            for file in files { try self.write(file.contents, to: file.name) }
        }
    }

    private func write(_ contents: ByteBuffer, to name: String) throws(ToolFailure) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let file = openat(self.descriptor, name, flags, mode_t(0o600))
        guard file >= 0 else { throw ToolFailure("\(self.path)/\(name): \(POSIX.describe(errno))") }
        defer { close(file) }
        let error = contents.withUnsafeReadableBytes { POSIX.writeAll($0, to: file) }
        guard error == 0 else { throw ToolFailure("\(self.path)/\(name): \(POSIX.describe(error))") }
    }
}
