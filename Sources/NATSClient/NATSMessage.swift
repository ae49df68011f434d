import NATSWire
public import NIOCore

/// A message received from a subject.
///
/// Holds the bytes as they were read; subject, headers and payload are taken from them when asked for. A message keeps
/// the whole buffer of its read alive, which may be 256 KiB: store ``detached()`` copies if you keep few of many messages.
public struct NATSMessage: Sendable {
    @usableFromInline let batch: MessageBatch
    @usableFromInline let frame: MessageFrame

    @inlinable
    init(batch: MessageBatch, frame: MessageFrame) {
        self.batch = batch
        self.frame = frame
    }

    /// A message that was not received, for tests and the like; it cannot be responded to.
    public init(subject: String, reply: String? = nil, headers: NATSHeaders = NATSHeaders(), payload: some NATSPayload)
    {
        var bytes = ByteBuffer()
        func offset() -> UInt32 {
            UInt32(truncatingIfNeeded: bytes.writerIndex)
        }
        bytes.writeString(subject)
        let subjectEnd = offset()
        bytes.writeString(reply ?? "")
        let replyEnd = offset()
        if !headers.isEmpty {
            bytes.writeBytes(HeaderBlock.encode(headers))
        }
        let payloadStart = offset()
        _ = payload.withPayloadBytes { bytes.writeBytes($0) }
        let frame = MessageFrame(
            subjectStart: 0,
            subjectEnd: subjectEnd,
            replyStart: subjectEnd,
            replyEnd: replyEnd,
            bodyStart: replyEnd,
            payloadStart: payloadStart,
            payloadEnd: offset()
        )
        self.init(
            batch: MessageBatch(bytes: bytes, frames: [frame], bodyBytes: frame.bodyLength, outbound: nil),
            frame: frame
        )
    }

    /// The subject that the message was published to.
    public var subject: String {
        self.batch.string(self.frame.subjectStart, self.frame.subjectEnd)
    }

    /// The subject on which the publisher expects a response, if it does.
    public var reply: String? {
        guard self.hasReply else {
            return nil
        }
        return self.batch.string(self.frame.replyStart, self.frame.replyEnd)
    }

    /// Whether the publisher expects a response.
    public var hasReply: Bool {
        self.frame.replyEnd > self.frame.replyStart
    }

    /// The headers in the order sent; empty if there are none or if the block is malformed.
    ///
    /// Parsed at each use.
    public var headers: NATSHeaders {
        self.headerBlock?.headers ?? [:]
    }

    /// Whether the message came with a header block.
    public var hasHeaders: Bool {
        self.frame.payloadStart > self.frame.bodyStart
    }

    /// The status code of the header block, for example 503 for "no responders".
    public var status: Int? {
        guard self.hasHeaders else {
            return nil
        }
        return self.batch.bytes.withUnsafeReadableBytes { bytes in
            HeaderBlock.status(
                of: UnsafeRawBufferPointer(rebasing: bytes[Int(self.frame.bodyStart)..<Int(self.frame.payloadStart)])
            )
        }
    }

    /// The text behind the status code.
    public var statusDescription: String? {
        self.headerBlock?.statusDescription
    }

    /// The header block as received, from `NATS/1.0` through its blank line; empty if there is none.
    public var headerBytes: ByteBuffer {
        self.batch.slice(self.frame.bodyStart, self.frame.payloadStart)
    }

    /// The payload, sharing memory with the bytes that were read; empty, never missing.
    public var payload: ByteBuffer {
        self.batch.slice(self.frame.payloadStart, self.frame.payloadEnd)
    }

    /// Length of the payload in bytes.
    @inlinable
    public var payloadSize: Int {
        self.frame.payloadLength
    }

    /// Length of subject, reply subject, headers and payload in bytes.
    public var size: Int {
        Int(self.frame.subjectEnd - self.frame.subjectStart) + Int(self.frame.replyEnd - self.frame.replyStart)
            + self.frame.bodyLength
    }

    /// The payload as a string; invalid UTF-8 is replaced by U+FFFD.
    public var string: String {
        self.batch.string(self.frame.payloadStart, self.frame.payloadEnd)
    }

    /// Calls `body` with the payload's bytes in place; they are valid only inside it.
    @inlinable
    public func withPayloadBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try self.batch.bytes.withUnsafeReadableBytes { bytes in
            try body(UnsafeRawBufferPointer(rebasing: bytes[Int(self.frame.payloadStart)..<Int(self.frame.payloadEnd)]))
        }
    }

    /// A copy that holds nothing but its own bytes.
    public func detached() -> NATSMessage {
        let span = self.frame.span
        var bytes = ByteBufferAllocator().buffer(capacity: span.count)
        self.batch.bytes.withUnsafeReadableBytes { source in
            _ = bytes.writeBytes(source[span])
        }
        let frame = self.frame.moved(from: span.lowerBound, to: 0)
        return NATSMessage(
            batch: MessageBatch(
                bytes: bytes,
                frames: [frame],
                bodyBytes: frame.bodyLength,
                outbound: self.batch.outbound
            ),
            frame: frame
        )
    }

    /// Publishes a response to the message's reply subject, on the connection that it came from.
    ///
    /// - Throws: ``NATSError/Code/noReply`` if the publisher expects none, else as
    ///   ``NATSClient/publish(_:to:reply:headers:)``.
    public func respond(_ payload: some NATSPayload, headers: NATSHeaders = NATSHeaders()) async throws(NATSError) {
        guard let outbound = self.batch.outbound, let reply = self.reply else {
            throw NATSError(.noReply, "the message on \"\(self.subject)\" has no reply subject")
        }
        try await outbound.publish(payload, to: reply, reply: nil, headers: headers)
        outbound.endDelay()
    }

    private var headerBlock: HeaderBlock? {
        guard self.hasHeaders else {
            return nil
        }
        return self.batch.bytes.withUnsafeReadableBytes { bytes in
            HeaderBlock(
                parsing: UnsafeRawBufferPointer(
                    rebasing: bytes[Int(self.frame.bodyStart)..<Int(self.frame.payloadStart)]
                )
            )
        }
    }
}

extension NATSMessage: CustomStringConvertible {
    /// The subject and the size of the payload.
    public var description: String {
        "\(self.subject) (\(self.payloadSize) bytes)"
    }
}
