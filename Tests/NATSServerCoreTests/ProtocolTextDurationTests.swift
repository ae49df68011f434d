import Testing

@testable import NATSServerCore

@Suite struct ProtocolTextDurationTests {
    @Test(
        "durations read as in Go",
        arguments: [
            (Duration.zero, "0s"), (.nanoseconds(7), "7ns"), (.nanoseconds(1500), "1.5µs"),
            (.milliseconds(500), "500ms"),
            (.microseconds(1_000_001), "1.000001s"), (.seconds(2), "2s"), (.seconds(10), "10s"), (.seconds(60), "1m0s"),
            (.milliseconds(90_500), "1m30.5s"), (.seconds(3600), "1h0m0s"), (.seconds(90_061), "25h1m1s"),
        ]
    )
    func texts(duration: Duration, text: String) {
        #expect(ProtocolText.duration(duration) == text)
    }
}
