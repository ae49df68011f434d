/// A JSON document as the NATS protocol needs it: `INFO` and `CONNECT` objects on one line.
///
/// Reads what Go's `encoding/json` reads (RFC 8259, invalid UTF-8 and lone surrogates become U+FFFD, the last of several
/// equal keys wins at the place of use) and nothing more. Numbers keep their text, because whether `1.0` fits is decided
/// by the field it is read into.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null):
            true
        case (.bool(let a), .bool(let b)):
            a == b
        case (.number(let a), .number(let b)), (.string(let a), .string(let b)):
            a == b
        case (.array(let a), .array(let b)):
            a == b
        case (.object(let a), .object(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        default:
            false
        }
    }
}

/// Why a JSON document or one of its fields was refused.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension JSONValue {
    /// Containers nested deeper than this are refused, so that hostile input cannot exhaust the stack.
    package static let maximumDepth = 128

    /// Reads one whole document; anything but white space after it is an error.
    package static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes: bytes)
        return try reader.readDocument()
    }

    /// Reads one whole document; anything but white space after it is an error.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        let result = bytes.withUnsafeBytes { buffer -> Result<JSONValue, JSONError> in
            do throws(JSONError) {
                return .success(try JSONValue.parse(buffer))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

private struct JSONReader {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func readDocument() throws(JSONError) -> JSONValue {
        let value = try self.readValue(depth: 0)
        self.skipWhiteSpace()
        guard self.position == self.bytes.count else {
            throw JSONError("unexpected bytes after the document at offset \(self.position)")
        }
        return value
    }

    var current: UInt8? {
        self.position < self.bytes.count ? self.bytes[self.position] : nil
    }

    mutating func skipWhiteSpace() {
        while let byte = self.current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            self.position += 1
        }
    }

    func unexpected() -> JSONError {
        guard let byte = self.current else {
            return JSONError("unexpected end of JSON input")
        }
        return JSONError("unexpected byte \(byte) at offset \(self.position)")
    }

    mutating func readValue(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= JSONValue.maximumDepth else {
            throw JSONError("nested deeper than \(JSONValue.maximumDepth)")
        }
        self.skipWhiteSpace()
        guard let byte = self.current else {
            throw self.unexpected()
        }
        switch byte {
        case UInt8(ascii: "{"):
            return try self.readObject(depth: depth)
        case UInt8(ascii: "["):
            return try self.readArray(depth: depth)
        case UInt8(ascii: "\""):
            return .string(try self.readString())
        case UInt8(ascii: "t"):
            try self.expect("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try self.expect("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try self.expect("null")
            return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .number(try self.readNumber())
        default:
            throw self.unexpected()
        }
    }

    mutating func expect(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard self.current == word.utf8Start[index] else {
                throw self.unexpected()
            }
            self.position += 1
        }
    }

    mutating func readObject(depth: Int) throws(JSONError) -> JSONValue {
        self.position += 1
        var members: [(key: String, value: JSONValue)] = []
        self.skipWhiteSpace()
        if self.current == UInt8(ascii: "}") {
            self.position += 1
            return .object(members)
        }
        while true {
            self.skipWhiteSpace()
            guard self.current == UInt8(ascii: "\"") else {
                throw self.unexpected()
            }
            let key = try self.readString()
            self.skipWhiteSpace()
            guard self.current == UInt8(ascii: ":") else {
                throw self.unexpected()
            }
            self.position += 1
            members.append((key, try self.readValue(depth: depth + 1)))
            self.skipWhiteSpace()
            switch self.current {
            case UInt8(ascii: ","):
                self.position += 1
            case UInt8(ascii: "}"):
                self.position += 1
                return .object(members)
            default:
                throw self.unexpected()
            }
        }
    }

    mutating func readArray(depth: Int) throws(JSONError) -> JSONValue {
        self.position += 1
        var elements: [JSONValue] = []
        self.skipWhiteSpace()
        if self.current == UInt8(ascii: "]") {
            self.position += 1
            return .array(elements)
        }
        while true {
            elements.append(try self.readValue(depth: depth + 1))
            self.skipWhiteSpace()
            switch self.current {
            case UInt8(ascii: ","):
                self.position += 1
            case UInt8(ascii: "]"):
                self.position += 1
                return .array(elements)
            default:
                throw self.unexpected()
            }
        }
    }

    mutating func readDigits() throws(JSONError) {
        guard let first = self.current, isDigit(first) else {
            throw self.unexpected()
        }
        while let byte = self.current, isDigit(byte) {
            self.position += 1
        }
    }

    mutating func readNumber() throws(JSONError) -> String {
        let start = self.position
        if self.current == UInt8(ascii: "-") {
            self.position += 1
        }
        if self.current == UInt8(ascii: "0") {
            self.position += 1
        } else {
            try self.readDigits()
        }
        if self.current == UInt8(ascii: ".") {
            self.position += 1
            try self.readDigits()
        }
        if self.current == UInt8(ascii: "e") || self.current == UInt8(ascii: "E") {
            self.position += 1
            if self.current == UInt8(ascii: "+") || self.current == UInt8(ascii: "-") {
                self.position += 1
            }
            try self.readDigits()
        }
        return String(decoding: UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.position]), as: UTF8.self)
    }

    mutating func readString() throws(JSONError) -> String {
        self.position += 1
        let start = self.position
        // Nearly every string of the protocol has no escape: find its end first and decode it in one go.
        while let byte = self.current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
            self.position += 1
        }
        if self.current == UInt8(ascii: "\"") {
            let text = UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.position])
            self.position += 1
            return String(decoding: text, as: UTF8.self)
        }
        var decoded = Array(self.bytes[start..<self.position])
        while let byte = self.current {
            self.position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return String(decoding: decoded, as: UTF8.self)
            case UInt8(ascii: "\\"):
                try self.readEscape(into: &decoded)
            case 0..<0x20:
                self.position -= 1
                throw self.unexpected()
            default:
                decoded.append(byte)
            }
        }
        throw self.unexpected()
    }

    mutating func readEscape(into decoded: inout [UInt8]) throws(JSONError) {
        guard let byte = self.current else {
            throw self.unexpected()
        }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            decoded.append(byte)
        case UInt8(ascii: "b"):
            decoded.append(0x08)
        case UInt8(ascii: "f"):
            decoded.append(0x0C)
        case UInt8(ascii: "n"):
            decoded.append(0x0A)
        case UInt8(ascii: "r"):
            decoded.append(0x0D)
        case UInt8(ascii: "t"):
            decoded.append(0x09)
        case UInt8(ascii: "u"):
            self.position += 1
            let scalar = try self.readUnicodeEscape()
            decoded.append(contentsOf: String(Character(scalar)).utf8)
            return
        default:
            throw self.unexpected()
        }
        self.position += 1
    }

    mutating func readUnicodeEscape() throws(JSONError) -> Unicode.Scalar {
        let first = try self.readFourHexDigits()
        if let scalar = Unicode.Scalar(first) {
            return scalar
        }
        // A high surrogate counts only with a low one right behind it; a lone surrogate reads as U+FFFD.
        guard (0xD800..<0xDC00).contains(first), self.position + 1 < self.bytes.count,
            self.bytes[self.position] == UInt8(ascii: "\\"), self.bytes[self.position + 1] == UInt8(ascii: "u")
        else {
            return "\u{FFFD}"
        }
        let mark = self.position
        self.position += 2
        let second = try self.readFourHexDigits()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else {
            self.position = mark
            return "\u{FFFD}"
        }
        return scalar
    }

    mutating func readFourHexDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = self.current, let digit = hexDigitValue(byte) else {
                throw self.unexpected()
            }
            value = value << 4 | UInt32(digit)
            self.position += 1
        }
        return value
    }
}

private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}

private func hexDigitValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
        byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"):
        byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"):
        byte - UInt8(ascii: "A") + 10
    default:
        nil
    }
}
