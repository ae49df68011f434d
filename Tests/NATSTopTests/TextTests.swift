import NATSTop
import Testing

@Suite("Texts")
struct TextTests {
    @Test(
        "bytes in powers of 1024",
        arguments: [
            (0, "0"), (1023, "1023"), (1024, "1.0K"), (72_294, "70.6K"), (1_048_575, "1024.0K"), (1_048_576, "1.0M"),
            (1 << 40, "1024.0G"), (1_381_668_604_314, "1286.8G"), (UInt64.max, "17179869184.0G"),
        ]
    )
    func bytes(value: UInt64, expected: String) {
        #expect(Quantity.bytes(value) == expected)
        #expect(Quantity.bytes(value, isRaw: true) == String(value))
    }

    @Test(
        "counts in powers of 1000",
        arguments: [
            (999, "999"), (1000, "1.0K"), (999_999, "1000.0K"), (1_000_000, "1.0M"), (2_500_000_000, "2.5B"),
            (1_000_000_000_000, "1.0T"), (UInt64.max, "18446744.1T"),
        ]
    )
    func counts(value: UInt64, expected: String) {
        #expect(Quantity.count(value) == expected)
    }

    @Test(
        "one decimal is rounded by the exact value, halves to even",
        arguments: [
            (0.25, "0.2"), (0.75, "0.8"), (0.35, "0.3"), (0.45, "0.5"), (-0.04, "0.0"), (-1.26, "-1.3"),
            (1e300, "1000000000000000.0"),
            (.nan, "0.0"), (.infinity, "0.0"), (99.95, "100.0"),
        ] as [(Double, String)]
    )
    func decimals(value: Double, expected: String) {
        #expect(Quantity.oneDecimal(value) == expected)
    }

    @Test(
        "widths of a terminal",
        arguments: [
            ("", 0), ("abc", 3), ("ünï", 3), ("u\u{308}", 1), ("日本", 4), ("🚀", 2), ("ﾊﾝ", 2), ("한글", 4),
            ("\u{1112}\u{1161}\u{11AB}", 2), ("−", 1),
        ]
    )
    func widths(text: String, expected: Int) {
        #expect(DisplayWidth.of(text) == expected)
    }

    @Test("a cut never splits a wide character and keeps marks with their letters")
    func prefixes() {
        #expect(DisplayWidth.prefix(of: "日本", columns: 3) == ("日", 2))
        #expect(DisplayWidth.prefix(of: "u\u{308}x", columns: 1) == ("u\u{308}", 1))
        #expect(DisplayWidth.prefix(of: "abc", columns: 0) == ("", 0))
    }

    @Test(
        "what controls a terminal is replaced",
        arguments: [
            ("\u{1B}[31m", "\u{FFFD}[31m"), ("a\nb\u{7F}", "a\u{FFFD}b\u{FFFD}"), ("\u{9B}1m", "\u{FFFD}1m"),
            ("\u{202E}x", "\u{FFFD}x"), ("a\u{200B}\u{200D}\u{FE0F}b", "ab"), ("\u{301}a", "\u{FFFD}\u{301}a"),
            ("e\u{301}\u{302}\u{303}\u{304}", "e\u{301}\u{302}"), ("\u{E0041}", "\u{FFFD}"), ("\u{2028}", "\u{FFFD}"),
        ]
    )
    func harmless(text: String, expected: String) {
        #expect(HarmlessText.make(text) == expected)
    }

    @Test("texts are bounded")
    func limits() {
        #expect(HarmlessText.make(String(repeating: "x", count: 1000), limit: 4) == "xxxx…")
        #expect(HarmlessText.line("first\nsecond".utf8) == "first")
        #expect(HarmlessText.line(Array(repeating: UInt8(0xFF), count: 5000)).unicodeScalars.count == 81)
    }

    @Test(
        "times of a server",
        arguments: [
            ("1970-01-01T00:00:01Z", 1_000_000_000), ("2000-03-01T00:00:00.5Z", 951_868_800_500_000_000),
            ("2026-11-20T23:07:54.123083538+01:00", 1_795_212_474_123_083_538),
        ]
    )
    func times(text: String, nanoseconds: Int64) {
        #expect(ServerTime(text)?.duration == .nanoseconds(nanoseconds))
    }

    @Test(
        "what is no time",
        arguments: [
            "", "now", "0001-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-20T22:07:54", "2026-11-20T22:07:54Zx",
            "2026-11-20T22:07:54.1234567890123456789012345678901234567890123456789012345678901234567890Z",
        ]
    )
    func noTimes(text: String) {
        #expect(ServerTime(text) == nil)
        #expect(ServerTime.goText(text) == text)
    }

    @Test("times as Go prints them")
    func goTimes() {
        #expect(ServerTime.goText("2026-11-20T22:07:50.22Z") == "2026-11-20 22:07:50.22 +0000 UTC")
        #expect(ServerTime.goText("2026-11-20T22:07:50+01:00") == "2026-11-20 22:07:50 +0100 +0100")
    }
}
