import NATSCommandSupport
import NATSWire
import NIOCore
import Testing

@Suite("Message formatter")
struct MessageFormatterTests {
    private func format(
        _ format: MessageFormatter.Format,
        _ payloads: [[UInt8]],
        stamp: String = ""
    ) -> [UInt8] {
        var output = ByteBuffer()
        let formatter = MessageFormatter(format: format)
        for (index, payload) in payloads.enumerated() {
            payload.withUnsafeBytes { bytes in
                formatter.append(
                    payload: bytes,
                    stamp: stamp,
                    context: MessageTemplate.Context(
                        subject: "a.b",
                        reply: "r",
                        headers: NATSHeaders([("K", "1"), ("K", "2")]),
                        number: index + 1,
                        queue: "q",
                        nanoseconds: 1_700_000_000_123_456_789
                    ),
                    to: &output
                )
            }
        }
        return Array(output.readableBytesView)
    }

    private func format(_ format: MessageFormatter.Format, _ payloads: [String], stamp: String = "") -> String {
        String(decoding: self.format(format, payloads.map { Array($0.utf8) }, stamp: stamp), as: UTF8.self)
    }

    @Test("text lines are those of the Go examples")
    func text() {
        #expect(self.format(.received, ["hi there"]) == "[#1] Received on [a.b]: 'hi there'\n")
        #expect(
            self.format(.received, ["x", ""], stamp: "2026/11/20 22:09:26 ")
                == "2026/11/20 22:09:26 [#1] Received on [a.b]: 'x'\n2026/11/20 22:09:26 [#2] Received on [a.b]: ''\n"
        )
        #expect(
            self.format(.receivedInGroup("g1", processID: 20258), ["zz"])
                == "[#1] Received on [a.b] Queue[g1] Pid[20258]: 'zz'\n"
        )
        #expect(self.format(.reply, ["pong"]) == "Received  [a.b] : 'pong'\n")
    }

    @Test("raw adds a line end only where it is missing")
    func raw() {
        #expect(self.format(.payload(.lines), ["a", "b\n", "", "\n", "c\n\n"]) == "a\nb\n\n\nc\n\n")
        #expect(self.format(.payload(.verbatim), ["a", "b\n", ""]) == "ab\n")
        #expect(self.format(.payload(.nulTerminated), ["a", "b\n", ""]) == "a\0b\n\0\0")
    }

    @Test("payload bytes are never altered")
    func bytes() {
        #expect(self.format(.payload(.verbatim), [[0xFF, 0x00, 0x0D, 0x80]]) == [0xFF, 0x00, 0x0D, 0x80])
        let line = self.format(.received, [[0xFF, 0x00]])
        #expect(line == Array("[#1] Received on [a.b]: '".utf8) + [0xFF, 0x00] + Array("'\n".utf8))
    }

    @Test(
        "format",
        arguments: [
            ("%n %t %r %q %S:%s\\n", "1 a.b r q 3:a\u{E9}\n"), ("%%%h%%", "%K: 1, K: 2%"),
            ("%T %I", "1700000000123 2023-11-14T22:13:20.123456Z"), ("%x-%b", "61c3a9-YcOp"),
            ("\\t\\r\\0\\e\\x41\\\\", "\t\r\0\u{1B}A\\"), ("%R", "\0\0\0\u{3}"), ("", ""),
        ]
    )
    func template(format: String, expected: String) throws {
        let template = try MessageTemplate(parsing: format)
        #expect(self.format(.template(template), ["a\u{E9}"]) == expected)
    }

    @Test("a format that cannot be read is refused", arguments: ["%", "%z", "\\", "\\q", "\\x4", "\\xzz"])
    func badTemplate(format: String) {
        #expect(throws: UsageError.self) { try MessageTemplate(parsing: format) }
    }

    @Test("UTC times, also before 1970 and on leap days")
    func utc() {
        #expect(UTCTimestamp.text(nanoseconds: 0) == "1970-01-01T00:00:00.000000Z")
        #expect(UTCTimestamp.text(nanoseconds: -1) == "1969-12-31T23:59:59.999999Z")
        #expect(UTCTimestamp.text(nanoseconds: 951_782_399_000_001_999) == "2000-02-28T23:59:59.000001Z")
        #expect(UTCTimestamp.text(nanoseconds: 951_782_400_000_000_000) == "2000-02-29T00:00:00.000000Z")
        #expect(UTCTimestamp.text(nanoseconds: 4_107_542_400_000_000_000) == "2100-03-01T00:00:00.000000Z")
    }

    @Test("the stamp has Go's form")
    func stamp() {
        var stamp = LocalTimestamp()
        for second in [0, 1, 951_782_400, 1_700_000_000] {
            #expect(stamp.stamp(second: second).wholeMatch(of: #/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /#) != nil)
        }
        #expect(stamp.stamp(second: 1_700_000_000) == stamp.stamp(second: 1_700_000_000))
        #expect(stamp.stamp(second: 1_700_000_001) != stamp.stamp(second: 1_700_000_000))
    }
}
