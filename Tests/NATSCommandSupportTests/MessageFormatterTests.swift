import NATSClient
import NATSCommandSupport
import NATSWire
import NIOCore
import Testing

@Suite("Message formatter")
struct MessageFormatterTests {
    private static let headers = NATSHeaders([("K", "1"), ("L", "x"), ("K", "2")])

    private func format(
        _ formatter: MessageFormatter,
        _ payloads: [[UInt8]],
        subject: String = "a.b",
        reply: String = "r",
        headers: [UInt8] = HeaderBlock.encode(Self.headers),
        stamp: String = "",
        latency: Duration? = nil
    ) -> [UInt8] {
        var output = ByteBuffer()
        for (index, payload) in payloads.enumerated() {
            Array(subject.utf8).withUnsafeBytes { subject in
                Array(reply.utf8).withUnsafeBytes { reply in
                    headers.withUnsafeBytes { headers in
                        payload.withUnsafeBytes { payload in
                            formatter.append(
                                MessageParts(subject: subject, reply: reply, headers: headers, payload: payload),
                                MessageFormatter.Context(
                                    number: index + 1,
                                    nanoseconds: 1_700_000_000_123_456_789,
                                    stamp: Array(stamp.utf8),
                                    latency: latency
                                ),
                                to: &output
                            )
                        }
                    }
                }
            }
        }
        if formatter.printsPayloadsOnly, stamp.isEmpty {
            #expect(self.appendPayloads(formatter, payloads, until: .max) == output, "all at once it is the same")
        }
        return Array(output.readableBytesView)
    }

    private func appendPayloads(_ formatter: MessageFormatter, _ payloads: [[UInt8]], until size: Int) -> ByteBuffer {
        var bytes: [UInt8] = []
        var frames: [MessageFrame] = []
        for payload in payloads {
            let start = UInt32(bytes.count + 3)
            bytes += Array("MSG".utf8) + payload + Array("\r\n".utf8)
            let end = start + UInt32(payload.count)
            frames.append(
                MessageFrame(
                    subjectStart: 0,
                    subjectEnd: 0,
                    replyStart: 0,
                    replyEnd: 0,
                    bodyStart: start,
                    payloadStart: start,
                    payloadEnd: end
                )
            )
        }
        var output = ByteBuffer()
        var rest = frames[...]
        while !rest.isEmpty {
            let before = output.readableBytes
            let room = size == .max ? size : before + size
            let count = bytes.withUnsafeBytes {
                formatter.appendPayloads(of: rest, in: $0, until: room, to: &output)
            }
            #expect(count > 0)
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
            #expect(rest.isEmpty || output.readableBytes + count >= room, "as many as there is room for")
        }
        return output
    }

    @Test("payloads that are copied all at once stop where the output is full", arguments: 1...12)
    func payloadsUntilFull(size: Int) {
        let payloads = ["a", "", "bcd\n", "efghij", "\n", "k"].map { Array($0.utf8) }
        let formatter = MessageFormatter(format: .payload(.lines))
        #expect(self.appendPayloads(formatter, payloads, until: size) == ByteBuffer(string: "a\n\nbcd\nefghij\n\nk\n"))
    }

    private func format(_ format: MessageFormatter.Format, _ payloads: [[UInt8]]) -> [UInt8] {
        self.format(MessageFormatter(format: format, queue: "q"), payloads)
    }

    private func format(_ format: MessageFormatter.Format, _ payloads: [String], stamp: String = "") -> String {
        let formatter = MessageFormatter(format: format, queue: "q")
        return String(
            decoding: self.format(formatter, payloads.map { Array($0.utf8) }, stamp: stamp),
            as: UTF8.self
        )
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
        #expect(self.format(.payload(.delimited(Array("--".utf8))), ["a", "b\n", ""]) == "a--b\n----")
        #expect(self.format(.payload(.lines), ["a", "b"], stamp: "1 ") == "1 a\n1 b\n")
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
            ("%n %t %r %q %S:%s\\n", "1 a.b r q 3:a\u{E9}\n"), ("%%%h%%", "%K: 1, L: x, K: 2%"),
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

    @Test("header lines stand behind a text line if asked for, and alone")
    func headerLines() {
        let text = MessageFormatter(format: .received, showsHeaders: true)
        #expect(self.text(text, "x") == "[#1] Received on [a.b]: 'x'\nK: 1\nL: x\nK: 2\n")
        #expect(self.text(text, "x", headers: []) == "[#1] Received on [a.b]: 'x'\n")
        let alone = MessageFormatter(format: .headers)
        #expect(self.text(alone, "x") == "K: 1\nL: x\nK: 2\n\n")
        let status = Array("NATS/1.0 503 No Responders\r\n\r\n".utf8)
        #expect(self.text(alone, "", headers: status) == "Status: 503\nDescription: No Responders\n\n")
        #expect(self.text(MessageFormatter(format: .subjects), "x") == "a.b\n")
    }

    private func text(
        _ formatter: MessageFormatter,
        _ payload: String,
        subject: String = "a.b",
        reply: String = "r",
        headers: [UInt8] = HeaderBlock.encode(Self.headers),
        stamp: String = "",
        latency: Duration? = nil
    ) -> String {
        let bytes = self.format(
            formatter,
            [Array(payload.utf8)],
            subject: subject,
            reply: reply,
            headers: headers,
            stamp: stamp,
            latency: latency
        )
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("the form of the nats command")
    func pretty() {
        let formatter = MessageFormatter(format: .pretty)
        #expect(
            self.text(formatter, "hi", stamp: " @ 1.5s")
                == "[#1] @ 1.5s Received on \"a.b\" with reply \"r\"\nK: 1\nL: x\nK: 2\n\nhi\n\n"
        )
        #expect(self.text(formatter, "", reply: "", headers: []) == "[#1] Received on \"a.b\"\nnil body\n\n")
        #expect(
            self.text(formatter, "x\n", subject: "a\"\u{1B}", reply: "", headers: [])
                == "[#1] Received on \"a\\\"\\x1b\"\nx\n\n"
        )
        let reply = MessageFormatter(format: .prettyReply)
        #expect(
            self.text(reply, "pong", headers: [], latency: .microseconds(1200)) == "Received with rtt 1.2ms\npong\n\n"
        )
    }

    @Test("colors are for the counter and the subject")
    func colors() {
        let colored = self.text(MessageFormatter(format: .pretty, usesColor: true), "hi", headers: [])
        #expect(
            colored
                == "\u{1B}[36m[#1]\u{1B}[0m Received on \u{1B}[32m\"a.b\"\u{1B}[0m with reply \"r\"\nhi\n\n"
        )
        #expect(!self.text(MessageFormatter(format: .received, usesColor: true), "hi").contains("\u{1B}"))
        func uses(_ choice: ColorChoice, _ isTerminal: Bool, _ variables: [String: String]) -> Bool {
            choice.usesColor(isTerminal: isTerminal) { variables[$0] }
        }
        #expect(uses(.auto, true, ["TERM": "xterm"]))
        #expect(!uses(.auto, false, ["TERM": "xterm"]))
        #expect(!uses(.auto, true, ["NO_COLOR": "1"]))
        #expect(uses(.auto, true, ["NO_COLOR": ""]))
        #expect(!uses(.auto, true, ["TERM": "dumb"]))
        #expect(uses(.always, false, ["NO_COLOR": "1"]))
        #expect(!uses(.never, true, [:]))
    }

    private static let time = "\"time\":\"2023-11-14T22:13:20.123456Z\",\"seq\":1"

    @Test("JSON lines: the keys in their order, what is absent left out")
    func json() {
        let formatter = MessageFormatter(format: .json(embedsPayload: false))
        #expect(
            self.text(formatter, "hi", latency: .microseconds(1200))
                == "{\"subject\":\"a.b\",\"reply\":\"r\",\"headers\":{\"K\":[\"1\",\"2\"],\"L\":[\"x\"]},"
                + "\"data\":\"hi\",\(Self.time),\"rtt_us\":1200}\n"
        )
        #expect(
            self.text(formatter, "", reply: "", headers: []) == "{\"subject\":\"a.b\",\"data\":\"\",\(Self.time)}\n"
        )
        #expect(
            self.text(formatter, "", reply: "", headers: Array("NATS/1.0 503\r\n\r\n".utf8))
                == "{\"subject\":\"a.b\",\"status\":503,\"data\":\"\",\(Self.time)}\n"
        )
        // A block that cannot be read has no headers.
        #expect(
            self.text(formatter, "", reply: "", headers: Array("nonsense".utf8))
                == "{\"subject\":\"a.b\",\"data\":\"\",\(Self.time)}\n"
        )
    }

    @Test("JSON strings escape what must be, bytes that are not UTF-8 are base 64")
    func jsonStrings() {
        func data(_ payload: [UInt8], subject: String = "s") -> String {
            let formatter = MessageFormatter(format: .json(embedsPayload: false))
            let bytes = self.format(formatter, [payload], subject: subject, reply: "", headers: [])
            let text = String(decoding: bytes, as: UTF8.self)
            let start = "{\"subject\":\"s\",".utf8.count
            return String(decoding: text.utf8.dropFirst(start).dropLast(",\(Self.time)}\n".utf8.count), as: UTF8.self)
        }
        #expect(data(Array("a\"b\n".utf8)) == "\"data\":\"a\\\"b\\n\"")
        #expect(data([0xFF, 0]) == "\"data_base64\":\"/wA=\"")
        #expect(data([0, 0x1F, 0x7F, 0x5C, 9, 13]) == "\"data\":\"\\u0000\\u001f\u{7F}\\\\\\t\\r\"")
        #expect(data(Array("/<é\u{2028}".utf8)) == "\"data\":\"/<é\u{2028}\"")
        #expect(data(Array("12345678\u{1F600}".utf8)) == "\"data\":\"12345678\u{1F600}\"")
    }

    @Test(
        "UTF-8 is told from what is not",
        arguments: [
            ([0x61], true), ([0xC3, 0xA9], true), ([0xE2, 0x82, 0xAC], true), ([0xF0, 0x9F, 0x98, 0x80], true),
            ([0xF4, 0x8F, 0xBF, 0xBF], true), ([0x80], false), ([0xC0, 0x80], false), ([0xC1, 0xBF], false),
            ([0xC3], false), ([0xE0, 0x80, 0x80], false), ([0xED, 0xA0, 0x80], false), ([0xE2, 0x82], false),
            ([0xF0, 0x80, 0x80, 0x80], false), ([0xF4, 0x90, 0x80, 0x80], false), ([0xF5, 0x80, 0x80, 0x80], false),
            ([0xC3, 0x28], false), ([0xFF], false), ([], true),
        ] as [([UInt8], Bool)]
    )
    func utf8(bytes: [UInt8], isValid: Bool) {
        for padding in 0...9 {
            let text = [UInt8](repeating: 0x61, count: padding) + bytes
            #expect(text.withUnsafeBytes { UTF8Check.isValid($0) } == isValid)
            #expect((String(validating: text, as: UTF8.self) != nil) == isValid)
        }
    }

    @Test(
        "a payload that is JSON goes in without blanks, on one line",
        arguments: [
            (
                " {\n \"a\" : [ 1 , -2.5e+3, true, null, {} , [] ],\"b\":\"x y\\u00e9\" } ",
                "{\"a\":[1,-2.5e+3,true,null,{},[]],\"b\":\"x y\\u00e9\"}"
            ),
            ("1", "1"), ("\"a\\n\"", "\"a\\n\""), ("false", "false"), ("[[[]]]", "[[[]]]"), ("0", "0"),
            ("12345678901234567890.10", "12345678901234567890.10"),
        ]
    )
    func jsonPayload(payload: String, expected: String) {
        let formatter = MessageFormatter(format: .json(embedsPayload: true))
        let text = self.text(formatter, payload, reply: "", headers: [])
        #expect(text == "{\"subject\":\"a.b\",\"payload\":\(expected),\(Self.time)}\n")
    }

    @Test(
        "a payload that is not JSON stays data",
        arguments: [
            "", " ", "{", "}", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "01", "1.", ".5", "1e",
            "-", "+1",
            "tru", "truex", "\"", "\"\\q\"", "\"\\u12\"", "\"\n\"", "1 2", "[1}", "{\"a\":1]", "nul", "NaN", "[1 2]",
            String(repeating: "[", count: 200) + String(repeating: "]", count: 200),
        ]
    )
    func notJSON(payload: String) {
        let formatter = MessageFormatter(format: .json(embedsPayload: true))
        let plain = MessageFormatter(format: .json(embedsPayload: false))
        #expect(self.text(formatter, payload) == self.text(plain, payload))
    }

    @Test("the dump of the nats command")
    func dump() {
        let formatter = MessageFormatter(format: .dump(endsWithNUL: true))
        #expect(
            self.text(formatter, "a<", reply: "", headers: [])
                == "{\"Subject\":\"a.b\",\"Reply\":\"\",\"Header\":null,\"Data\":\"YTw=\",\"Sub\":null}\0"
        )
        #expect(
            self.text(MessageFormatter(format: .dump(endsWithNUL: false)), "")
                == "{\"Subject\":\"a.b\",\"Reply\":\"r\",\"Header\":{\"K\":[\"1\",\"2\"],\"L\":[\"x\"]},"
                + "\"Data\":\"\",\"Sub\":null}"
        )
    }

    @Test("numbers and encodings are written in place")
    func numbers() {
        func written(_ body: (inout ByteBuffer) -> Void) -> String {
            var output = ByteBuffer()
            body(&output)
            return String(buffer: output)
        }
        for value in [0, 9, 10, 99, 100, 12345, Int.max, -1, Int.min] {
            #expect(written { $0.writeDecimal(value) } == String(value))
        }
        #expect(written { $0.writeDecimal(7, width: 3) } == "007")
        for count in 0...7 {
            let bytes = (0..<count).map { UInt8(250 - $0 * 37) }
            #expect(written { output in bytes.withUnsafeBytes { output.writeBase64($0) } } == Base64.encode(bytes))
        }
    }

    @Test("a stamp stands in front, or behind the number")
    func stamps() {
        func stamp(_ form: MessageStamp.Form?, isInside: Bool = false) -> String {
            var stamp = MessageStamp(form: form, isInside: isInside)
            let bytes = stamp.render(nanoseconds: 1_700_000_000_123_456_789, elapsed: .milliseconds(1500))
            #expect(stamp.render(nanoseconds: 1_700_000_000_123_456_789, elapsed: .milliseconds(1500)) == bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(stamp(nil) == "")
        #expect(stamp(.go).wholeMatch(of: #/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /#) != nil)
        #expect(stamp(.month, isInside: true).wholeMatch(of: #/ @ Nov 1\d \d\d:\d\d:20\.123456/#) != nil)
        #expect(stamp(.rfc3339) == "2023-11-14T22:13:20.123456Z ")
        #expect(stamp(.unix) == "1700000000 ")
        #expect(stamp(.unixMilliseconds) == "1700000000123 ")
        #expect(stamp(.elapsed) == "1.5s ")
        #expect(stamp(.elapsed, isInside: true) == " @ 1.5s")
    }
}
