import NATSText
import Testing

@Suite struct Base32Tests {
    @Test(
        "base 32 without padding, as in RFC 4648",
        arguments: [
            ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ]
    )
    func base32(text: String, encoded: String) {
        #expect(Base32.encode(Array(text.utf8)) == encoded)
        #expect(Base32.decode(encoded) == Array(text.utf8))
    }

    @Test("what is not base 32 is refused", arguments: ["a", "M1", "MZXW6YTB=", "MZ XQ", "é"])
    func notBase32(text: String) {
        #expect(Base32.decode(text) == nil)
    }

    @Test(
        "line ends are skipped, as in Go",
        arguments: ["\r\nMZXW6YTB", "MZ\nXW6\rYTB\r\n", "MZXW6YTB\n\n", "MZXW6YTB\nA"]
    )
    func lineEnds(text: String) {
        #expect(Base32.decode(text) == Array("fooba".utf8))
    }

    @Test("a group at the end that cannot end with a byte gives none, as in Go", arguments: ["", "A", "AAA", "AAAAAA"])
    func oddEnds(end: String) {
        #expect(Base32.decode("MZXW6YTB" + end) == Array("fooba".utf8))
    }
}
