import NATSCommandSupport
import NIOCore

/// `--tee`: what was read, on standard output.
struct RecordCopy {
    private static let blockSize = 64 * 1024

    private let writer: OutputWriter?
    private let delimiter: [UInt8]
    /// Messages have pauses between them, so copies do not wait for company.
    private let isPaced: Bool
    private var held = ByteBuffer()

    init(_ writer: OutputWriter?, _ mode: InputMode, isPaced: Bool) {
        self.writer = writer
        self.delimiter = mode.delimiter
        self.isPaced = isPaced
    }

    /// Takes a record; the delimiter behind it too, if it had one.
    mutating func add(_ record: ByteBuffer, isTerminated: Bool) throws {
        guard let writer = self.writer else { return }
        self.held.writeImmutableBuffer(record)
        if isTerminated { self.held.writeBytes(self.delimiter) }
        if self.isPaced || self.held.readableBytes >= Self.blockSize { try writer.submit(&self.held) }
    }

    /// Writes what is held, and waits while the output takes nothing.
    mutating func writeOut() async throws {
        guard let writer = self.writer else { return }
        try writer.submit(&self.held)
        try await writer.waitForRoom()
    }
}
