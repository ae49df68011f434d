#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Reads small files without Foundation.
package enum PlainFile {
    /// Why a file could not be read, in Go's words: `open x: no such file or directory`.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// No certificate or key comes near it.
    private static let maximum = 16 << 20

    /// The whole file, which may block for a moment: not for event loops.
    package static func read(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("open", path) }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < Self.maximum {
            let count = chunk.withUnsafeMutableBytes { readBytes(descriptor, $0) }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.failure("read", path)
            }
            bytes.append(contentsOf: chunk.prefix(count))
        }
        throw Failure(description: "read \(path): file too large")
    }

    private static func failure(_ operation: String, _ path: String) -> Failure {
        let code = errno
        // Go writes the system's texts in lower case.
        var text = Array(String(cString: strerror(code)).utf8)
        if let first = text.first, (0x41...0x5a).contains(first) { text[0] = first | 0x20 }
        return Failure(description: "\(operation) \(path): \(String(decoding: text, as: UTF8.self))")
    }
}

// Inside the type the functions of the same name are hidden.
private func readBytes(_ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}
