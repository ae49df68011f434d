/// The first line of `PUB` and `HPUB` operations that differ in nothing but the length of their payload.
///
/// Lines of a file are often of one length, and then the line before is the line again.
struct FrameHead: ~Copyable {
    private let bytes: UnsafeMutableRawPointer
    /// Up to where every operation has the same.
    private let fixedLength: Int
    private let headersLength: Int
    private var payloadLength = -1
    private var length = 0

    init(subject: UnsafeRawBufferPointer, reply: UnsafeRawBufferPointer, headersLength: Int) {
        self.bytes = .allocate(byteCount: subject.count + reply.count + FrameWriter.overhead, alignment: 8)
        var position = self.bytes
        FrameWriter.writeHead(subject: subject, reply: reply, headersLength: headersLength, to: &position)
        self.fixedLength = position - self.bytes
        self.headersLength = headersLength
    }

    deinit {
        self.bytes.deallocate()
    }

    /// The line for a payload of that length, line end included; valid until the next call.
    @inline(__always)
    mutating func line(payloadLength: Int) -> UnsafeRawBufferPointer {
        if payloadLength != self.payloadLength {
            var position = self.bytes + self.fixedLength
            FrameWriter.writeDecimal(self.headersLength &+ payloadLength, to: &position)
            FrameWriter.writeLineEnd(to: &position)
            self.length = position - self.bytes
            self.payloadLength = payloadLength
        }
        return UnsafeRawBufferPointer(start: self.bytes, count: self.length)
    }
}
