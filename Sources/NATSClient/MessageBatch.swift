package import NATSWire
public import NIOCore

/// The messages that one read brought for one subscription: the bytes, and where in them each message lies.
///
/// One object for all of them, so that a message costs one reference and no copy.
@usableFromInline
final class MessageBatch: Sendable {
    @usableFromInline let bytes: ByteBuffer
    @usableFromInline let frames: [MessageFrame]
    /// Payload bytes of all messages.
    let payloadBytes: Int
    /// Where responses go; nil for a message made by the user.
    let outbound: OutboundBuffer?

    init(bytes: ByteBuffer, frames: [MessageFrame], payloadBytes: Int, outbound: OutboundBuffer?) {
        self.bytes = bytes
        self.frames = frames
        self.payloadBytes = payloadBytes
        self.outbound = outbound
    }

    /// A batch that shares `bytes`, or holds copies of the messages when they are a small part of a large buffer.
    ///
    /// A consumer that keeps one short message would otherwise keep a whole read buffer.
    static func make(
        frames: [MessageFrame],
        in bytes: ByteBuffer,
        payloadBytes: Int,
        outbound: OutboundBuffer?
    ) -> MessageBatch {
        // With many messages the sum cannot be small; do not spend time on it.
        guard frames.count <= 64 else {
            return MessageBatch(bytes: bytes, frames: frames, payloadBytes: payloadBytes, outbound: outbound)
        }
        let used = frames.reduce(0) { $0 + $1.span.count }
        guard used * 4 < bytes.storageCapacity else {
            return MessageBatch(bytes: bytes, frames: frames, payloadBytes: payloadBytes, outbound: outbound)
        }
        var copy = ByteBufferAllocator().buffer(capacity: used)
        var moved: [MessageFrame] = []
        moved.reserveCapacity(frames.count)
        bytes.withUnsafeReadableBytes { source in
            for frame in frames {
                moved.append(frame.moved(from: frame.span.lowerBound, to: copy.writerIndex))
                copy.writeBytes(source[frame.span])
            }
        }
        return MessageBatch(bytes: copy, frames: moved, payloadBytes: payloadBytes, outbound: outbound)
    }

    func string(_ start: UInt32, _ end: UInt32) -> String {
        self.bytes.withUnsafeReadableBytes { bytes in
            String(decoding: bytes[Int(start)..<Int(end)], as: UTF8.self)
        }
    }

    func slice(_ start: UInt32, _ end: UInt32) -> ByteBuffer {
        self.bytes.getSlice(at: self.bytes.readerIndex + Int(start), length: Int(end) - Int(start)) ?? ByteBuffer()
    }
}
