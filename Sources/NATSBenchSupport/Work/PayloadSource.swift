package import NIOCore

/// The payloads of one sender, made before the clock runs.
package struct PayloadSource: Sendable {
    /// Of random bytes there are so many more than one payload has; each payload begins somewhere else in them.
    private static let spread = 65_536
    private static let step = 4_099

    private let bytes: ByteBuffer
    package let size: Int
    private let isMoving: Bool

    /// The same each time.
    package init(fixed bytes: ByteBuffer) {
        self.bytes = bytes
        self.size = bytes.readableBytes
        self.isMoving = false
    }

    /// `size` times NUL, as of the Go tools.
    package init(size: Int) {
        self.init(fixed: ByteBuffer(repeating: 0, count: size))
    }

    /// Bytes that no compression makes smaller, also not by remembering those before.
    package init(random generator: inout some RandomNumberGenerator, size: Int) {
        var bytes = ByteBuffer()
        let count = size + Self.spread
        bytes.reserveCapacity(count + 8)
        while bytes.readableBytes < count { bytes.writeInteger(generator.next()) }
        self.bytes = bytes
        self.size = size
        self.isMoving = true
    }

    // MARK: Hot path

    /// The payload of a message.
    @inline(__always)
    package func payload(_ number: Int) -> ByteBuffer {
        guard self.isMoving else { return self.bytes }
        let offset = (number &* Self.step) & (Self.spread - 1)
        return self.bytes.getSlice(at: self.bytes.readerIndex + offset, length: self.size) ?? self.bytes
    }
}
