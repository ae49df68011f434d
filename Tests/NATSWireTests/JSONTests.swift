import NATSWire
import Testing

@Suite struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue {
        try JSONValue.parse(Array(text.utf8))
    }

    @Test("values of every kind are read")
    func values() throws {
        let value = try self.parse(#" {"a":[1,-2.5e3,true,false,null,"x\n\"é😀"],"b":{}} "#)
        #expect(
            value
                == .object([
                    (
                        "a",
                        .array([.number("1"), .number("-2.5e3"), .bool(true), .bool(false), .null, .string("x\n\"é😀")])
                    ),
                    ("b", .object([])),
                ])
        )
    }

    @Test("escapes for surrogate pairs are joined and lone surrogates replaced")
    func surrogates() throws {
        #expect(try self.parse(#""\ud83d\ude00""#) == .string("😀"))
        #expect(try self.parse(#""\ud83dx""#) == .string("\u{FFFD}x"))
        #expect(try self.parse(#""\ud83d\u0041""#) == .string("\u{FFFD}A"))
        #expect(try self.parse(#""\ude00""#) == .string("\u{FFFD}"))
    }

    @Test("invalid UTF-8 inside a string becomes the replacement character")
    func invalidUTF8() throws {
        #expect(try JSONValue.parse([0x22, 0xFF, 0x22]) == .string("\u{FFFD}"))
    }

    @Test(
        "malformed documents are refused",
        arguments: [
            "", " ", "{", "}", "{bad", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "[1,]", "[1", "01", "1.", "-", "1e", "+1",
            "tru", "nul", "\"", #""\x""#, #""\u12g4""#, "\"\u{1}\"", "{} x", "1 2", "'a'",
        ]
    )
    func malformed(text: String) {
        #expect(throws: JSONError.self) { try self.parse(text) }
    }

    @Test("nesting beyond the limit is refused, not recursed into")
    func depth() throws {
        let open = String(repeating: "[", count: 100)
        _ = try self.parse(open + String(repeating: "]", count: 100))
        #expect(throws: JSONError.self) { try self.parse(String(repeating: "[", count: 1_000_000)) }
    }

    @Test("every cut of a document is an error and never a trap")
    func cuts() throws {
        let bytes = Array(#"{"server_id":"N\u00e9","port":4222,"connect_urls":["a:1","b:2"],"ldm":true}"#.utf8)
        _ = try JSONValue.parse(bytes)
        for length in 0..<bytes.count {
            #expect(throws: JSONError.self) { try JSONValue.parse(Array(bytes[..<length])) }
        }
    }

    @Test("strings are escaped as Go's json.Marshal escapes them")
    func escapes() {
        var writer = JSONObjectWriter()
        writer.write("s", "a\"\\\n\r\t\u{8}\u{c}\u{1}<>&\u{2028}é\u{7f}")
        writer.write("l", ["x", "y"])
        writer.write("n", -5)
        writer.write("b", true)
        writer.finish()
        let expected =
            #"{"s":"a\"\\\n\r\t\b\f\u0001\u003c\u003e\u0026\u2028é"# + "\u{7f}" + #"","l":["x","y"],"n":-5,"b":true}"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }
}
