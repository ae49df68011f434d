package import NATSClient
import NATSText
import NATSWire
package import NIOCore

/// Turns received messages into bytes.
///
/// Pure: number, time and process id are given.
package struct MessageFormatter: Sendable {
    /// How payloads are told apart when nothing else is printed.
    package enum PayloadFormat: Sendable, Equatable {
        /// A line end is added where it is missing; an empty payload is an empty line.
        case lines
        /// Nothing is added.
        case verbatim
        /// A NUL is added.
        case nulTerminated
        /// These bytes are added.
        case delimited([UInt8])
    }

    package enum Format: Sendable, Equatable {
        case payload(PayloadFormat)
        /// `[#1] Received on [a.b]: 'hi'`
        case received
        /// `[#1] Received on [a.b] Queue[g] Pid[7]: 'hi'`
        case receivedInGroup(String, processID: Int32)
        /// `Received  [_INBOX.x] : 'hi'`
        case reply
        /// `[#1] Received on "a.b" with reply "r"`, headers, body: the form of the `nats` command.
        case pretty
        /// `Received with rtt 1.2ms`, headers, body: the same for replies.
        case prettyReply
        /// An object on a line; with `embedsPayload` a payload that is JSON is part of it.
        case json(embedsPayload: Bool)
        /// `--format`
        case template(MessageTemplate)
        /// The subject on a line.
        case subjects
        /// Header lines and an empty line.
        case headers
        /// The object that the `nats` command dumps, with a NUL behind it or not.
        case dump(endsWithNUL: Bool)

        /// Whether people read it: such forms come with words on standard error.
        package var isForPeople: Bool {
            switch self {
            case .received, .receivedInGroup, .reply, .pretty, .prettyReply: true
            case .payload, .json, .template, .subjects, .headers, .dump: false
            }
        }
    }

    /// What surrounds a message.
    package struct Context: Sendable {
        package var number: Int
        /// Time of receipt, since the epoch.
        package var nanoseconds: Int64
        /// As ``MessageStamp`` renders it for the form, or empty.
        package var stamp: [UInt8]
        /// How long a reply took.
        package var latency: Duration?
        /// The message is the response to the one before it, which has the same number.
        package var isMatchedReply: Bool

        package init(
            number: Int,
            nanoseconds: Int64 = 0,
            stamp: [UInt8] = [],
            latency: Duration? = nil,
            isMatchedReply: Bool = false
        ) {
            self.number = number
            self.nanoseconds = nanoseconds
            self.stamp = stamp
            self.latency = latency
            self.isMatchedReply = isMatchedReply
        }
    }

    /// ``Format`` without what is allocated: what is looked at for each message.
    private enum Shape: Sendable {
        case lines, verbatim, delimited, received, reply, other
    }

    package let format: Format
    private let shape: Shape
    private let delimiter: [UInt8]
    /// What stands between subject and payload of a text line.
    private let textMiddle: [UInt8]
    private let queue: [UInt8]
    /// Header lines behind a text line.
    private let showsHeaders: Bool
    private let usesColor: Bool

    package init(format: Format, queue: String? = nil, showsHeaders: Bool = false, usesColor: Bool = false) {
        self.format = format
        self.queue = Array((queue ?? "").utf8)
        self.showsHeaders = showsHeaders
        self.usesColor = usesColor
        var delimiter: [UInt8] = []
        var middle: [UInt8] = Array("]: '".utf8)
        switch format {
        case .payload(.lines): self.shape = .lines
        case .payload(.verbatim): self.shape = .verbatim
        case .payload(.nulTerminated):
            self.shape = .delimited
            delimiter = [0]
        case .payload(.delimited(let bytes)):
            self.shape = .delimited
            delimiter = bytes
        case .received: self.shape = .received
        case .receivedInGroup(let group, let processID):
            self.shape = .received
            middle = Array("] Queue[\(group)] Pid[\(processID)]: '".utf8)
        case .reply:
            self.shape = .reply
            middle = Array("] : '".utf8)
        case .pretty, .prettyReply, .json, .template, .subjects, .headers, .dump: self.shape = .other
        }
        self.delimiter = delimiter
        self.textMiddle = middle
    }

    // MARK: Hot path

    /// Appends one message to `output`.
    @inline(__always)
    package func append(_ parts: MessageParts, _ context: Context, to output: inout ByteBuffer) {
        switch self.shape {
        case .lines:
            if !context.stamp.isEmpty { output.writeBytes(context.stamp) }
            output.writeBytes(parts.payload)
            if parts.payload.last != UInt8(ascii: "\n") {
                output.writeInteger(UInt8(ascii: "\n"))
            }
        case .verbatim:
            if !context.stamp.isEmpty { output.writeBytes(context.stamp) }
            output.writeBytes(parts.payload)
        case .delimited:
            if !context.stamp.isEmpty { output.writeBytes(context.stamp) }
            output.writeBytes(parts.payload)
            output.writeBytes(self.delimiter)
        case .received, .reply:
            self.appendText(parts, context, to: &output)
        case .other:
            self.appendOther(parts, context, to: &output)
        }
    }

    /// Whether nothing but payloads is printed, so that ``appendPayloads(of:in:until:to:)`` may do it.
    package var printsPayloadsOnly: Bool {
        switch self.shape {
        case .lines, .verbatim, .delimited: true
        case .received, .reply, .other: false
        }
    }

    /// Appends the payloads of messages to `output` until that has `size` bytes.
    ///
    /// - Parameters:
    ///   - frames: Where the messages are in `bytes`.
    ///   - bytes: Holds them.
    ///   - size: With so many bytes `output` is full; the last message may reach beyond.
    ///   - output: Gets what ``append(_:_:to:)`` would append without a stamp.
    /// - Returns: How many messages.
    package func appendPayloads(
        of frames: ArraySlice<MessageFrame>,
        in bytes: UnsafeRawBufferPointer,
        until size: Int,
        to output: inout ByteBuffer
    ) -> Int {
        guard let source = bytes.baseAddress else { return 0 }
        let ending = self.delimiter.count + 1
        var room = 0
        var count = 0
        for frame in frames {
            guard output.readableBytes + room < size, Int(frame.payloadEnd) <= bytes.count,
                frame.payloadStart <= frame.payloadEnd
            else { break }
            room += frame.payloadLength + ending
            count += 1
        }
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
            guard let start = target.baseAddress else { return 0 }
            var end = start
            for frame in frames.prefix(count) {
                let length = frame.payloadLength
                let payload = source + Int(frame.payloadStart)
                end.copyMemory(from: payload, byteCount: length)
                end += length
                switch self.shape {
                case .lines:
                    guard length == 0 || (end - 1).load(as: UInt8.self) != UInt8(ascii: "\n") else { continue }
                    end.storeBytes(of: UInt8(ascii: "\n"), as: UInt8.self)
                    end += 1
                case .delimited:
                    for byte in self.delimiter {
                        end.storeBytes(of: byte, as: UInt8.self)
                        end += 1
                    }
                case .verbatim, .received, .reply, .other:
                    continue
                }
            }
            return end - start
        }
        return count
    }

    private func appendText(_ parts: MessageParts, _ context: Context, to output: inout ByteBuffer) {
        if !context.stamp.isEmpty { output.writeBytes(context.stamp) }
        if self.shape == .reply {
            output.writeStaticString("Received  [")
        } else {
            output.writeStaticString("[#")
            output.writeDecimal(context.number)
            output.writeStaticString(context.isMatchedReply ? "] Matched reply on [" : "] Received on [")
        }
        output.writeBytes(parts.subject)
        output.writeBytes(self.textMiddle)
        output.writeBytes(parts.payload)
        output.writeStaticString("'\n")
        if self.showsHeaders { MessageHeaders(parts.headers).appendLines(to: &output) }
    }

    private func appendOther(_ parts: MessageParts, _ context: Context, to output: inout ByteBuffer) {
        switch self.format {
        case .template(let template):
            output.writeBytes(context.stamp)
            template.append(parts, context, queue: self.queue, to: &output)
        case .json(let embedsPayload):
            Self.appendJSON(parts, context, embedsPayload: embedsPayload, to: &output)
        case .pretty:
            self.appendPrettyLine(parts, context, to: &output)
            Self.appendHeadersAndBody(parts, to: &output)
        case .prettyReply:
            output.writeStaticString("Received")
            if let latency = context.latency {
                output.writeStaticString(" with rtt ")
                output.writeString(GoDuration.text(latency))
            }
            output.writeInteger(UInt8(ascii: "\n"))
            Self.appendHeadersAndBody(parts, to: &output)
        case .subjects:
            output.writeBytes(context.stamp)
            output.writeBytes(parts.subject)
            output.writeInteger(UInt8(ascii: "\n"))
        case .headers:
            output.writeBytes(context.stamp)
            MessageHeaders(parts.headers).appendLines(to: &output)
            output.writeInteger(UInt8(ascii: "\n"))
        case .dump(let endsWithNUL):
            Self.appendDump(parts, to: &output)
            if endsWithNUL { output.writeInteger(UInt8(0)) }
        case .payload, .received, .receivedInGroup, .reply:
            break
        }
    }
}

// MARK: The form of the nats command

extension MessageFormatter {
    private func appendPrettyLine(_ parts: MessageParts, _ context: Context, to output: inout ByteBuffer) {
        self.appendColored("\u{1B}[36m", to: &output) { output in
            output.writeStaticString("[#")
            output.writeDecimal(context.number)
            output.writeInteger(UInt8(ascii: "]"))
        }
        output.writeBytes(context.stamp)
        output.writeStaticString(context.isMatchedReply ? " Matched reply on " : " Received on ")
        self.appendColored("\u{1B}[32m", to: &output) { Self.appendQuoted(parts.subject, to: &$0) }
        if !parts.reply.isEmpty, !context.isMatchedReply {
            output.writeStaticString(" with reply ")
            Self.appendQuoted(parts.reply, to: &output)
        }
        output.writeInteger(UInt8(ascii: "\n"))
    }

    private func appendColored(_ color: StaticString, to output: inout ByteBuffer, _ body: (inout ByteBuffer) -> Void) {
        if self.usesColor { output.writeStaticString(color) }
        body(&output)
        if self.usesColor { output.writeStaticString("\u{1B}[0m") }
    }

    /// As Go's `%q`.
    private static func appendQuoted(_ text: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        let isPlain = text.allSatisfy {
            $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        guard isPlain else {
            output.writeString(GoString.quoted(Array(text)))
            return
        }
        output.writeInteger(UInt8(ascii: "\""))
        output.writeBytes(text)
        output.writeInteger(UInt8(ascii: "\""))
    }

    private static func appendHeadersAndBody(_ parts: MessageParts, to output: inout ByteBuffer) {
        let headers = MessageHeaders(parts.headers)
        if !headers.isEmpty {
            headers.appendLines(to: &output)
            output.writeInteger(UInt8(ascii: "\n"))
        }
        if parts.payload.isEmpty {
            output.writeStaticString("nil body\n")
        } else {
            output.writeBytes(parts.payload)
            if parts.payload.last != UInt8(ascii: "\n") { output.writeInteger(UInt8(ascii: "\n")) }
        }
        output.writeInteger(UInt8(ascii: "\n"))
    }

    /// The message as Go's `encoding/json` writes the client's type.
    private static func appendDump(_ parts: MessageParts, to output: inout ByteBuffer) {
        var bytes = Array("{\"Subject\":".utf8)
        JSONText.append(parts.subject, to: &bytes)
        bytes.append(contentsOf: ",\"Reply\":".utf8)
        JSONText.append(parts.reply, to: &bytes)
        output.writeBytes(bytes)
        output.writeStaticString(",\"Header\":")
        MessageHeaders(parts.headers).appendGoJSON(to: &output)
        output.writeStaticString(",\"Data\":\"")
        output.writeBase64(parts.payload)
        output.writeStaticString("\",\"Sub\":null}")
    }
}

// MARK: JSON lines

extension MessageFormatter {
    private static func appendJSON(
        _ parts: MessageParts,
        _ context: Context,
        embedsPayload: Bool,
        to output: inout ByteBuffer
    ) {
        output.writeStaticString("{\"subject\":")
        output.writeJSONString(mending: parts.subject)
        output.writeInteger(UInt8(ascii: ","))
        if !parts.reply.isEmpty {
            output.writeStaticString("\"reply\":")
            output.writeJSONString(mending: parts.reply)
            output.writeInteger(UInt8(ascii: ","))
        }
        MessageHeaders(parts.headers).appendJSON(to: &output)
        Self.appendJSONPayload(parts.payload, embedsPayload: embedsPayload, to: &output)
        output.writeStaticString(",\"time\":\"")
        UTCTimestamp.append(nanoseconds: context.nanoseconds, to: &output)
        output.writeStaticString("\",\"seq\":")
        output.writeDecimal(context.number)
        if let latency = context.latency {
            output.writeStaticString(",\"rtt_us\":")
            let (seconds, attoseconds) = latency.components
            output.writeDecimal(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
        }
        output.writeStaticString("}\n")
    }

    private static func appendJSONPayload(
        _ payload: UnsafeRawBufferPointer,
        embedsPayload: Bool,
        to output: inout ByteBuffer
    ) {
        if embedsPayload {
            let start = output.writerIndex
            output.writeStaticString("\"payload\":")
            if JSONPayload.append(payload, to: &output) { return }
            output.moveWriterIndex(to: start)
        }
        if UTF8Check.isValid(payload) {
            output.writeStaticString("\"data\":")
            output.writeJSONString(payload)
        } else {
            output.writeStaticString("\"data_base64\":\"")
            output.writeBase64(payload)
            output.writeInteger(UInt8(ascii: "\""))
        }
    }
}
