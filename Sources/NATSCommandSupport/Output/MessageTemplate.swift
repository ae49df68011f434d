package import NATSWire
package import NIOCore

/// A `--format` text: literals and the parts of a message that stand for `%s` and the like.
///
/// Pure.
package struct MessageTemplate: Sendable, Equatable {
    /// What surrounds a message.
    package struct Context: Sendable {
        package var subject: String
        package var reply: String?
        package var headers: NATSHeaders
        package var number: Int
        package var queue: String?
        /// Time of receipt, since the epoch.
        package var nanoseconds: Int64

        package init(
            subject: String,
            reply: String?,
            headers: NATSHeaders,
            number: Int,
            queue: String?,
            nanoseconds: Int64
        ) {
            self.subject = subject
            self.reply = reply
            self.headers = headers
            self.number = number
            self.queue = queue
            self.nanoseconds = nanoseconds
        }
    }

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
                literal.append(try Self.escape(&bytes))
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
        default: nil
        }
    }

    /// The byte that `\` and what follows stand for.
    private static func escape(_ bytes: inout ArraySlice<UInt8>) throws(UsageError) -> UInt8 {
        switch bytes.popFirst() {
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "0"): return 0
        case UInt8(ascii: "e"): return 0x1B
        case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
        case UInt8(ascii: "x"):
            guard let high = bytes.popFirst().flatMap(Self.hexValue), let low = bytes.popFirst().flatMap(Self.hexValue)
            else { throw UsageError("\\x needs two hexadecimal digits") }
            return high << 4 | low
        case let other?:
            throw UsageError("unknown escape \\\(Character(Unicode.Scalar(other)))")
        case nil:
            throw UsageError("format ends after \\")
        }
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x41 + 10
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }

    /// Appends one message; nothing is added at its end.
    package func append(payload: UnsafeRawBufferPointer, context: Context, to output: inout ByteBuffer) {
        for part in self.parts {
            switch part {
            case .literal(let bytes): output.writeBytes(bytes)
            case .payload: output.writeBytes(payload)
            case .size: output.writeString(String(payload.count))
            case .subject: output.writeString(context.subject)
            case .reply: output.writeString(context.reply ?? "")
            case .headers:
                output.writeString(context.headers.map { "\($0.name): \($0.value)" }.joined(separator: ", "))
            case .number: output.writeString(String(context.number))
            case .milliseconds: output.writeString(String(context.nanoseconds / 1_000_000))
            case .rfc3339: output.writeString(UTCTimestamp.text(nanoseconds: context.nanoseconds))
            case .queue: output.writeString(context.queue ?? "")
            case .base64: output.writeString(Base64.encode(payload))
            case .hex: Self.appendHex(payload, to: &output)
            case .bigEndianSize: output.writeInteger(UInt32(clamping: payload.count), endianness: .big)
            }
        }
    }

    private static func appendHex(_ payload: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        let digits = Array("0123456789abcdef".utf8)
        for byte in payload {
            output.writeInteger(digits[Int(byte >> 4)])
            output.writeInteger(digits[Int(byte & 15)])
        }
    }
}
