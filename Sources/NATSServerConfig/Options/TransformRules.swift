/// Whether one subject can be mapped to another: wildcards of the source, functions of the destination.
///
/// (nats-server subject_transform.go NewSubjectTransform, sublist.go ValidateMapping.)
package enum TransformRules {
    private static let invalid = "invalid mapping destination"

    private struct Failure: Error {
        let words: String

        init(_ words: String, _ token: some StringProtocol) {
            self.words = token.isEmpty ? words : "\(words) in \(token)"
        }
    }

    /// Functions, with capitals where both cases are accepted.
    private static let functions = [
        "Wildcard", "Partition", "SplitFromLeft", "SplitFromRight", "SliceFromLeft", "SliceFromRight", "Right", "Left",
        "Split", "Random",
    ]

    /// What is wrong with a mapping from `source` to `destination`.
    package static func mappingFailure(_ source: String, _ destination: String) -> String? {
        if destination.isEmpty { return nil }
        var seenFullWildcard = false
        for token in SubjectText.tokens(destination) {
            if token.isEmpty || seenFullWildcard {
                return Failure("\(self.invalid): invalid transform", token).words
            }
            if self.isFunction(token) {
                if self.call(token) == nil {
                    return Failure("\(self.invalid): unknown function", token).words
                }
                continue
            }
            if token == ">" {
                seenFullWildcard = true
            } else if token.unicodeScalars.contains(where: { " \t\n\u{0C}\r".unicodeScalars.contains($0) }) {
                return "\(self.invalid): invalid transform"
            }
        }
        return self.failure(source, destination)
    }

    /// What is wrong with a transform; a strict one must be reversible, as for imports.
    package static func failure(_ source: String, _ destination: String, isStrict: Bool = false) -> String? {
        if destination.isEmpty { return nil }
        let source = source.isEmpty ? ">" : source
        guard let from = self.info(source), let to = self.info(destination), to.wildcards == 0,
            from.hasFullWildcard == to.hasFullWildcard
        else {
            return "invalid subject"
        }
        do throws(Failure) {
            if from.wildcards > 0 || from.hasFullWildcard {
                try self.check(to.tokens, wildcards: from.wildcards, destination, isStrict: isStrict)
            } else {
                for token in to.tokens {
                    switch try self.parse(token) {
                    case .literal, .random, .partition: break
                    default:
                        throw Failure("\(self.invalid): wildcard index out of range", token)
                    }
                }
            }
            return nil
        } catch {
            return error.words
        }
    }

    private static func check(
        _ tokens: [Substring],
        wildcards: Int,
        _ destination: String,
        isStrict: Bool
    ) throws(Failure) {
        var used = 0
        for token in tokens {
            let function = try self.parse(token)
            let indexes = function.wildcards
            switch function {
            case .literal, .wildcard: break
            default:
                if isStrict {
                    throw Failure(
                        "\(self.invalid): the only mapping function allowed for import transforms is {{Wildcard()}}",
                        token
                    )
                }
            }
            used += indexes.count
            if let index = indexes.first(where: { $0 > wildcards }) {
                throw Failure("\(self.invalid): wildcard index out of range", "\(token): [\(index)]")
            }
        }
        if isStrict, used < wildcards {
            throw Failure("\(self.invalid): not using all of the token wildcard(s)", destination)
        }
    }

    private static func info(_ subject: String) -> (tokens: [Substring], wildcards: Int, hasFullWildcard: Bool)? {
        guard !subject.isEmpty else { return nil }
        let tokens = SubjectText.tokens(subject)
        for (index, token) in tokens.enumerated() {
            if token.isEmpty || token == ">" && index != tokens.count - 1 { return nil }
        }
        return (tokens, tokens.count { $0 == "*" }, tokens.last == ">")
    }

    private static func isFunction(_ token: Substring) -> Bool {
        token.utf8.count > 4 && token.hasPrefix("{{") && token.hasSuffix("}}")
    }

    /// Name and arguments of `{{Name(a, b)}}`; `nil` when it is none that is known.
    private static func call(_ token: Substring) -> (name: String, arguments: [String])? {
        // Go's regular expressions: their white space is ASCII, and what stands between the parentheses is one line.
        let inner = self.trimmed(Substring(token.utf8.dropFirst(2).dropLast(2)))
        guard let open = inner.utf8.firstIndex(of: UInt8(ascii: "(")), inner.utf8.last == UInt8(ascii: ")"),
            !inner[open...].utf8.contains(UInt8(ascii: "\n"))
        else { return nil }
        let written = self.trimmed(inner[..<open])
        let name = self.functions.first { function in
            function.count == written.count
                && zip(function, written).allSatisfy {
                    $0 == $1 || $0.isUppercase && $0.lowercased() == String($1)
                }
        }
        guard let name else { return nil }
        let content = inner.utf8[open...].dropFirst().dropLast()
        let parts = content.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        let arguments = parts.enumerated().map { item in
            String(Substring(item.offset == 0 ? item.element : item.element.drop(while: self.isSpace)))
        }
        return (name, arguments)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0c: true
        default: false
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var bytes = text.utf8.drop(while: self.isSpace)
        while let last = bytes.last, self.isSpace(last) { bytes.removeLast() }
        return Substring(bytes)
    }

    private static func number(_ text: String) -> Int? {
        Int(text.split(separator: " ").joined(separator: " "))
    }

    /// What a token asks for; `nil` if it is wrong.
    package static func function(_ token: some StringProtocol) -> TransformFunction? {
        try? self.parse(Substring(token))
    }

    private static func parse(_ token: Substring) throws(Failure) -> TransformFunction {
        guard token.utf8.count > 1 else { return .literal }
        if token.first == "$" {
            return Int(token.dropFirst()).map { .wildcard($0) } ?? .literal
        }
        guard self.isFunction(token) else { return .literal }
        guard let (name, arguments) = self.call(token) else {
            throw Failure("\(self.invalid): unknown function", token)
        }
        let badArgument = Failure("\(self.invalid): function argument is invalid or in the wrong format", token)
        let tooFew = Failure("\(self.invalid): not enough arguments passed to the function", token)
        let tooMany = Failure("\(self.invalid): too many arguments passed to the function", token)
        switch name {
        case "Wildcard":
            if arguments == [""] { throw tooFew }
            if arguments.count > 1 { throw tooMany }
            guard let index = self.number(arguments[0]) else { throw badArgument }
            return .wildcard(index)
        case "Partition":
            let numbers = arguments.compactMap(self.number)
            guard numbers.count == arguments.count, let count = numbers.first, count <= Int(Int32.max) else {
                throw badArgument
            }
            return .partition(count: count, wildcards: Array(numbers.dropFirst()))
        case "Random":
            if arguments.count != 1 { throw tooFew }
            guard let limit = self.number(arguments[0]), limit <= Int(Int32.max) else { throw badArgument }
            return .random(limit)
        default:
            if arguments.count < 2 { throw tooFew }
            if arguments.count > 2 { throw tooMany }
            guard let index = self.number(arguments[0]) else { throw badArgument }
            if name == "Split" {
                // Only a blank: of other white space the official server says nothing here.
                if arguments[1].utf8.contains(UInt8(ascii: " ")) || arguments[1].utf8.contains(UInt8(ascii: ".")) {
                    throw badArgument
                }
                return .split(wildcard: index, separator: arguments[1])
            }
            guard let size = self.number(arguments[1]), Int32(exactly: size) != nil else { throw badArgument }
            switch name {
            case "SplitFromLeft": return .splitFromLeft(wildcard: index, position: size)
            case "SplitFromRight": return .splitFromRight(wildcard: index, position: size)
            case "SliceFromLeft": return .sliceFromLeft(wildcard: index, size: size)
            case "SliceFromRight": return .sliceFromRight(wildcard: index, size: size)
            case "Left": return .left(wildcard: index, size: size)
            default: return .right(wildcard: index, size: size)
            }
        }
    }

    // MARK: Placeholders

    /// Placeholders for wildcards: `foo.*.*` becomes `foo.$1.$2`.
    package static func tokenized(_ subject: String) -> String {
        var count = 0
        let tokens = SubjectText.tokens(subject).map { token in
            guard token == "*" else { return String(token) }
            count += 1
            return "$\(count)"
        }
        return tokens.joined(separator: ".")
    }

    /// Wildcards for placeholders: `foo.$2.{{wildcard(1)}}` becomes `foo.*.*`.
    package static func untokenized(_ subject: String) -> String {
        let tokens = SubjectText.tokens(subject).map { token in
            if token.utf8.count > 1, token.first == "$", let digit = token.dropFirst().first,
                ("1"..."9").contains(digit)
            {
                return "*"
            }
            if self.isFunction(token), let (name, arguments) = self.call(token), name == "Wildcard",
                arguments.count == 1, arguments != [""]
            {
                return "*"
            }
            return String(token)
        }
        return tokens.joined(separator: ".")
    }
}
