package import NATSWire
package import NIOCore

/// A message as a line of JSON, in the keys that `nats-sub --json` writes.
///
///     {"subject":"a.b","reply":"r","headers":{"K":["v1","v2"]},"data":"text"}
///
/// The payload is `data` (text), `data_base64`, or `payload` (any JSON value, which is sent in its compact form). Keys that
/// a message has no use for (`seq`, `time`) are ignored.
package struct JSONMessage: Sendable, Equatable {
    /// What is wrong with a line.
    package struct Malformed: Error, Equatable {
        package var description: String

        package init(description: String) {
            self.description = description
        }
    }

    package var subject: String?
    package var reply: String?
    package var headers = NATSHeaders()
    package var payload = ByteBuffer()

    /// Reads a line.
    package init(parsing line: ByteBuffer) throws(Malformed) {
        let parsed = line.withUnsafeReadableBytes { bytes -> Result<JSONValue, JSONError> in
            // The reader would replace what is not UTF-8; a message is sent as it is meant or not at all.
            guard String(validating: bytes, as: UTF8.self) != nil else { return .failure(JSONError("not UTF-8")) }
            do throws(JSONError) {
                return .success(try JSONValue.parse(bytes))
            } catch {
                return .failure(error)
            }
        }
        let members: [(key: String, value: JSONValue)]
        do throws(JSONError) {
            guard case .object(let object) = try parsed.get() else { throw JSONError("not a JSON object") }
            members = object
        } catch {
            throw Malformed(description: error.description)
        }
        var payloadKey: String?
        for (key, value) in members {
            switch (key, value) {
            case ("subject", .null), ("reply", .null), ("headers", .null), ("data", .null), ("data_base64", .null):
                break
            case ("subject", .string(let text)):
                self.subject = text
            case ("reply", .string(let text)):
                self.reply = text.isEmpty ? nil : text
            case ("headers", .object(let fields)):
                self.headers = try Self.headers(fields)
            case ("data", .string(let text)):
                try Self.note(key, &payloadKey)
                self.payload = ByteBuffer(string: text)
            case ("data_base64", .string(let text)):
                try Self.note(key, &payloadKey)
                guard let bytes = Base64.decode(text) else {
                    throw Malformed(description: "data_base64 is not base 64")
                }
                self.payload = ByteBuffer(bytes: bytes)
            case ("payload", _):
                try Self.note(key, &payloadKey)
                self.payload = ByteBuffer()
                JSONText.append(value, to: &self.payload)
            case ("subject", _), ("reply", _), ("data", _), ("data_base64", _):
                throw Malformed(description: "\(key) is not a string")
            case ("headers", _):
                throw Malformed(description: "headers is not an object")
            default:
                break
            }
        }
    }

    private static func note(_ key: String, _ payloadKey: inout String?) throws(Malformed) {
        if let other = payloadKey, other != key { throw Malformed(description: "both \(other) and \(key)") }
        payloadKey = key
    }

    private static func headers(_ fields: [(key: String, value: JSONValue)]) throws(Malformed) -> NATSHeaders {
        var headers = NATSHeaders()
        for (name, value) in fields {
            let values: [JSONValue]
            if case .array(let elements) = value { values = elements } else { values = [value] }
            for value in values {
                guard case .string(let text) = value else {
                    throw Malformed(description: "a header's value is not a string")
                }
                headers.append(name: name, value: text)
            }
        }
        return headers
    }
}

/// JSON values without white space, as they came but for escapes that are not needed.
private enum JSONText {
    static func append(_ value: JSONValue, to output: inout ByteBuffer) {
        switch value {
        case .null: output.writeStaticString("null")
        case .bool(let flag): output.writeString(flag ? "true" : "false")
        case .number(let text): output.writeString(text)
        case .string(let text): self.append(text, to: &output)
        case .array(let elements):
            output.writeStaticString("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { output.writeStaticString(",") }
                self.append(element, to: &output)
            }
            output.writeStaticString("]")
        case .object(let members):
            output.writeStaticString("{")
            for (index, member) in members.enumerated() {
                if index > 0 { output.writeStaticString(",") }
                self.append(member.key, to: &output)
                output.writeStaticString(":")
                self.append(member.value, to: &output)
            }
            output.writeStaticString("}")
        }
    }

    private static func append(_ text: String, to output: inout ByteBuffer) {
        output.writeStaticString("\"")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.writeBytes([UInt8(ascii: "\\"), byte])
            case 0x08: output.writeStaticString("\\b")
            case 0x09: output.writeStaticString("\\t")
            case 0x0A: output.writeStaticString("\\n")
            case 0x0C: output.writeStaticString("\\f")
            case 0x0D: output.writeStaticString("\\r")
            case ..<0x20:
                let digits = String(byte, radix: 16)
                output.writeString("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
            default:
                output.writeInteger(byte)
            }
        }
        output.writeStaticString("\"")
    }
}
