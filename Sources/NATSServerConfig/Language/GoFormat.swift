import NATSText

/// Values as the official server's messages print them.
enum GoFormat {
    /// `%T`.
    static func typeName(_ node: ConfigurationNode) -> String {
        switch node.value {
        case .string: "string"
        case .integer: "int64"
        case .float: "float64"
        case .bool: "bool"
        case .date: "time.Time"
        case .array: "[]interface {}"
        case .map: "map[string]interface {}"
        }
    }

    /// `%v`.
    ///
    /// For what is inside arrays and maps the official server prints addresses; this prints the values.
    static func value(_ node: ConfigurationNode) -> String {
        switch node.value {
        case .string(let text): return ConfigurationNode.text(text)
        case .integer(let number): return String(number)
        case .float(let number): return self.shortNumber(number)
        case .bool(let flag): return flag ? "true" : "false"
        case .date(let text):
            let date = ConfigurationNode.text(text)
            return "\(date.prefix(10)) \(date.dropFirst(11).dropLast()) +0000 UTC"
        case .array(let elements): return "[\(elements.map(self.value).joined(separator: " "))]"
        case .map(let map):
            let entries = map.entries.map { (ConfigurationNode.text($0.key), self.value($0.node)) }.sorted { $0 < $1 }
            return "map[\(entries.map { "\($0.0):\($0.1)" }.joined(separator: " "))]"
        }
    }

    /// `%s` or `%q` with a value that is no string: `%!s(int64=5)`.
    static func misused(_ verb: Character, _ node: ConfigurationNode) -> String {
        if case .string(let text) = node.value {
            return verb == "q" ? self.quoted(text) : ConfigurationNode.text(text)
        }
        if verb == "q", case .integer(let number) = node.value {
            return GoString.quotedCharacter(number)
        }
        return "%!\(verb)(\(self.typeName(node))=\(self.value(node)))"
    }

    /// Why a text is no integer, as Go's strconv says it.
    static func integerFailure(_ text: String, function: String) -> String {
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
        let reason = isNumber ? "value out of range" : "invalid syntax"
        return "strconv.\(function): parsing \(self.quoted(text)): \(reason)"
    }

    /// `%q` of a string.
    static func quoted(_ text: some StringProtocol) -> String { GoString.quoted(text) }

    /// `%q` of bytes, which need not be UTF-8.
    static func quoted(_ bytes: [UInt8]) -> String { GoString.quoted(bytes) }

    /// A float as Go's JSON encoder writes it.
    static func jsonNumber(_ number: Double) -> String {
        let magnitude = number.magnitude
        let isPlain = magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e21)
        return self.number(number, plain: isPlain, exponentDigits: 1)
    }

    /// `%v` of a float.
    static func shortNumber(_ number: Double) -> String {
        let magnitude = number.magnitude
        let isPlain = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e6)
        return self.number(number, plain: isPlain, exponentDigits: 2)
    }

    /// `%f`: six decimals.
    static func fixedNumber(_ number: Double) -> String {
        let magnitude = number.magnitude
        var whole = magnitude.rounded(.down)
        var micros = Int(((magnitude - whole) * 1e6).rounded(.toNearestOrEven))
        if micros == 1_000_000 { (whole, micros) = (whole + 1, 0) }
        let digits = UInt128(exactly: whole).map { String($0) } ?? self.number(whole, plain: true, exponentDigits: 2)
        let fraction = String(micros)
        return "\(number < 0 ? "-" : "")\(digits).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }

    private static func number(_ number: Double, plain: Bool, exponentDigits: Int) -> String {
        // Swift's description has the shortest digits that tell the number; only their layout differs.
        let description = String(describing: number.magnitude)
        let halves = description.split(separator: "e", maxSplits: 1)
        let mantissa = halves.first ?? "0"
        var exponent = halves.count > 1 ? Int(halves[1]) ?? 0 : 0
        let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        let whole = parts.first ?? "0"
        let fraction = parts.count > 1 && parts[1] != "0" ? parts[1] : ""
        var digits = String(whole + fraction)
        exponent += whole.count - 1
        let leading = digits.prefix { $0 == "0" }.count
        if leading > 0, leading < digits.count {
            digits.removeFirst(leading)
            exponent -= leading
        }
        while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
        let sign = number.sign == .minus ? "-" : ""
        if digits == "0" { return "\(sign)0" }
        if !plain {
            let rest = digits.dropFirst().isEmpty ? "" : ".\(digits.dropFirst())"
            var power = String(abs(exponent))
            while power.count < exponentDigits { power = "0\(power)" }
            return "\(sign)\(digits.prefix(1))\(rest)e\(exponent < 0 ? "-" : "+")\(power)"
        }
        if exponent < 0 { return "\(sign)0.\(String(repeating: "0", count: -exponent - 1))\(digits)" }
        if digits.count <= exponent + 1 {
            return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count)
        }
        return "\(sign)\(digits.prefix(exponent + 1)).\(digits.dropFirst(exponent + 1))"
    }
}
