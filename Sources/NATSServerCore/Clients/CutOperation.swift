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

    /// How many of the bytes that follow belong to the operation: up to its end if that is known, else to the next line end.
    func lengthOfNextPart(_ base: UnsafePointer<UInt8>, _ count: Int) -> Int {
        if self.expected > 0 { return min(count, self.expected - self.count) }
        var length = 0
        while length < count {
            length += 1
            if base[length - 1] == 0x0a { break }
        }
        return length
    }

    /// Whether the operation may be whole, or wrong, now that bytes have been appended.
    ///
    /// A verb shows itself wrong within its first bytes; a line wants a look when it ends or gets too long; a payload when its
    /// line end arrives. Looking only then keeps byte-by-byte input linear.
    func isWorthALook(endsLine: Bool, maxControlLine: Int) -> Bool {
        if self.expected > 0 { return self.count >= self.expected - 1 }
        return self.count <= 8 || endsLine || self.count > maxControlLine
    }

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
