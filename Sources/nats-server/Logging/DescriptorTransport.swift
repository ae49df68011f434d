#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Writes to a descriptor that is open already: a terminal, a pipe, a socket, a regular file.
final class DescriptorTransport: LogTransport, @unchecked Sendable {
    private enum Kind {
        /// Never waits for a reader.
        case file
        case socket
        /// Says by `poll` that it takes so many bytes without waiting.
        case stream(portion: Int)
    }

    private let descriptor: CInt
    private let closesDescriptor: Bool
    private let kind: Kind

    init(_ descriptor: CInt, closesDescriptor: Bool) {
        self.descriptor = descriptor
        self.closesDescriptor = closesDescriptor
        switch SystemCalls.fileType(descriptor) {
        case S_IFREG: self.kind = .file
        case S_IFSOCK: self.kind = .socket
        // A pipe that is writable takes PIPE_BUF bytes at once, a terminal at least this much.
        case S_IFIFO: self.kind = .stream(portion: Int(PIPE_BUF))
        default: self.kind = .stream(portion: 256)
        }
    }

    func writeAtOnce(_ line: ArraySlice<UInt8>) -> Int {
        switch self.kind {
        case .file:
            _ = SystemCalls.writeAll(line, to: self.descriptor)
            return line.count
        case .socket:
            return SystemCalls.sendAtOnce(line, to: self.descriptor)
        case .stream(let portion):
            var rest = line
            while !rest.isEmpty, SystemCalls.isWritable(self.descriptor, within: 0) {
                let part = rest.prefix(portion)
                _ = SystemCalls.writeAll(part, to: self.descriptor)
                rest = rest.dropFirst(part.count)
            }
            return line.count - rest.count
        }
    }

    func writeWaiting(_ line: ArraySlice<UInt8>) {
        _ = SystemCalls.writeAll(line, to: self.descriptor)
    }

    func close() {
        guard self.closesDescriptor else { return }
        SystemCalls.close(self.descriptor)
    }
}
