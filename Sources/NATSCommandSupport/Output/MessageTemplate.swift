package import NATSClient
import NATSText
package import NIOCore

/// A `--format` text: literals and the parts of a message that stand for `%s` and the like.
///
/// Pure.
package struct MessageTemplate: Sendable, Equatable {
    private enum Part: Sendable, Equatable {
        case literal([UInt8])
        case payload
        case size
        case subject
        case reply
        case headers
        case number
        case milliseconds
        case rfc3339
        case queue
        case base64
        case hex
        case bigEndianSize
        case latency
    }

    private var parts: [Part] = []

    /// Reads `text`.
    ///
    /// - Throws: `UsageError` for an unknown `%` or `\` sequence.
    package init(parsing text: String) throws(UsageError) {
        var literal: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let letter = bytes.popFirst() else { throw UsageError("format ends after %") }
                if letter == UInt8(ascii: "%") {
                    literal.append(letter)
                    continue
                }
                guard let part = Self.part(letter) else {
                    throw UsageError("unknown format %\(Character(Unicode.Scalar(letter)))")
                }
                if !literal.isEmpty { self.parts.append(.literal(literal)) }
                literal.removeAll()
                self.parts.append(part)
            case UInt8(ascii: "\\"):
                literal.append(try EscapedText.escape(&bytes))
            default:
                literal.append(byte)
            }
        }
        if !literal.isEmpty { self.parts.append(.literal(literal)) }
    }

    private static func part(_ letter: UInt8) -> Part? {
        switch letter {
        case UInt8(ascii: "s"): .payload
        case UInt8(ascii: "S"): .size
        case UInt8(ascii: "t"): .subject
        case UInt8(ascii: "r"): .reply
        case UInt8(ascii: "h"): .headers
        case UInt8(ascii: "n"): .number
        case UInt8(ascii: "T"): .milliseconds
        case UInt8(ascii: "I"): .rfc3339
        case UInt8(ascii: "q"): .queue
        case UInt8(ascii: "b"): .base64
        case UInt8(ascii: "x"): .hex
        case UInt8(ascii: "R"): .bigEndianSize
        case UInt8(ascii: "L"): .latency
        default: nil
        }
    }

    // MARK: Hot path

    /// Appends one message; nothing is added at its end.
    package func append(
        _ parts: MessageParts,
        _ context: MessageFormatter.Context,
        queue: [UInt8],
        to output: inout ByteBuffer
    ) {
        for part in self.parts {
            switch part {
            case .literal(let bytes): output.writeBytes(bytes)
            case .payload: output.writeBytes(parts.payload)
            case .size: output.writeDecimal(parts.payload.count)
            case .subject: output.writeBytes(parts.subject)
            case .reply: output.writeBytes(parts.reply)
            case .headers: MessageHeaders(parts.headers).appendFields(separator: ", ", to: &output)
            case .number: output.writeDecimal(context.number)
            case .milliseconds: output.writeDecimal(context.nanoseconds / 1_000_000)
            case .rfc3339: UTCTimestamp.append(nanoseconds: context.nanoseconds, to: &output)
            case .queue: output.writeBytes(queue)
            case .base64: output.writeBase64(parts.payload)
            case .hex: output.writeHexadecimal(parts.payload)
            case .bigEndianSize: output.writeInteger(UInt32(clamping: parts.payload.count), endianness: .big)
            case .latency: if let latency = context.latency { output.writeString(GoDuration.text(latency)) }
            }
        }
    }
}
