import NATSCommandSupport

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A file that is written to, or standard output for `-`.
struct OutputFile {
    private let descriptor: Int32
    private let name: String

    var isStandardOutput: Bool { self.descriptor == 1 }

    /// Creates the file, or empties it; others may not read one that is private: answers tell the names of users.
    ///
    /// - Throws: `ToolFailure`.
    init(_ name: String, isPrivate: Bool = false) throws {
        self.name = name == "-" ? "standard output" : name
        guard name != "-" else {
            self.descriptor = 1
            return
        }
        self.descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, isPrivate ? 0o600 : 0o644)
        // The mode is for a file that was not there.
        if isPrivate, self.descriptor >= 0 { fchmod(self.descriptor, 0o600) }
        if self.descriptor < 0 { throw ToolFailure("cannot write to \(name): \(POSIX.describe(errno))") }
    }

    /// - Throws: `ToolFailure`; of status `brokenPipe` if the reader is gone.
    func write(_ bytes: [UInt8]) throws {
        let error = bytes.withUnsafeBytes { POSIX.writeAll($0, to: self.descriptor) }
        if error == 0 { return }
        let isBroken = error == POSIX.brokenPipe && self.isStandardOutput
        throw ToolFailure(
            "cannot write to \(self.name): \(POSIX.describe(error))",
            status: isBroken ? .brokenPipe : .failure
        )
    }
}
