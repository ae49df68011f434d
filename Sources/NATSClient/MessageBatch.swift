package import NATSWire
public import NIOCore

/// The messages that one read brought for one subscription: the bytes, and where in them each message lies.
///
/// One object for all of them, so that a message costs one reference and no copy.
@usableFromInline
final class MessageBatch: Sendable {
    @usableFromInline let bytes: ByteBuffer
    @usableFromInline let frames: [MessageFrame]
    /// Bytes of headers and payload of all messages.
    let bodyBytes: Int
    /// Where responses go; nil for a message made by the user.
    let outbound: OutboundBuffer?

    init(bytes: ByteBuffer, frames: [MessageFrame], bodyBytes: Int, outbound: OutboundBuffer?) {
        self.bytes = bytes
        self.frames = frames
        self.bodyBytes = bodyBytes
        self.outbound = outbound
    }

    /// A batch that shares `bytes`, or holds copies of the messages when they are a small part of a large buffer.
    ///
    /// A consumer that keeps one short message would otherwise keep a whole read buffer.
    static func make(
        frames: [MessageFrame],
        in bytes: ByteBuffer,
        bodyBytes: Int,
        outbound: OutboundBuffer?
    ) -> MessageBatch {
        // Headers and payloads alone often settle it; they are summed already.
        guard bodyBytes * 4 < bytes.storageCapacity else {
            return MessageBatch(bytes: bytes, frames: frames, bodyBytes: bodyBytes, outbound: outbound)
        }
        let used = frames.reduce(0) { $0 + $1.span.count }
        guard used * 4 < bytes.storageCapacity else {
            return MessageBatch(bytes: bytes, frames: frames, bodyBytes: bodyBytes, outbound: outbound)
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
        return MessageBatch(bytes: copy, frames: moved, bodyBytes: bodyBytes, outbound: outbound)
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
