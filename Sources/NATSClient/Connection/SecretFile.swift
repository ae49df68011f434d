#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Android)
import Android
#endif

/// Reads small files with secrets.
enum SecretFile {
    /// Creds files have a few KiB; nobody gets to fill the memory with another one.
    static let maximumLength = 1 << 20

    /// The contents of a file.
    ///
    /// - Throws: ``NATSError/Code/badCredentials`` if it cannot be read, is not a plain file, or is too large.
    static func read(_ path: String) throws(NATSError) -> [UInt8] {
        // A pipe without a writer would keep us for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw self.error(path, self.systemText())
        }
        defer {
            _ = close(descriptor)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw self.error(path, self.systemText())
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw self.error(path, "not a plain file")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = chunk.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                guard errno == EINTR else {
                    throw self.error(path, self.systemText())
                }
                continue
            }
            if count == 0 {
                return bytes
            }
            bytes += chunk.prefix(count)
            guard bytes.count <= self.maximumLength else {
                throw self.error(path, "larger than \(self.maximumLength) bytes")
            }
        }
    }

    private static func systemText() -> String {
        String(cString: strerror(errno))
    }

    private static func error(_ path: String, _ text: String) -> NATSError {
        NATSError(.badCredentials, "cannot read the file \(path): \(text)")
    }
}

private func systemRead(_ descriptor: CInt, _ target: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, target, count)
}
