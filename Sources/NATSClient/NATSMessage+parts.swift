import NATSWire
import NIOCore

/// The parts of a message in place: what prints or counts messages needs no strings and no slices.
///
/// The bytes are valid only where they are lent.
package struct MessageParts {
    package var subject: UnsafeRawBufferPointer
    /// Empty if the publisher expects no response.
    package var reply: UnsafeRawBufferPointer
    /// The header block as received, empty if there is none.
    package var headers: UnsafeRawBufferPointer
    package var payload: UnsafeRawBufferPointer

    package init(
        subject: UnsafeRawBufferPointer,
        reply: UnsafeRawBufferPointer,
        headers: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer
    ) {
        self.subject = subject
        self.reply = reply
        self.headers = headers
        self.payload = payload
    }
}

extension NATSMessage {
    // MARK: Hot path

    /// Calls `body` with the parts of the message.
    package func withParts(_ body: (MessageParts) -> Void) {
        self.batch.bytes.withUnsafeReadableBytes { bytes in
            func part(_ start: UInt32, _ end: UInt32) -> UnsafeRawBufferPointer {
                // Where a part that is missing would be is not said: it may lie outside.
                guard start < end else { return UnsafeRawBufferPointer(start: nil, count: 0) }
                return UnsafeRawBufferPointer(rebasing: bytes[Int(start)..<Int(end)])
            }
            let frame = self.frame
            body(
                MessageParts(
                    subject: part(frame.subjectStart, frame.subjectEnd),
                    reply: part(frame.replyStart, frame.replyEnd),
                    headers: part(frame.bodyStart, frame.payloadStart),
                    payload: part(frame.payloadStart, frame.payloadEnd)
                )
            )
        }
    }
}
