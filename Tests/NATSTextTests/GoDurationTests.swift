import NATSText
import Testing

@Suite struct GoDurationTests {
    @Test(
        "durations are written as in Go",
        arguments: [
            (Duration.zero, "0s"), (.nanoseconds(7), "7ns"), (.nanoseconds(1500), "1.5µs"),
            (.milliseconds(500), "500ms"),
            (.microseconds(1_000_001), "1.000001s"), (.seconds(2), "2s"), (.seconds(10), "10s"), (.seconds(60), "1m0s"),
            (.milliseconds(90_500), "1m30.5s"), (.seconds(3600), "1h0m0s"), (.seconds(90_061), "25h1m1s"),
            (.milliseconds(-90_500), "-1m30.5s"),
        ]
    )
    func texts(duration: Duration, text: String) throws {
        #expect(GoDuration.text(duration) == text)
        #expect(try GoDuration.parse(text) == duration)
    }

    @Test(
        "what is no duration is refused in Go's words",
        arguments: [
            ("", #"time: invalid duration """#), ("1", #"time: missing unit in duration "1""#),
            ("1h5", #"time: missing unit in duration "1h5""#), ("1x", #"time: unknown unit "x" in duration "1x""#),
            ("9223372036854775808ns", #"time: invalid duration "9223372036854775808ns""#),
            ("é", #"time: invalid duration "\xc3\xa9""#),
        ]
    )
    func failures(text: String, words: String) {
        do throws(GoDuration.Failure) {
            let duration = try GoDuration.parse(text)
            Issue.record("read as \(duration)")
        } catch {
            #expect(error.words == words)
        }
    }
}
