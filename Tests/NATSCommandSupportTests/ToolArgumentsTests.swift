import NATSCommandSupport
import Testing

@Suite("Arguments as bytes")
struct ToolArgumentsTests {
    @Test("text is text")
    func text() throws {
        let arguments = ToolArguments(bytes: [Array("a".utf8), Array("\u{E9}\u{FFFD}".utf8), []])
        #expect(arguments.texts == ["a", "\u{E9}\u{FFFD}", ""])
        #expect(try arguments.bytes(ofMessage: "\u{E9}\u{FFFD}") == nil)
    }

    @Test("the message's bytes are found again")
    func message() throws {
        let arguments = ToolArguments(bytes: [Array("s".utf8), [0x61, 0xFF]])
        #expect(arguments.texts == ["s", "a\u{FFFD}"])
        #expect(try arguments.bytes(ofMessage: "a\u{FFFD}") == [0x61, 0xFF])
    }

    @Test(
        "any other argument must be UTF-8, and the message must be the only one with its text",
        arguments: [
            ([[0xFF], [0x61]], "a"), ([[0xFF]], nil), ([[0xFF], [0xFE]], "\u{FFFD}"), ([[0xFF], [0xFF]], "\u{FFFD}"),
            ([Array("\u{FFFD}".utf8), [0xFF]], "\u{FFFD}"),
        ] as [([[UInt8]], String?)]
    )
    func refused(bytes: [[UInt8]], message: String?) {
        #expect(throws: UsageError.self) { try ToolArguments(bytes: bytes).bytes(ofMessage: message) }
    }
}
