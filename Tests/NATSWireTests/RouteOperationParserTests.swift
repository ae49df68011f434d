import NATSTestSupport
import NATSWire
import Testing

private func parser(
    maxControlLine: Int = 4096,
    hasAccountField: Bool = true,
    hasOriginInNoInterest: Bool = false
) -> RouteOperationParser {
    RouteOperationParser(
        maxControlLine: maxControlLine,
        maxPayload: 1024,
        hasAccountField: hasAccountField,
        hasOriginInNoInterest: hasOriginInNoInterest
    )
}

private func parse(_ chunks: [[UInt8]], _ parser: RouteOperationParser = parser()) -> RouteTranscript {
    RouteTranscript.of(chunks, by: parser)
}

@Suite("Route operation parser")
struct RouteOperationParserTests {
    @Test("every accepted spelling yields its operation", arguments: RouteSamples.accepted.indices)
    func valid(index: Int) {
        let (input, operations) = RouteSamples.accepted[index]
        let result = parse([Array(input.utf8)])
        #expect(result.operations == operations && result.failure == nil, "\(result)")
    }

    @Test("every refused spelling yields its error", arguments: RouteSamples.refused.indices)
    func invalid(index: Int) {
        let (input, outcome) = RouteSamples.refused[index]
        let result = parse([Array(input.utf8)])
        #expect(result.operations.isEmpty && result.failure == outcome, "\(result)")
    }

    @Test("a split after any byte yields the same operations")
    func split() {
        let input = Array(RouteSamples.accepted.map(\.input).joined().utf8)
        let whole = parse([input])
        #expect(whole.operations == RouteSamples.accepted.flatMap(\.operations))
        for (head, tail) in ByteSlicer.everySplit(input) {
            #expect(parse([Array(head), Array(tail)]) == whole)
        }
        #expect(parse(input.map { [$0] }) == whole)
    }

    @Test("an error shows at the same operation however the input is split", arguments: RouteSamples.refused.indices)
    func splitErrors(index: Int) {
        let input = Array(("PING\r\n" + RouteSamples.refused[index].input).utf8)
        let whole = parse([input])
        #expect(whole.operations == ["ping"] && whole.failure == RouteSamples.refused[index].outcome)
        for (head, tail) in ByteSlicer.everySplit(input) {
            #expect(parse([Array(head), Array(tail)]) == whole)
        }
        #expect(parse(input.map { [$0] }) == whole)
    }

    @Test("a connection dedicated to an account has the same forms without the account")
    func dedicated() {
        let parser = parser(hasAccountField: false)
        for (input, operations) in RouteSamples.accepted
        where input.contains(" $G ") && !input.lowercased().hasPrefix("a") {
            let result = parse([Array(input.replacing("$G ", with: "").utf8)], parser)
            #expect(result.operations == operations.map { $0.replacing(" $G ", with: " ") }, "\(input)")
            #expect(result.failure == nil)
        }
        for input in ["RMSG 2\r\n", "HMSG a 2\r\n", "LMSG C a 2\r\n", "RS+ a b\r\n", "RS- a b c\r\n", "RS- \r\n"] {
            #expect(parse([Array(input.utf8)], parser).failure == .badArguments, "\(input)")
        }
        #expect(parse([Array("RMSG a x q 2\r\n".utf8)], parser).failure == .badReplyIndicator)
    }

    @Test("LS- names the origin if both sides said so")
    func originInNoInterest() {
        let parser = parser(hasOriginInNoInterest: true)
        let input = "LS- C2 $G foo\r\nLS- C2 $G foo q\r\nRS- $G foo\r\n"
        let expected = ["noOriginInterest C2 $G foo []", #"noOriginInterest C2 $G foo ["q"]"#, "noInterest $G foo []"]
        #expect(parse([Array(input.utf8)], parser).operations == expected)
        #expect(parse([Array("LS- $G foo\r\n".utf8)], parser).failure == .badArguments)
        #expect(parse([Array("LS- C2 $G foo q x\r\n".utf8)], parser).failure == .badArguments)
    }

    @Test("a control line may be as long as the limit, whole or split")
    func controlLineLimit() {
        for (length, isAllowed) in [(61, true), (62, false)] {
            let text = String(repeating: "a", count: length)
            // "$G a…" fills 64 bytes with the first length.
            for line in ["RS+ $G \(text)\r\n", "LS- $G \(text)\r\n", "RMSG $G \(text.dropLast(2)) 0\r\n\r\n"] {
                let input = Array(line.utf8)
                let expected: RouteOperationParser.Outcome? = isAllowed ? nil : .controlLineExceeded
                #expect(parse([input], parser(maxControlLine: 64)).failure == expected, "\(line)")
                #expect(parse(input.map { [$0] }, parser(maxControlLine: 64)).failure == expected, "\(line)")
            }
        }
    }

    @Test("by default a line may have 65,536 bytes, all of them queue groups if need be")
    func defaultControlLineLimit() {
        let parser = RouteOperationParser(maxPayload: 1024)
        for (groups, isAllowed) in [(32_764, true), (32_765, false)] {
            let argument = "$G a |" + String(repeating: " q", count: groups) + " 0"
            #expect((argument.utf8.count <= 65_536) == isAllowed)
            var operation = RouteOperation()
            let outcome = Array("RMSG \(argument)\r\n\r\n".utf8).withUnsafeBufferPointer { bytes in
                bytes.baseAddress.map { parser.next($0, from: 0, to: bytes.count, into: &operation) }
            }
            #expect(outcome == (isAllowed ? .operation : .controlLineExceeded))
            #expect(!isAllowed || operation.queueCount == groups)
        }
    }

    @Test(
        "a line that never ends is refused",
        arguments: [
            "RMSG ", "HMSG ", "LMSG ", "RS+ ", "RS- ", "LS+ ", "LS- ", "A+ ", "A- ", "SUB ", "UNSUB ", "PUB ", "HPUB ",
            "CONNECT {", "INFO {", "-ERR ",
        ]
    )
    func endlessLine(verb: String) {
        for filler in ["a", " ", "a "] {
            let input = Array((verb + String(repeating: filler, count: 10_000)).utf8)
            #expect(parse([input], parser(maxControlLine: 64)).failure == .controlLineExceeded)
            let pieces = ByteSlicer.pieces(input, of: 7).map { Array($0) }
            #expect(parse(pieces, parser(maxControlLine: 64)).failure == .controlLineExceeded)
        }
    }

    @Test("what follows PING is not kept")
    func endlessPing() {
        let input = Array(("PING" + String(repeating: "x", count: 100_000) + "\r\nPONG\r\n").utf8)
        let result = parse(ByteSlicer.pieces(input, of: 11).map { Array($0) })
        #expect(result.operations == ["ping", "pong"] && result.failure == nil)
    }

    @Test("the end of a message is known once its line is")
    func announcedEnd() {
        let line = Array("RMSG $G a 100\r\n".utf8)
        var operation = RouteOperation()
        let outcome = (line + [1, 2, 3]).withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { parser().next($0, from: 0, to: bytes.count, into: &operation) }
        }
        #expect(outcome == .incomplete && operation.frameEnd == line.count + 102)
    }

    @Test("random and mutated bytes never read past the end, and mean the same byte by byte", arguments: 0..<20)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed &+ 1)
        for round in 0..<1_000 {
            var input = round % 2 == 0 ? Self.randomWords(&generator) : Self.mutated(&generator)
            if input.isEmpty { input = [0] }
            var parser = parser(maxControlLine: 64)
            parser.hasAccountField = Bool.random(using: &generator)
            parser.hasOriginInNoInterest = Bool.random(using: &generator)
            Self.parseInExactBlock(input, parser)
            let whole = parse([input], parser)
            #expect(parse(input.map { [$0] }, parser) == whole, "\(input)")
        }
    }

    private static func randomWords(_ generator: inout SeededGenerator) -> [UInt8] {
        let words = [
            "RMSG ", "HMSG ", "LMSG ", "RS+ ", "RS- ", "LS+ ", "LS- ", "A+ ", "PUB ", "SUB ", "UNSUB ", "INFO ", "PING",
            "\r\n", "\n", "$G", "foo", " ", "12", "3", "0", "{}", "\t", "+OK", "\r", " + ", " | ", " q ",
        ]
        var input: [UInt8] = []
        for _ in 0..<Int.random(in: 1..<20, using: &generator) {
            if generator.chance(75) {
                input += Array(words.randomElement(using: &generator)?.utf8 ?? "".utf8)
            } else {
                input.append(UInt8.random(in: .min ... .max, using: &generator))
            }
        }
        return input
    }

    private static func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        let first = Int.random(in: 0..<RouteSamples.accepted.count, using: &generator)
        var input = Array(RouteSamples.accepted[first...].prefix(3).map(\.input).joined().utf8)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let index = Int.random(in: input.indices, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: input[index] = UInt8.random(in: .min ... .max, using: &generator)
            case 1 where input.count > 1: input.remove(at: index)
            default: input.insert(UInt8.random(in: 0...0x40, using: &generator), at: index)
            }
        }
        return input
    }

    /// A block of exactly the input's size: the address sanitizer sees any byte read beyond it.
    private static func parseInExactBlock(_ input: [UInt8], _ parser: RouteOperationParser) {
        let block = UnsafeMutablePointer<UInt8>.allocate(capacity: input.count)
        defer { block.deallocate() }
        block.initialize(from: input, count: input.count)
        var position = 0
        var operation = RouteOperation()
        while position < input.count,
            parser.next(block, from: position, to: input.count, into: &operation) == .operation
        {
            #expect(operation.frameEnd > position && operation.frameEnd <= input.count)
            if operation.isMessage {
                let frame = position..<operation.frameEnd
                for range in [
                    operation.origin, operation.account, operation.subject, operation.reply, operation.queues,
                    operation.headerSizeDigits, operation.sizeDigits,
                ] where !range.isEmpty {
                    #expect(range.clamped(to: frame) == range)
                }
                #expect(operation.queueGroups(in: block).reduce(0) { count, _ in count + 1 } == operation.queueCount)
                #expect(operation.tailStart == 0 || frame.contains(operation.tailStart))
            }
            position = operation.frameEnd
        }
    }
}
