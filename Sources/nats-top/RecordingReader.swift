import NATSCommandSupport
import NATSTop

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Reads what `--record` wrote, line by line.
final class RecordingReader {
    private let descriptor: Int32
    private let name: String
    private var held: [UInt8] = []
    /// Where the next line begins in ``held``.
    private var begin = 0
    private var isAtEnd = false
    private var count = 0

    /// - Throws: `ToolFailure` if the file cannot be opened.
    init(_ name: String) throws {
        self.name = name
        self.descriptor = open(name, O_RDONLY | O_CLOEXEC)
        if self.descriptor < 0 { throw ToolFailure("cannot read \(name): \(POSIX.describe(errno))") }
    }

    deinit { close(self.descriptor) }

    /// Reads the next round; nil at the end.
    ///
    /// Lines that are none of a recording are passed over: the last one may be torn.
    ///
    /// - Returns: The round.
    /// - Throws: `ToolFailure` if reading fails, or nothing at the beginning is a recording.
    func next() throws -> Recording? {
        while let line = try self.line() {
            if let recording = Recording(line: line) {
                self.count += 1
                return recording
            }
            if self.count == 0 { break }
        }
        if self.count == 0 { throw ToolFailure("\(self.name) is no recording of nats-top") }
        return nil
    }

    private func line() throws -> ArraySlice<UInt8>? {
        var searched = self.begin
        while true {
            if let end = self.held[searched...].firstIndex(of: 0x0A) {
                let line = self.held[self.begin..<end]
                self.begin = end + 1
                return line
            }
            if self.isAtEnd {
                guard self.begin < self.held.count else { return nil }
                let line = self.held[self.begin...]
                self.begin = self.held.count
                return line
            }
            if self.begin > 0 {
                self.held.removeFirst(self.begin)
                self.begin = 0
            }
            searched = self.held.count
            guard searched <= Recording.maximumLineBytes else { throw ToolFailure("\(self.name): a line is too long") }
            try self.fill()
        }
    }

    private func fill() throws {
        var chunk: [UInt8] = Array(repeating: 0, count: 1 << 18)
        let count = chunk.withUnsafeMutableBytes { POSIX.readSome(from: self.descriptor, into: $0) }
        if count < 0 { throw ToolFailure("cannot read \(self.name): \(POSIX.describe(Int32(-count)))") }
        if count == 0 { self.isAtEnd = true }
        self.held += chunk.prefix(count)
    }
}
