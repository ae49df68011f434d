import NATSText
import Testing

@Suite struct GoStringTests {
    @Test("texts are quoted as Go's %q quotes them")
    func quoting() {
        #expect(GoString.quoted("plain text") == #""plain text""#)
        #expect(GoString.quoted(#"a"b\c"#) == #""a\"b\\c""#)
        #expect(GoString.quoted("\u{07}\u{08}\u{0C}\n\r\t\u{0B}") == #""\a\b\f\n\r\t\v""#)
        #expect(GoString.quoted("\u{00}\u{1B}\u{7F}") == #""\x00\x1b\x7f""#)
        #expect(GoString.quoted("grüße 日本 🙂") == #""grüße 日本 🙂""#)
        #expect(GoString.quoted("\u{A0}\u{200B}\u{E0001}") == #""\u00a0\u200b\U000e0001""#)
    }

    @Test(
        "bytes that are no UTF-8 are quoted one by one",
        arguments: [
            ([0xff, 0x41], #""\xffA""#), ([0xe6, 0x97], #""\xe6\x97""#), ([0xc0, 0x80], #""\xc0\x80""#),
            ([0xed, 0xa0, 0x80], #""\xed\xa0\x80""#), ([0xef, 0xbf, 0xbd], "\"\u{FFFD}\""),
            ([0xf4, 0x90, 0x80, 0x80], #""\xf4\x90\x80\x80""#),
        ] as [([UInt8], String)]
    )
    func invalidBytes(bytes: [UInt8], text: String) {
        #expect(GoString.quoted(bytes) == text)
    }

    @Test(
        "a number is quoted as its character",
        arguments: [
            (65, "'A'"), (39, #"'\''"#), (34, "'\"'"), (10, #"'\n'"#), (92, #"'\\'"#), (-1, "'\u{FFFD}'"),
            (0xd800, "'\u{FFFD}'"),
        ] as [(Int64, String)]
    )
    func characters(number: Int64, text: String) {
        #expect(GoString.quotedCharacter(number) == text)
    }

    @Test("what cannot do harm in a log stays as it is") func harmless() {
        #expect(GoString.harmless(Array(#"PUB a"b\c 日"#.utf8)) == #"PUB a"b\c 日"#)
        #expect(GoString.harmless([0x1b, 0x5b, 0x41, 0x0a, 0x80]) == #"\x1b[A\n\x80"#)
    }
}
