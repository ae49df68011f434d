import NATSTestSupport
import NATSWire
import Testing

@Suite("What a leaf node and its hub say")
struct LeafParserTests {
    private static let parser = RouteOperationParser(maxPayload: 1024, isLeafNode: true)

    private static let samples: [(input: String, operations: [String])] = [
        ("LS+ foo\r\n", ["interest foo [] 0"]),
        ("LS+ foo q 3\r\nls- foo q\r\n", [#"interest foo ["q"] 3"#, #"noInterest foo ["q"]"#]),
        ("LS+ $LDS.abc\r\nLS- $LDS.abc\r\n", ["interest $LDS.abc [] 0", "noInterest $LDS.abc []"]),
        // As the official parser: the first letter does not matter.
        ("RS+ foo\r\nRMSG foo 2\r\nhi\r\n", ["interest foo [] 0", "message foo [] [] 0/ 2/2 hi <2\r\nhi\r\n>"]),
        ("LMSG foo 2\r\nhi\r\n", ["message foo [] [] 0/ 2/2 hi <2\r\nhi\r\n>"]),
        ("lmsg foo r 2\r\nhi\r\n", ["message foo [r] [] 0/ 2/2 hi <r 2\r\nhi\r\n>"]),
        ("LMSG foo | a b 2\r\nhi\r\n", [#"message foo [] ["a", "b"] 0/ 2/2 hi <2\#r\#nhi\#r\#n>"#]),
        ("LMSG foo + r a 2\r\nhi\r\n", [#"message foo [r] ["a"] 0/ 2/2 hi <respelled>"#]),
        (
            "HMSG foo r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
            ["headerMessage foo [r] [] 12/12 14/14 NATS/1.0\r\n\r\nhi <r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n>"]
        ),
    ]

    @Test("a split after any byte yields the same operations", arguments: samples.indices)
    func splits(index: Int) {
        let sample = Self.samples[index]
        let bytes = Array(sample.input.utf8)
        for cut in 0...bytes.count {
            let chunks = [Array(bytes[..<cut]), Array(bytes[cut...])].filter { !$0.isEmpty }
            let transcript = RouteTranscript.of(chunks, by: Self.parser)
            #expect(transcript.operations == sample.operations && transcript.failure == nil, "\(transcript)")
        }
    }

    @Test("what no leaf node says is refused", arguments: ["LS+ a b\r\n", "LS+\r\n", "LMSG a x b 2\r\n", "LMSG a\r\n"])
    func refused(input: String) {
        #expect(RouteTranscript.of([Array(input.utf8)], by: Self.parser).failure != nil)
    }

    @Test("frames are spelled as the official server does")
    func frames() {
        var bytes: [UInt8] = []
        let none: [UInt8] = []
        RouteFrame.appendInterest(
            account: none,
            subject: "foo".utf8,
            queue: "q".utf8,
            weight: 2,
            isLeafNode: true,
            to: &bytes
        )
        RouteFrame.appendNoInterest(account: none, subject: "foo".utf8, queue: none, isLeafNode: true, to: &bytes)
        RouteFrame.appendMessage(account: none, subject: "a".utf8, hasHeaders: false, isLeafNode: true, to: &bytes)
        RouteFrame.appendMessage(account: none, subject: "a".utf8, hasHeaders: true, isLeafNode: true, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "LS+ foo q 2\r\nLS- foo\r\nLMSG a HMSG a ")
    }
}
