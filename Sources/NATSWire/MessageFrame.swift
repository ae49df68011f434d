/// Where the parts of one delivered message lie, as offsets into the bytes that were read.
///
/// Plain numbers, so that the event loop can collect thousands of them without counting a reference.
@frozen
@usableFromInline
package struct MessageFrame: Sendable, Equatable {
    @usableFromInline package var subjectStart: UInt32
    @usableFromInline package var subjectEnd: UInt32
    /// Equal to ``replyEnd`` when the message has no reply subject.
    @usableFromInline package var replyStart: UInt32
    @usableFromInline package var replyEnd: UInt32
    /// Start of the header block, or of the payload when there is none.
    @usableFromInline package var bodyStart: UInt32
    @usableFromInline package var payloadStart: UInt32
    @usableFromInline package var payloadEnd: UInt32

    @inlinable
    package init(
        subjectStart: UInt32,
        subjectEnd: UInt32,
        replyStart: UInt32,
        replyEnd: UInt32,
        bodyStart: UInt32,
        payloadStart: UInt32,
        payloadEnd: UInt32
    ) {
        self.subjectStart = subjectStart
        self.subjectEnd = subjectEnd
        self.replyStart = replyStart
        self.replyEnd = replyEnd
        self.bodyStart = bodyStart
        self.payloadStart = payloadStart
        self.payloadEnd = payloadEnd
    }

    /// Length of the payload in bytes, headers not counted.
    @inlinable
    package var payloadLength: Int {
        Int(self.payloadEnd &- self.payloadStart)
    }

    /// Length of headers and payload in bytes.
    @inlinable
    package var bodyLength: Int {
        Int(self.payloadEnd &- self.bodyStart)
    }

    /// Length of the header block in bytes.
    @inlinable
    package var headerLength: Int {
        Int(self.payloadStart &- self.bodyStart)
    }

    /// Bytes from the subject through the payload.
    @inlinable
    package var span: Range<Int> {
        Int(self.subjectStart)..<Int(self.payloadEnd)
    }

    /// The same message when the byte that was at `from` now is at `to`.
    package func moved(from: Int, to: Int) -> MessageFrame {
        func move(_ offset: UInt32) -> UInt32 {
            UInt32(truncatingIfNeeded: Int(offset) - from + to)
        }
        return MessageFrame(
            subjectStart: move(self.subjectStart),
            subjectEnd: move(self.subjectEnd),
            replyStart: move(self.replyStart),
            replyEnd: move(self.replyEnd),
            bodyStart: move(self.bodyStart),
            payloadStart: move(self.payloadStart),
            payloadEnd: move(self.payloadEnd)
        )
    }
}
