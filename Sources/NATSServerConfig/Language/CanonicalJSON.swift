import NATSText

/// The form of a configuration whose SHA-256 is its digest: what Go's JSON encoder writes for the tree.
///
/// Keys in the order of their bytes and as written, `<`, `>` and `&` escaped, a line break at the end.
enum CanonicalJSON {
    static func bytes(of map: ConfigurationMap) -> [UInt8] {
        var output: [UInt8] = []
        self.write(map, to: &output)
        output.append(UInt8(ascii: "\n"))
        return output
    }

    private static func write(_ map: ConfigurationMap, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "{"))
        let entries = map.entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for (index, entry) in entries.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            self.write(entry.key, to: &output)
            output.append(UInt8(ascii: ":"))
            self.write(entry.node, to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    private static func write(_ node: ConfigurationNode, to output: inout [UInt8]) {
        switch node.value {
        case .string(let text), .date(let text):
            self.write(text, to: &output)
        case .integer(let number):
            output.append(contentsOf: String(number).utf8)
        case .float(let number):
            output.append(contentsOf: GoFormat.jsonNumber(number).utf8)
        case .bool(let flag):
            output.append(contentsOf: (flag ? "true" : "false").utf8)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                self.write(element, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .map(let map):
            self.write(map, to: &output)
        }
    }

    private static func write(_ text: [UInt8], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var index = 0
        while index < text.count {
            let (scalar, width) = UTF8Decoding.scalar(text, at: index)
            defer { index += width }
            switch scalar {
            case "\"": output.append(contentsOf: "\\\"".utf8)
            case "\\": output.append(contentsOf: "\\\\".utf8)
            case "\n": output.append(contentsOf: "\\n".utf8)
            case "\r": output.append(contentsOf: "\\r".utf8)
            case "\t": output.append(contentsOf: "\\t".utf8)
            case "\u{08}": output.append(contentsOf: "\\b".utf8)
            case "\u{0C}": output.append(contentsOf: "\\f".utf8)
            case _ where scalar.value < 0x20, "<", ">", "&", "\u{2028}", "\u{2029}":
                self.writeEscape(scalar.value, to: &output)
            default:
                // What is not UTF-8 is written as the replacement character.
                output.append(contentsOf: String(scalar).utf8)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func writeEscape(_ value: UInt32, to output: inout [UInt8]) {
        let digits = String(value, radix: 16)
        output.append(contentsOf: "\\u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)".utf8)
    }
}
