import NATSText

/// Parses arguments as Go's `flag` package does, texts of its errors included.
///
/// `-x` and `--x` are the same, a value follows `=` or stands in the next argument, a boolean takes a value only after
/// `=`, and parsing stops at the first operand or at `--`.
struct FlagParser {
    enum Value: Equatable, Sendable {
        case boolean(Bool)
        case integer(Int)
        case string(String)
    }

    /// A flag as given: the same flag may be given more than once.
    struct Given: Sendable {
        let flag: Flag
        /// The spelling that was used.
        let name: String
        let value: Value
    }

    struct Result: Sendable {
        var given: [Given] = []
        var operands: [String] = []
    }

    struct Failure: Error, Equatable {
        let message: String
    }

    private static let dash = UInt8(ascii: "-")
    private static let equals = UInt8(ascii: "=")

    private let flagsByName: [String: Flag]

    init(_ flags: [Flag]) {
        var flagsByName: [String: Flag] = [:]
        for flag in flags {
            for name in flag.names {
                flagsByName[name] = flag
            }
        }
        self.flagsByName = flagsByName
    }

    func parse(_ arguments: [String]) throws(Failure) -> Result {
        var result = Result()
        var rest = arguments[...]
        while let argument = rest.first, argument.utf8.first == Self.dash, argument.utf8.count > 1 {
            rest.removeFirst()
            if argument == "--" {
                break
            }
            // Bytes, not characters: a combining mark after the dash is part of the name.
            var body = argument.utf8.dropFirst()
            if body.first == Self.dash {
                body.removeFirst()
            }
            guard let first = body.first, first != Self.dash, first != Self.equals else {
                throw Failure(message: "bad flag syntax: \(argument)")
            }
            let parts = body.split(separator: Self.equals, maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(Substring(parts[0]))
            var text = parts.count > 1 ? String(Substring(parts[1])) : nil
            guard let flag = self.flagsByName[name] else {
                throw Failure(message: "flag provided but not defined: -\(name)")
            }
            if text == nil, flag.kind != .boolean {
                text = rest.popFirst()
            }
            let value = try self.value(text, of: flag.kind, name: name)
            result.given.append(Given(flag: flag, name: name, value: value))
        }
        result.operands = Array(rest)
        return result
    }

    private func value(_ text: String?, of kind: Flag.Kind, name: String) throws(Failure) -> Value {
        guard let text else {
            guard kind == .boolean else {
                throw Failure(message: "flag needs an argument: -\(name)")
            }
            return .boolean(true)
        }
        switch kind {
        case .boolean:
            guard let value = GoSyntax.boolean(text) else {
                throw Failure(message: "invalid boolean value \(GoString.quoted(text)) for -\(name): parse error")
            }
            return .boolean(value)
        case .integer:
            switch GoSyntax.integer(text) {
            case .value(let value):
                return .integer(value)
            case .outOfRange:
                throw Failure(message: "invalid value \(GoString.quoted(text)) for flag -\(name): value out of range")
            case .malformed:
                throw Failure(message: "invalid value \(GoString.quoted(text)) for flag -\(name): parse error")
            }
        case .string:
            return .string(text)
        }
    }
}
