import NATSTestSupport
import NATSWire
import Testing

/// What a parser made of some input, as text, so that tests can compare it.
private struct ParsedInput: Equatable, CustomStringConvertible {
    var operations: [String] = []
    var outcome: ClientOperationParser.Outcome?

    var description: String { "\(self.operations) \(self.outcome.map { "\($0)" } ?? "-")" }
}

/// Feeds a parser as a connection does: in place, and what a chunk cut off is kept for the next one.
private func parse(
    _ chunks: [[UInt8]],
    headers: Bool = true,
    maxControlLine: Int = 4096,
    maxPayload: Int = 1024
) -> ParsedInput {
    let parser = ClientOperationParser(
        maxControlLine: maxControlLine,
        maxPayload: maxPayload,
        headersEnabled: headers
    )
    var result = ParsedInput()
    var kept: [UInt8] = []
    for chunk in chunks {
        kept += chunk
        var position = 0
        loop: while position < kept.count {
            var operation = ClientOperation()
            let outcome = kept.withUnsafeBufferPointer { bytes -> ClientOperationParser.Outcome in
                guard let base = bytes.baseAddress else { return .incomplete }
                let outcome = parser.next(base, from: position, to: bytes.count, into: &operation)
                if outcome == .operation { result.operations.append(describe(base, operation)) }
                return outcome
            }
            switch outcome {
            case .operation:
                position = operation.frameEnd
            case .incomplete:
                break loop
            case .incompleteIgnored:
                kept.removeSubrange(operation.payloadStart...)
                break loop
            default:
                result.outcome = outcome
                return result
            }
        }
        kept.removeSubrange(..<position)
    }
    return result
}

private func describe(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) -> String {
    func text(_ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(start: base + range.lowerBound, count: range.count), as: UTF8.self)
    }
    switch operation.kind {
    case .publish, .headerPublish:
        let payload = operation.payloadStart..<operation.payloadStart + operation.size
        let tail = operation.isCanonical ? text(operation.tailStart..<operation.frameEnd) : "respelled"
        return "\(operation.kind) \(text(operation.subject)) [\(text(operation.reply))] \(operation.headerSize) "
            + "\(operation.size) \(text(payload)) <\(tail)>"
    case .subscribe:
        return "subscribe \(text(operation.subject)) [\(text(operation.queue))] \(text(operation.sid))"
    case .unsubscribe:
        return "unsubscribe \(text(operation.sid)) \(ClientOperationParser.unsubscribeMax(base, operation))"
    case .connect, .info, .error:
        return "\(operation.kind) \(text(operation.argumentStart..<operation.argumentEnd))"
    case .ping, .pong, .ok:
        return "\(operation.kind)"
    }
}

private let validInput: [(input: String, operations: [String])] = [
    ("PUB foo 5\r\nhello\r\n", ["publish foo [] 0 5 hello <5\r\nhello\r\n>"]),
    ("PUB foo rep 5\r\nhello\r\n", ["publish foo [rep] 0 5 hello <rep 5\r\nhello\r\n>"]),
    ("pub foo 0\r\n\r\n", ["publish foo [] 0 0  <0\r\n\r\n>"]),
    ("PUB a 2\nhi\r\n", ["publish a [] 0 2 hi <respelled>"]),
    ("PUB\tfoo\t\trep\t2\r\nhi\r\n", ["publish foo [rep] 0 2 hi <respelled>"]),
    ("PUB  foo 2 \r\nhi\r\n", ["publish foo [] 0 2 hi <respelled>"]),
    ("PUB foo 0002\r\nhi\r\n", ["publish foo [] 0 2 hi <0002\r\nhi\r\n>"]),
    ("PUB fo\ro 2\r\nhi\r\n", ["publish fo\ro [] 0 2 hi <2\r\nhi\r\n>"]),
    ("HPUB foo 4 6\r\nabcdhi\r\n", ["headerPublish foo [] 4 6 abcdhi <4 6\r\nabcdhi\r\n>"]),
    ("hpub foo rep 0 2\r\nhi\r\n", ["headerPublish foo [rep] 0 2 hi <rep 0 2\r\nhi\r\n>"]),
    ("SUB foo 1\r\n", ["subscribe foo [] 1"]),
    ("SUB  foo\t q \t 1 \r\n", ["subscribe foo [q] 1"]),
    ("SUB fo\ro 12\r\n", ["subscribe fo [o] 12"]),
    ("sUb foo abc.*\n", ["subscribe foo [] abc.*"]),
    ("UNSUB 1\r\n", ["unsubscribe 1 -1"]),
    ("UNSUB 1 22\r\n", ["unsubscribe 1 22"]),
    ("UNSUB 1 x\r\n", ["unsubscribe 1 -1"]),
    ("PING\r\npInG\nPINGxyz\r\nPING extra\r\n", ["ping", "ping", "ping", "ping"]),
    ("PONG\r\n+OK\r\n+ok whatever\r\n", ["pong", "ok", "ok"]),
    ("CONNECT {}\r\nCONNECT{\"a\":1}\r\n", ["connect {}", "connect {\"a\":1}"]),
    ("INFO {}\r\n-ERR 'boo'\r\n", ["info {}", "error 'boo'"]),
    ("CONNECT\r\n", ["connect \r"]),
]

private let invalidInput: [(input: String, outcome: ClientOperationParser.Outcome)] = [
    ("\r\n", .unknownOperation), ("\n", .unknownOperation), ("  PING\r\n", .unknownOperation),
    ("FOO\r\n", .unknownOperation), ("MSG foo 1 2\r\n", .unknownOperation), ("SUB\r\n", .unknownOperation),
    ("PUB\r\n", .unknownOperation), ("PUBx", .unknownOperation), ("X", .unknownOperation),
    ("RS+ a b\r\n", .unknownOperation),
    ("PUB foo 2\r\nhello\r\n", .unknownOperation), ("PUB foo 2\r\nhi\n", .unknownOperation),
    ("PUB foo 2\r\nhi\rx", .unknownOperation), ("-ERR\r\n", .unknownOperation),
    ("PUB foo\r\n", .badArguments), ("PUB a b c 2\r\n", .badArguments), ("PUB \r\n", .badArguments),
    ("SUB foo\r\n", .badArguments), ("SUB \r\n", .badArguments), ("SUB foo a b c\r\n", .badArguments),
    ("UNSUB 1 2 3\r\n", .badArguments), ("HPUB foo 2\r\n", .badArguments), ("HPUB a b c 1 2\r\n", .badArguments),
    ("PUB foo -1\r\n", .badSize), ("PUB foo abc\r\n", .badSize), ("PUB foo +2\r\n", .badSize),
    ("PUB foo 1234567890\r\n", .badSize), ("HPUB foo 3 2\r\n", .badSize), ("HPUB foo x 2\r\n", .badSize),
    ("PUB foo 1025\r\n", .payloadExceeded), ("PUB foo 999999999\r\n", .payloadExceeded),
]

@Suite("Client operation parser")
struct ClientOperationParserTests {
    @Test("every accepted spelling yields its operation", arguments: validInput.indices)
    func valid(index: Int) {
        let (input, operations) = validInput[index]
        #expect(parse([Array(input.utf8)]) == ParsedInput(operations: operations, outcome: nil))
    }

    @Test("every refused spelling yields its error", arguments: invalidInput.indices)
    func invalid(index: Int) {
        let (input, outcome) = invalidInput[index]
        #expect(parse([Array(input.utf8)]) == ParsedInput(operations: [], outcome: outcome))
    }

    @Test("a split after any byte yields the same operations")
    func split() {
        let input = Array(validInput.map(\.input).joined().utf8)
        let whole = parse([input])
        #expect(whole.operations == validInput.flatMap(\.operations))
        for cut in 1..<input.count {
            #expect(parse([Array(input[..<cut]), Array(input[cut...])]) == whole)
        }
        #expect(parse(input.map { [$0] }) == whole)
    }

    @Test("an error shows at the same operation however the input is split", arguments: invalidInput.indices)
    func splitErrors(index: Int) {
        let input = Array(("PING\r\n" + invalidInput[index].input).utf8)
        let expected = ParsedInput(operations: ["ping"], outcome: invalidInput[index].outcome)
        for cut in 1..<input.count {
            #expect(parse([Array(input[..<cut]), Array(input[cut...])]) == expected)
        }
        #expect(parse(input.map { [$0] }) == expected)
    }

    @Test("a control line may be as long as the limit, whole or split")
    func controlLineLimit() {
        for (subject, isAllowed) in [(62, true), (63, false)] {
            // "a…a 1" is the argument.
            let input = Array("SUB \(String(repeating: "a", count: subject)) 1\r\n".utf8)
            let expected: ClientOperationParser.Outcome? = isAllowed ? nil : .controlLineExceeded
            #expect(parse([input], maxControlLine: 64).outcome == expected)
            #expect(parse(input.map { [$0] }, maxControlLine: 64).outcome == expected)
            let publish = Array("PUB \(String(repeating: "a", count: subject)) 0\r\n\r\n".utf8)
            #expect(parse([publish], maxControlLine: 64).outcome == expected)
            #expect(parse(publish.map { [$0] }, maxControlLine: 64).outcome == expected)
        }
    }

    @Test(
        "a line that never ends is refused",
        arguments: ["SUB ", "PUB ", "CONNECT {", "INFO {", "-ERR ", "HPUB ", "UNSUB "]
    )
    func endlessLine(verb: String) {
        for filler in ["a", " "] {
            let input = Array((verb + String(repeating: filler, count: 10_000)).utf8)
            #expect(parse([input], maxControlLine: 64).outcome == .controlLineExceeded)
            let pieces = stride(from: 0, to: input.count, by: 7).map { Array(input[$0..<min($0 + 7, input.count)]) }
            #expect(parse(pieces, maxControlLine: 64).outcome == .controlLineExceeded)
        }
    }

    @Test("what follows PING is not kept")
    func endlessPing() {
        let input = Array(("PING" + String(repeating: "x", count: 100_000) + "\r\nPONG\r\n").utf8)
        let pieces = stride(from: 0, to: input.count, by: 11).map { Array(input[$0..<min($0 + 11, input.count)]) }
        #expect(parse(pieces) == ParsedInput(operations: ["ping", "pong"], outcome: nil))
    }

    @Test("headers need to have been agreed on")
    func headersNotAgreed() {
        #expect(parse([Array("HPUB foo 0 0\r\n\r\n".utf8)], headers: false).outcome == .headersNotSupported)
    }

    @Test("random bytes and random lines never read past the end", arguments: 0..<20)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed &+ 1)
        let words = [
            "PUB ", "HPUB ", "SUB ", "UNSUB ", "CONNECT ", "PING", "\r\n", "\n", "foo", " ", "12", "3", "{}", "\t",
            "+OK", "\r",
        ]
        for _ in 0..<2_000 {
            var input: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<20, using: &generator) {
                if Bool.random(using: &generator) {
                    input += Array(words.randomElement(using: &generator)?.utf8 ?? "".utf8)
                } else {
                    input.append(UInt8.random(in: .min ... .max, using: &generator))
                }
            }
            // A block of exactly the input's size: the address sanitizer sees any byte read beyond it.
            let block = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, input.count))
            defer { block.deallocate() }
            block.initialize(from: input, count: input.count)
            let parser = ClientOperationParser(maxControlLine: 64, maxPayload: 64, headersEnabled: true)
            var position = 0
            var operation = ClientOperation()
            while position < input.count,
                parser.next(block, from: position, to: input.count, into: &operation) == .operation
            {
                #expect(operation.frameEnd > position && operation.frameEnd <= input.count)
                position = operation.frameEnd
            }
            let whole = parse([input], maxControlLine: 64, maxPayload: 64)
            let single = parse(input.map { [$0] }, maxControlLine: 64, maxPayload: 64)
            #expect(whole.operations == single.operations)
        }
    }
}
