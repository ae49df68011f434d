/// Turns the accepted spellings of flags into the one that the argument parser understands.
///
/// - `-name v`, `-name=v`, `--name v` and `--name=v` are equal for every flag, single letters included (Go's `flag`).
/// - Boolean flags also take `-b=false` and `--no-b`, and their letters may be bundled (`-rt`).
/// - Before the first operand every token with a leading dash, except `-`, is a flag. After it a token is a flag only
///   if its name is exactly one of the tool's, so that a message may be `-5`.
/// - `--` ends the flags.
package struct ArgumentCanonicalizer: Sendable {
    private let flags: [CommandFlag]
    /// `POSIXLY_CORRECT`: flags end at the first operand, as in Go's `flag`.
    private let stopsAtFirstOperand: Bool

    package init(flags: [CommandFlag], stopsAtFirstOperand: Bool = false) {
        self.flags = flags
        self.stopsAtFirstOperand = stopsAtFirstOperand
    }

    /// The flag of that name.
    private func index(of name: String) -> Int? {
        self.flags.firstIndex { $0.names.contains(name) }
    }

    /// What the command line says of each flag, in the order in which they are first named.
    ///
    /// No dictionary: its first use costs the start of a program a search among all conformances (decision 0013).
    private struct Given {
        var index: Int
        var isSet = false
        var values: [String] = []
    }

    /// The entry for `flag` in `given`, made if need be.
    private static func entry(of flag: Int, in given: inout [Given]) -> Int {
        if let entry = given.firstIndex(where: { $0.index == flag }) { return entry }
        given.append(Given(index: flag))
        return given.count - 1
    }

    /// A flag that is given, by its first name.
    package struct Flag: Sendable, Equatable {
        package var name: String
        package var value: String?
        /// The value is a token of its own.
        var isDetached = false

        /// The tokens for the argument parser.
        var arguments: [String] {
            let spelling = CommandFlag.spelling(of: self.name)
            guard let value = self.value else { return [spelling] }
            return self.isDetached ? [spelling, value] : ["\(spelling)=\(value)"]
        }
    }

    /// The flags that are given, and the operands.
    package struct Result: Sendable, Equatable {
        package var flags: [Flag] = []
        package var operands: [String] = []

        /// The tokens for the argument parser.
        package var arguments: [String] {
            self.flags.flatMap(\.arguments) + ["--"] + self.operands
        }
    }

    package func canonicalize(_ arguments: [String]) throws(UsageError) -> Result {
        var result = Result()
        // The last occurrence of a flag counts, so values are collected first.
        var given: [Given] = []

        var index = arguments.startIndex
        while index < arguments.endIndex {
            let token = arguments[index]
            index += 1
            if token == "--" {
                result.operands.append(contentsOf: arguments[index...])
                break
            }
            guard token.utf8.first == UInt8(ascii: "-"), token != "-" else {
                result.operands.append(token)
                if self.stopsAtFirstOperand {
                    result.operands.append(contentsOf: arguments[index...])
                    break
                }
                continue
            }

            let parsed = ParsedToken(token)
            guard result.operands.isEmpty else {
                // Only an exact name is a flag here.
                guard let parsed, let flag = self.index(of: parsed.name) else {
                    result.operands.append(token)
                    continue
                }
                try self.take(flag, parsed, arguments, &index, &given)
                continue
            }
            guard let parsed else { throw UsageError("bad flag syntax: \(token)") }
            if let flag = self.index(of: parsed.name) {
                try self.take(flag, parsed, arguments, &index, &given)
            } else if let flag = self.negated(parsed) {
                try self.requireSupport(self.flags[flag], as: parsed)
                given[Self.entry(of: flag, in: &given)].isSet = false
            } else if let bundle = self.bundle(parsed) {
                for flag in bundle { given[Self.entry(of: flag, in: &given)].isSet = true }
            } else {
                throw UsageError("flag provided but not defined: \(parsed.spelling)")
            }
        }

        for entry in given {
            guard let name = self.flags[entry.index].names.first else { continue }
            switch self.flags[entry.index].kind {
            case .boolean:
                if entry.isSet { result.flags.append(Flag(name: name)) }
            case .builtIn:
                result.flags.append(Flag(name: name))
            case .value, .optionalValue:
                if let value = entry.values.last { result.flags.append(Flag(name: name, value: value)) }
            case .repeatedValue:
                result.flags += entry.values.map { Flag(name: name, value: $0) }
            case .builtInValue:
                if let value = entry.values.last {
                    result.flags.append(Flag(name: name, value: value, isDetached: true))
                }
            }
        }
        return result
    }

    /// A token with leading dash, cut at the first `=`.
    private struct ParsedToken {
        var name: String
        var value: String?
        var dashes: Int

        /// Nil if no name can be read: `--=x`, `---x`.
        init?(_ token: String) {
            let bytes = token.utf8
            self.dashes = bytes.starts(with: "--".utf8) ? 2 : 1
            let body = bytes.dropFirst(self.dashes)
            let nameBytes = body.prefix { $0 != UInt8(ascii: "=") }
            guard let first = nameBytes.first, first != UInt8(ascii: "-"), let name = String(nameBytes) else {
                return nil
            }
            self.name = name
            if nameBytes.endIndex < body.endIndex {
                self.value = String(Substring(body[body.index(after: nameBytes.endIndex)...]))
            }
        }

        /// As typed, without value: for messages, which must not show a password.
        var spelling: String {
            String(repeating: "-", count: self.dashes) + self.name
        }
    }

    private func requireSupport(_ flag: CommandFlag, as token: ParsedToken) throws(UsageError) {
        guard flag.isSupported else { throw UsageError("flag not supported yet: \(token.spelling)") }
    }

    private func take(
        _ flag: Int,
        _ token: ParsedToken,
        _ arguments: [String],
        _ index: inout Int,
        _ given: inout [Given]
    ) throws(UsageError) {
        try self.requireSupport(self.flags[flag], as: token)
        let entry = Self.entry(of: flag, in: &given)
        switch self.flags[flag].kind {
        case .boolean:
            guard let text = token.value else {
                given[entry].isSet = true
                return
            }
            guard let value = Self.boolean(text) else {
                throw UsageError("invalid boolean value \"\(text)\" for \(token.spelling)")
            }
            given[entry].isSet = value
        case .builtIn:
            guard token.value == nil else { throw UsageError("flag takes no value: \(token.spelling)") }
        case .optionalValue(let standard):
            given[entry].values.append(token.value ?? standard)
        case .value, .repeatedValue, .builtInValue:
            if let value = token.value {
                given[entry].values.append(value)
            } else if index < arguments.endIndex {
                // As Go's flag: the next token is the value whatever it looks like.
                given[entry].values.append(arguments[index])
                index += 1
            } else {
                throw UsageError("flag needs an argument: \(token.spelling)")
            }
        }
    }

    /// `--no-b` of a boolean flag `b`.
    private func negated(_ token: ParsedToken) -> Int? {
        guard token.value == nil, token.name.hasPrefix("no-") else { return nil }
        guard let flag = self.index(of: String(token.name.dropFirst(3))) else { return nil }
        return self.flags[flag].kind == .boolean ? flag : nil
    }

    /// `-rt`: letters of boolean flags only.
    private func bundle(_ token: ParsedToken) -> [Int]? {
        guard token.dashes == 1, token.value == nil else { return nil }
        var flags: [Int] = []
        for letter in token.name {
            guard let flag = self.index(of: String(letter)), self.flags[flag].kind == .boolean,
                self.flags[flag].isSupported
            else { return nil }
            flags.append(flag)
        }
        return flags
    }

    /// The spellings of Go's `strconv.ParseBool`.
    private static func boolean(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }
}
