import NIOCore

/// The beginning of an operation whose rest has not arrived.
///
/// Holds the bytes of that one operation only: reads are parsed in place, and just the frame that a read cut is put
/// together here.
struct CutOperation {
    /// More is not kept for the next cut.
    private static let keptCapacity = 64 << 10

    private var buffer = ByteBuffer()
    /// Length of the whole operation, once its control line is known; else 0.
    private(set) var expected = 0

    var isEmpty: Bool { self.buffer.readableBytes == 0 }
    var count: Int { self.buffer.readableBytes }

    /// Begins with the bytes at the end of a read.
    mutating func begin(_ bytes: UnsafeRawBufferPointer, expected: Int) {
        self.buffer.clear()
        self.expected = expected
        if expected > bytes.count { self.buffer.reserveCapacity(expected) }
        self.buffer.writeBytes(bytes)
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) { self.buffer.writeBytes(bytes) }

    /// The control line is complete: the operation will have this many bytes.
    mutating func expect(_ count: Int) {
        self.expected = count
        self.buffer.reserveCapacity(count)
    }

    /// Keeps the first bytes only.
    mutating func truncate(to count: Int) {
        if count < self.buffer.readableBytes { self.buffer.moveWriterIndex(to: self.buffer.readerIndex + count) }
    }

    mutating func clear() {
        self.expected = 0
        if self.buffer.storageCapacity > Self.keptCapacity {
            self.buffer = ByteBuffer()
        } else {
            self.buffer.clear()
        }
    }

    /// Gives memory back while the connection is idle.
    mutating func trim() {
        if self.isEmpty { self.buffer = ByteBuffer() }
    }

    func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { self.buffer.withUnsafeReadableBytes(body) }
}
