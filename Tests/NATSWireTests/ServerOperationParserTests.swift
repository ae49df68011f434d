import NATSWire
import Testing

@Suite struct ServerOperationParserTests {
    /// One operation with its texts, so that results from different cuts can be compared.
    private enum Operation: Equatable {
        case message(subject: String, sid: UInt64, reply: String, headers: String, payload: String)
        case info(String)
        case error(String)
        case ping
        case pong
        case ok
    }

    private func parse(_ bytes: [UInt8]) -> (operations: [Operation], rest: Int, last: ServerOperationParser.Step) {
        bytes.withUnsafeBytes { buffer in
            func text(_ start: some BinaryInteger, _ end: some BinaryInteger) -> String {
                String(decoding: buffer[Int(start)..<Int(end)], as: UTF8.self)
            }
            var position = 0
            var operations: [Operation] = []
            while true {
                let step = ServerOperationParser.next(in: buffer, at: &position)
                switch step {
                case .message(let frame, let sid):
                    operations.append(
                        .message(
                            subject: text(frame.subjectStart, frame.subjectEnd),
                            sid: sid,
                            reply: text(frame.replyStart, frame.replyEnd),
                            headers: text(frame.bodyStart, frame.payloadStart),
                            payload: text(frame.payloadStart, frame.payloadEnd)
                        )
                    )
                case .info(let start, let end):
                    operations.append(.info(text(start, end)))
                case .error(let start, let end):
                    operations.append(.error(text(start, end)))
                case .ping:
                    operations.append(.ping)
                case .pong:
                    operations.append(.pong)
                case .ok:
                    operations.append(.ok)
                case .incomplete, .invalid:
                    return (operations, position, step)
                }
            }
        }
    }

    private static let stream =
        "INFO {\"a\":1} \r\n+OK\r\nPING\r\nPONG\r\nMSG foo 1 5\r\nhello\r\nMSG a.b.c 22 _INBOX.x.1 0\r\n\r\n"
        + "HMSG foo 1 12 17\r\nNATS/1.0\r\n\r\nhello\r\nHMSG foo 9 rep 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
        + "-ERR 'Authorization Violation'\r\nmsg \tfoo\t 1  0002 \r\nhi\r\nPONGxyz\r\nping\nMSG f 1 2\n\r\n\r\n"

    private static let operations: [Operation] = [
        .info("{\"a\":1}"), .ok, .ping, .pong,
        .message(subject: "foo", sid: 1, reply: "", headers: "", payload: "hello"),
        .message(subject: "a.b.c", sid: 22, reply: "_INBOX.x.1", headers: "", payload: ""),
        .message(subject: "foo", sid: 1, reply: "", headers: "NATS/1.0\r\n\r\n", payload: "hello"),
        .message(subject: "foo", sid: 9, reply: "rep", headers: "NATS/1.0 503\r\n\r\n", payload: ""),
        .error("'Authorization Violation'"),
        .message(subject: "foo", sid: 1, reply: "", headers: "", payload: "hi"),
        .pong, .ping,
        .message(subject: "f", sid: 1, reply: "", headers: "", payload: "\r\n"),
    ]

    @Test("every operation is found, in any case and with odd blanks")
    func wholeStream() {
        let result = self.parse(Array(Self.stream.utf8))
        #expect(result.operations == Self.operations)
        #expect(result.last == .incomplete(length: 0))
    }

    @Test("a cut after any byte leaves whole operations and asks for the rest")
    func everyCut() {
        let bytes = Array(Self.stream.utf8)
        for cut in 0..<bytes.count {
            let head = self.parse(Array(bytes[..<cut]))
            guard case .incomplete(let length) = head.last else {
                Issue.record("cut at \(cut): \(head.last)")
                continue
            }
            #expect(length == 0 || head.rest + length > cut)
            let tail = self.parse(Array(bytes[head.rest...]))
            #expect(head.operations + tail.operations == Self.operations, "cut at \(cut)")
        }
    }

    @Test("the announced length of a cut message is exact")
    func announcedLength() {
        let frame = Array("MSG foo 1 100\r\n".utf8)
        #expect(self.parse(frame + [1, 2, 3]).last == .incomplete(length: frame.count + 102))
    }

    @Test(
        "malformed operations are refused",
        arguments: [
            ("FOO\r\n", ServerOperationParser.Failure.unknownOperation), ("\r\n", .unknownOperation),
            (" PING\r\n", .unknownOperation), ("X", .unknownOperation), ("PUB a 1\r\n", .unknownOperation),
            ("MSG\r\n", .malformedMessage), ("MSG \r\n", .malformedMessage), ("MSG a\r\n", .malformedMessage),
            ("MSG a 1\r\n", .malformedMessage), ("MSG a 1 b c 2\r\n", .malformedMessage),
            ("MSG a 1 b c 2 3\r\n", .malformedMessage),
            ("MSG a 1 x\r\n", .malformedMessage), ("MSG a 1 -2\r\n", .malformedMessage),
            ("MSG a 1 1234567890\r\n", .malformedMessage), ("MSG a 1 999999999\r\n", .messageTooLong),
            ("HMSG a 1 5\r\n", .malformedMessage), ("HMSG a 1 9 5\r\n", .malformedMessage),
            ("HMSG a 1 r x 5\r\n", .malformedMessage), ("MSG a 1 2\rx", .malformedMessage),
            ("MSG a 1 2\r\nhixx", .missingLineEnd), ("MSG a 1 2\r\nhi\n\n", .missingLineEnd),
        ]
    )
    func malformed(text: String, failure: ServerOperationParser.Failure) {
        let result = self.parse(Array(text.utf8))
        #expect(result.operations.isEmpty)
        #expect(result.last == .invalid(failure))
    }

    @Test("a sid that is not one of ours reads as none")
    func foreignSid() {
        for sid in ["abc", "99999999999999999999999", "-1"] {
            let result = self.parse(Array("MSG a \(sid) 0\r\n\r\n".utf8))
            #expect(result.operations == [.message(subject: "a", sid: 0, reply: "", headers: "", payload: "")])
        }
    }

    @Test("control bytes other than the separators belong to a subject")
    func controlBytes() {
        let subject = "a\u{1}bcdefgh\u{0}ij\u{7}"
        let result = self.parse(Array("MSG \(subject) 7 0\r\n\r\n".utf8))
        #expect(result.operations == [.message(subject: subject, sid: 7, reply: "", headers: "", payload: "")])
    }

    @Test("random and mutated bytes never trap")
    func fuzz() {
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: (state >> 33) % UInt64(bound))
        }
        let bytes = Array(Self.stream.utf8)
        for _ in 0..<20_000 {
            var mutated = Array(bytes[random(bytes.count)...])
            for _ in 0..<(1 + random(4)) where !mutated.isEmpty {
                switch random(3) {
                case 0:
                    mutated[random(mutated.count)] = UInt8(truncatingIfNeeded: random(256))
                case 1:
                    mutated.remove(at: random(mutated.count))
                default:
                    mutated.insert(UInt8(truncatingIfNeeded: random(256)), at: random(mutated.count))
                }
            }
            let result = self.parse(mutated)
            #expect(result.rest <= mutated.count)
        }
    }
}
