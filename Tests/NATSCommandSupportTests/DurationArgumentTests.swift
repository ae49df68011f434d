import NATSCommandSupport
import Testing

@Suite("Go durations")
struct DurationArgumentTests {
    @Test(
        "accepted forms",
        arguments: [
            ("1h2m3.5s", Duration.milliseconds(3_723_500)), ("300ms", .milliseconds(300)), ("5", .seconds(5)),
            ("0.5", .milliseconds(500)), ("0", .zero), ("0s", .zero), (".5s", .milliseconds(500)), ("1.s", .seconds(1)),
            ("7ns", .nanoseconds(7)), ("7us", .microseconds(7)), ("7\u{B5}s", .microseconds(7)),
            ("7\u{3BC}s", .microseconds(7)), ("1.5h", .seconds(5400)), ("0.3333333333333333333h", .seconds(1200)),
            ("1s1ms", .milliseconds(1001)), ("9223372036854775807ns", .nanoseconds(9_223_372_036_854_775_807)),
        ]
    )
    func accepted(text: String, expected: Duration) throws {
        let parsed = try #require(DurationArgument(parsing: text)).duration
        // Long fractions are rounded, as in Go.
        #expect(parsed <= expected && expected - parsed <= .nanoseconds(1))
    }

    @Test(
        "refused forms",
        arguments: [
            "", " ", "s", ".", ".s", "-1s", "+1s", "1x", "1h5", "1 s", "1s ", "1,5s", "1e3s", "5 ", "1.2.3s",
            "9223372036854775808ns", "9999999999h", "99999999999999999999",
        ]
    )
    func refused(text: String) {
        #expect(DurationArgument(parsing: text) == nil)
    }
}
