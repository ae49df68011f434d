import NATSServerConfig
import Testing

@Suite struct SourcePositionTests {
    @Test("positions print as the official server prints them, and sort by place") func order() {
        let first = SourcePosition(file: "a.conf", line: 1, column: 9)
        let second = SourcePosition(file: "a.conf", line: 2, column: 1)
        #expect(first < second)
        #expect("\(second)" == "a.conf:2:1")
    }
}
