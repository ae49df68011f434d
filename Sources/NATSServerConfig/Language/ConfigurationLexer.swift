import NATSText

/// Cuts the text of a configuration into items.
///
/// A table of small states, since what a character means depends on what came before: a value may begin with nearly
/// anything, and only its end tells a number from a string. Which state follows the end of a value is on a stack. The
/// official lexer (nats-server conf/lex.go) is followed in every byte that it accepts, in its positions, and in its
/// words for what it does not.
struct ConfigurationLexer {
    /// What a piece of text is.
    enum Kind: Sendable, Equatable {
        case key
        case string
        case bool
        case integer
        case float
        case date
        case variable
        case include
        case arrayStart
        case arrayEnd
        case mapStart
        case mapEnd
        case end
        case error
    }

    struct Item: Sendable {
        var kind: Kind
        /// The bytes; for an error its words.
        var text: [UInt8]
        var line: Int
        var column: Int
    }

    enum State: Sendable {
        // File level, and the one pair of braces that may enclose all.
        case top, topValueEnd, blockStart, blockValueEnd, blockEnd
        // Keys at file level and in maps.
        case keyStart, doubleQuotedKey, quotedKey, key, keyEnd
        case mapKeyStart, mapDoubleQuotedKey, mapQuotedKey, mapKey, mapKeyEnd, mapValue, mapValueEnd
        // include
        case includeStart, include, includeQuoted, includeDoubleQuoted, includeBare
        // Values.
        case value, arrayValue, arrayValueEnd
        case quotedString, doubleQuotedString, bareString, textBlock, stringEscape, stringHex
        case numberOrText, suffixedNumber, negativeNumberStart, negativeNumber, floatStart, float, address
        case comment
        case stopped
    }

    /// Maps and arrays may be nested this deep; the official server has no limit.
    static let depthLimit = 250

    let input: [UInt8]
    var start = 0
    var position = 0
    private var width = 0
    private var line = 1
    /// Where the line of ``position`` begins: the index of the line break before it.
    private var lineStart = 0
    /// The same for ``start``.
    private var itemLineStart = 0
    private var stack: [State] = []
    private var state: State = .top
    private var found: [Item] = []
    /// Finished parts of a string with escapes.
    var parts: [UInt8]?
    /// Where a string with escapes goes on.
    var stringState: State = .bareString

    init(_ input: [UInt8]) {
        self.input = input
    }

    /// The next item; after `.end` and `.error` there is no other.
    mutating func next() -> Item {
        while self.found.isEmpty {
            self.state = self.step(self.state)
        }
        return self.found.removeFirst()
    }

    private mutating func step(_ state: State) -> State {
        switch state {
        case .top: self.stepTop()
        case .topValueEnd: self.stepTopValueEnd()
        case .blockStart: self.stepBlockStart()
        case .blockValueEnd: self.stepBlockValueEnd()
        case .blockEnd: self.stepBlockEnd()
        case .keyStart: self.stepKeyStart()
        case .doubleQuotedKey: self.stepQuotedKey(.doubleQuote, again: .doubleQuotedKey)
        case .quotedKey: self.stepQuotedKey(.quote, again: .quotedKey)
        case .key: self.stepKey()
        case .keyEnd: self.stepKeyEnd()
        case .mapKeyStart: self.stepMapKeyStart()
        case .mapDoubleQuotedKey: self.stepMapQuotedKey(.doubleQuote, "double quoted", again: .mapDoubleQuotedKey)
        case .mapQuotedKey: self.stepMapQuotedKey(.quote, "quoted", again: .mapQuotedKey)
        case .mapKey: self.stepMapKey()
        case .mapKeyEnd: self.stepMapKeyEnd()
        case .mapValue: self.stepMapValue()
        case .mapValueEnd: self.stepMapValueEnd()
        case .includeStart: self.stepIncludeStart()
        case .include: self.stepInclude()
        case .includeQuoted: self.stepIncludeQuoted(.quote, "quoted", again: .includeQuoted)
        case .includeDoubleQuoted: self.stepIncludeQuoted(.doubleQuote, "double quoted", again: .includeDoubleQuoted)
        case .includeBare: self.stepIncludeBare()
        case .value: self.stepValue()
        case .arrayValue: self.stepArrayValue()
        case .arrayValueEnd: self.stepArrayValueEnd()
        case .quotedString: self.stepQuotedString()
        case .doubleQuotedString: self.stepDoubleQuotedString()
        case .bareString: self.stepBareString()
        case .textBlock: self.stepTextBlock()
        case .stringEscape: self.stepStringEscape()
        case .stringHex: self.stepStringHex()
        case .numberOrText: self.stepNumberOrText()
        case .suffixedNumber: self.stepSuffixedNumber()
        case .negativeNumberStart: self.stepNegativeNumberStart()
        case .negativeNumber: self.stepNegativeNumber()
        case .floatStart: self.stepFloatStart()
        case .float: self.stepFloat()
        case .address: self.stepAddress()
        case .comment: self.stepComment()
        case .stopped: self.fail("configuration ended")
        }
    }

    // MARK: Reading

    /// The next character; ``Unicode/Scalar/nul`` at the end, which a NUL in the text is therefore too.
    mutating func advance() -> Unicode.Scalar {
        guard self.position < self.input.count else {
            self.width = 0
            return .nul
        }
        if self.input[self.position] == UInt8(ascii: "\n") {
            self.line += 1
            self.lineStart = self.position
        }
        let (scalar, width) = UTF8Decoding.scalar(self.input, at: self.position)
        self.width = width
        self.position += width
        return scalar
    }

    /// Takes the last ``advance()`` back, but not what it noted about line starts: columns depend on that.
    mutating func retreat() {
        self.position = max(0, self.position - self.width)
        if self.position < self.input.count, self.input[self.position] == UInt8(ascii: "\n") {
            self.line -= 1
        }
    }

    mutating func peek() -> Unicode.Scalar {
        let scalar = self.advance()
        self.retreat()
        return scalar
    }

    /// Drops what was read since the last item.
    mutating func ignore() {
        self.start = self.position
        self.itemLineStart = self.lineStart
    }

    mutating func skip(to state: State) -> State {
        self.ignore()
        return state
    }

    /// What was read since the last item.
    var pending: ArraySlice<UInt8> { self.input[min(self.start, self.position)..<self.position] }

    // MARK: Results

    mutating func push(_ state: State) {
        self.stack.append(state)
    }

    mutating func pop() -> State {
        self.stack.popLast() ?? self.fail("BUG in lexer: no states to pop.")
    }

    /// Enters a map or an array.
    mutating func enter(_ kind: Kind, _ state: State) -> State {
        guard self.stack.count < Self.depthLimit else {
            return self.fail("Maps and arrays are nested deeper than \(Self.depthLimit) levels.")
        }
        self.ignore()
        self.emit(kind)
        return state
    }

    mutating func emit(_ kind: Kind) {
        let text = (self.parts ?? []) + self.pending
        self.parts = nil
        let column = self.position - self.itemLineStart - text.count
        self.found.append(Item(kind: kind, text: text, line: self.line, column: column))
        self.ignore()
    }

    mutating func fail(_ words: String) -> State {
        let column = self.position - self.lineStart
        self.found.append(Item(kind: .error, text: Array(words.utf8), line: self.line, column: column))
        return .stopped
    }

    /// The end of the text, which is an error when something was begun.
    mutating func endOrFail() -> State {
        if self.position > self.start {
            return self.fail("Unexpected EOF.")
        }
        self.emit(.end)
        return .stopped
    }

    /// Begins a comment when the second slash stands there; `resume` follows the comment.
    mutating func comment(afterSlash resume: State) -> State? {
        if self.advance() == .slash {
            return self.comment(then: resume)
        }
        self.retreat()
        return nil
    }

    mutating func comment(then resume: State) -> State {
        self.push(resume)
        self.ignore()
        return .comment
    }

    private mutating func stepComment() -> State {
        let scalar = self.peek()
        if scalar.isLineBreak || scalar == .nul {
            self.ignore()
            return self.pop()
        }
        _ = self.advance()
        return .comment
    }
}
