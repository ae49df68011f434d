import NATSCommandSupport
import NIOCore
import Testing

@Suite("Payload templates")
struct PayloadTemplateTests {
    private func expand(_ text: String, count: Int = 7, nanoseconds: Int64 = 1_700_000_000_123_456_789) -> String? {
        var context = PayloadTemplate.Context()
        context.count = count
        context.nanoseconds = nanoseconds
        return PayloadTemplate(parsing: text.utf8)?.text(&context)
    }

    @Test(
        "names are replaced, each by itself",
        arguments: [
            ("{{Count}}", "7"), ("a{{Cnt}}b", "a7b"), ("{{ Count }}-{{Count}}", "7-7"), ("{{Unix}}", "1700000000"),
            ("{{UnixNano}}", "1700000000123456789"), ("{{{Count}}}", "{7}"), ("{{x}} {{Count}} {{", "{{x}} 7 {{"),
            ("{{Random 0 0}}|", "|"),
        ]
    )
    func names(text: String, expected: String) {
        #expect(self.expand(text) == expected)
    }

    @Test(
        "what is no template stays as it is",
        arguments: [
            "", "plain", "{{}}", "{{count}}", "{{Count", "{Count}", "{{Count x}}", "{{Random}}", "{{Random 1}}",
            "{{Random -1 2}}", "{{Random a b}}", "{{Random 1 99999999999}}", "{{.Count}}", "{{Count}", "}}{{",
            "{{Request}}", "{{" + String(repeating: " ", count: 1000) + "Count}}",
        ]
    )
    func others(text: String) {
        #expect(PayloadTemplate(parsing: text.utf8) == nil)
    }

    @Test("times, identifiers and random texts have their forms")
    func forms() {
        #expect(
            self.expand("{{TimeStamp}}")?.wholeMatch(of: #/2023-11-1[45]T\d\d:\d\d:20(Z|[+-]\d\d:\d\d)/#) != nil
        )
        #expect(self.expand("{{Time}}")?.wholeMatch(of: #/(1[0-2]|[1-9]):\d\d(AM|PM)/#) != nil)
        let id = self.expand("{{ID}}{{ID}}") ?? ""
        #expect(id.wholeMatch(of: #/[0-9A-Za-z]{44}/#) != nil)
        #expect(id.prefix(22) != id.suffix(22))
        for _ in 0..<100 {
            #expect(self.expand("{{Random 3 5}}")?.wholeMatch(of: #/[0-9A-Za-z]{3,5}/#) != nil)
            #expect(self.expand("{{Random 5 3}}")?.wholeMatch(of: #/[0-9A-Za-z]{3,5}/#) != nil)
        }
    }

    @Test("bytes that are no text pass unchanged")
    func bytes() throws {
        let template = try #require(PayloadTemplate(parsing: [0xFF] + Array("{{Count}}".utf8) + [0x80]))
        var context = PayloadTemplate.Context()
        var random = SystemRandomNumberGenerator()
        var output = ByteBuffer()
        template.append(&context, using: &random, to: &output)
        #expect(output == ByteBuffer(bytes: [0xFF, 0x30, 0x80]))
    }
}

@Suite("Rate limiter")
struct RateLimiterTests {
    @Test("a fiftieth of a second's worth passes at once, the rest at the rate")
    func burst() {
        let start = ContinuousClock.now
        var limiter = RateLimiter(rate: 1000, now: start)
        #expect((0..<20).allSatisfy { _ in limiter.take(now: start) == .zero })
        #expect(limiter.take(now: start) == .milliseconds(1))
        #expect(limiter.take(now: start + .milliseconds(1)) == .milliseconds(1))
    }

    @Test("a slow rate has no bursts, however long nothing was sent")
    func slow() {
        let start = ContinuousClock.now
        var never = RateLimiter(rate: 1e-300, now: start)
        #expect(never.take(now: start) == .zero)
        #expect(never.take(now: start) > .seconds(3_000_000_000))
        var limiter = RateLimiter(rate: 2, now: start)
        #expect(limiter.take(now: start) == .zero)
        #expect(limiter.take(now: start) == .milliseconds(500))
        #expect(limiter.take(now: start + .seconds(100)) == .zero)
        #expect(limiter.take(now: start + .seconds(100)) == .milliseconds(500))
    }
}

@Suite("Escaped bytes")
struct EscapedBytesTests {
    @Test("escapes stand for bytes")
    func escapes() {
        #expect(
            EscapedBytes(parsing: #"a\n\r\t\0\e\\\x7f\xFFé"#)?.bytes == [
                97, 10, 13, 9, 0, 27, 92, 127, 255, 0xC3, 0xA9,
            ]
        )
        for text in [#"\"#, #"\q"#, #"\x"#, #"\x1"#, #"\xzz"#, #"\x-1"#] {
            #expect(EscapedBytes(parsing: text) == nil)
        }
    }
}
