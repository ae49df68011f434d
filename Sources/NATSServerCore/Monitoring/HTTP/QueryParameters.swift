import NATSText

/// The parameters of a URL, read as Go's `net/url` and `strconv` do it.
struct QueryParameters: Sendable {
    /// A value that cannot be used; the text is the answer's body.
    struct Failure: Error, Equatable {
        let text: String
    }

    /// The first value of each name; bytes, since a URL can hold any.
    private var values: [String: [UInt8]] = [:]

    init(_ query: some Collection<UInt8>) {
        for part in query.split(separator: UInt8(ascii: "&")) {
            // url.go parseQuery: a semicolon or a bad escape spoils its parameter, not the others.
            guard !part.contains(UInt8(ascii: ";")) else { continue }
            let end = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            let text = end < part.endIndex ? part[part.index(after: end)...] : part[part.endIndex...]
            guard let name = PercentEncoding.decode(part[..<end], plusIsBlank: true),
                let value = PercentEncoding.decode(text, plusIsBlank: true)
            else { continue }
            let key = String(decoding: name, as: UTF8.self)
            if self.values[key] == nil { self.values[key] = value }
        }
    }

    /// The value, empty if there is none.
    func string(_ name: String) -> String { String(decoding: self.bytes(name), as: UTF8.self) }

    private func bytes(_ name: String) -> [UInt8] { self.values[name] ?? [] }

    /// An empty value is false.
    func bool(_ name: String) throws(Failure) -> Bool {
        switch self.string(name) {
        case "", "0", "f", "F", "false", "FALSE", "False": return false
        case "1", "t", "T", "true", "TRUE", "True": return true
        default: throw self.failure(name, "boolean", "ParseBool", "invalid syntax")
        }
    }

    /// An empty value is 0.
    func int(_ name: String) throws(Failure) -> Int {
        let bytes = self.bytes(name)
        guard !bytes.isEmpty else { return 0 }
        let isSigned = bytes[0] == UInt8(ascii: "-") || bytes[0] == UInt8(ascii: "+")
        let digits = bytes.dropFirst(isSigned ? 1 : 0)
        guard Self.areDigits(digits) else { throw self.failure(name, "int", "Atoi", "invalid syntax") }
        guard let value = Int(String(decoding: bytes, as: UTF8.self)) else {
            throw self.failure(name, "int", "Atoi", "value out of range")
        }
        return value
    }

    /// An empty value is 0.
    func uint64(_ name: String) throws(Failure) -> UInt64 {
        let bytes = self.bytes(name)
        guard !bytes.isEmpty else { return 0 }
        guard Self.areDigits(bytes[...]) else { throw self.failure(name, "uint64", "ParseUint", "invalid syntax") }
        guard let value = UInt64(String(decoding: bytes, as: UTF8.self)) else {
            throw self.failure(name, "uint64", "ParseUint", "value out of range")
        }
        return value
    }

    private static func areDigits(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }

    private func failure(_ name: String, _ type: String, _ function: String, _ cause: String) -> Failure {
        let quoted = GoString.quoted(self.bytes(name))
        return Failure(text: "Error decoding \(type) for '\(name)': strconv.\(function): parsing \(quoted): \(cause)")
    }
}

/// `%41` and the like.
enum PercentEncoding {
    /// - Returns: `nil` if there is a `%` without two hexadecimal digits.
    static func decode(_ bytes: some Collection<UInt8>, plusIsBlank: Bool = false) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index = bytes.index(after: index)
            if byte == UInt8(ascii: "+"), plusIsBlank {
                result.append(0x20)
            } else if byte == UInt8(ascii: "%") {
                let digits = bytes[index...].prefix(2)
                guard digits.count == 2 else { return nil }
                var value: UInt8 = 0
                for digit in digits {
                    guard let number = self.hexadecimal(digit) else { return nil }
                    value = value << 4 | number
                }
                result.append(value)
                index = bytes.index(index, offsetBy: 2)
            } else {
                result.append(byte)
            }
        }
        return result
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
