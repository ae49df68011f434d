import NATSWire
import Testing

@Suite struct JSONDocumentWriterTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func escaped(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        bytes.withUnsafeBytes { JSONText.append($0, to: &result) }
        return self.text(result)
    }

    @Test("members, arrays and empty containers are laid out as json.MarshalIndent does it")
    func layout() {
        var writer = JSONDocumentWriter()
        writer.object { writer in
            writer.write("a", 1)
            writer.object("empty") { _ in }
            writer.array("none") { _ in }
            writer.object("inner") { writer in
                writer.write("flag", true)
                writer.writeNull("nothing")
            }
            writer.array("list") { writer in
                writer.element("x")
                writer.object { $0.write("b", -20) }
                writer.element("y")
            }
            writer.write("last", "end")
        }
        #expect(
            self.text(writer.bytes) == """
                {
                  "a": 1,
                  "empty": {},
                  "none": [],
                  "inner": {
                    "flag": true,
                    "nothing": null
                  },
                  "list": [
                    "x",
                    {
                      "b": -20
                    },
                    "y"
                  ],
                  "last": "end"
                }
                """
        )
    }

    @Test("the compact form has no blanks")
    func compact() {
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { writer in
            writer.write("a", "b")
            writer.write("list", ["c", "d"])
            writer.write(named: "k<", 1)
        }
        #expect(self.text(writer.bytes) == #"{"a":"b","list":["c","d"],"k\u003c":1}"#)
    }

    @Test("empty values are left out where they may be")
    func omitted() {
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { writer in
            writer.writeUnlessEmpty("a", "")
            writer.writeUnlessEmpty("b", text: [])
            writer.writeUnlessEmpty("c", [])
            writer.writeUnlessFalse("d", false)
            writer.writeUnlessZero("e", 0)
            writer.writeUnlessZero("f", 7)
        }
        #expect(self.text(writer.bytes) == #"{"f":7}"#)
    }

    @Test(
        "strings are escaped as Go does it",
        arguments: [
            ("plain µ 漢 🙂", #""plain µ 漢 🙂""#), ("a\"b\\c", #""a\"b\\c""#), ("<&>", #""\u003c\u0026\u003e""#),
            ("\u{8}\u{c}\n\r\t\u{1}\u{7f}", "\"\\b\\f\\n\\r\\t\\u0001\u{7f}\""),
            ("\u{2028}\u{2029}\u{202a}", "\"\\u2028\\u2029\u{202a}\""), ("", "\"\""),
        ]
    )
    func escapes(text: String, expected: String) {
        #expect(self.escaped(Array(text.utf8)) == expected)
    }

    @Test("what is not UTF-8 becomes one replacement per byte, as in Go")
    func invalid() {
        #expect(self.escaped([0xff]) == #""\ufffd""#)
        #expect(self.escaped([0x61, 0xc3]) == #""a\ufffd""#)
        #expect(self.escaped([0xe2, 0x80]) == #""\ufffd\ufffd""#)
        // Overlong, a surrogate, beyond the last scalar.
        #expect(self.escaped([0xc0, 0x80]) == #""\ufffd\ufffd""#)
        #expect(self.escaped([0xed, 0xa0, 0x80]) == #""\ufffd\ufffd\ufffd""#)
        #expect(self.escaped([0xf4, 0x90, 0x80, 0x80]) == #""\ufffd\ufffd\ufffd\ufffd""#)
        #expect(self.escaped([0xf0, 0x9f, 0x99, 0x82, 0x62]) == "\"🙂b\"")
    }

    @Test(
        "numbers are written as Go writes a float64",
        arguments: [
            (0.0, "0"), (2.0, "2"), (0.5, "0.5"), (0.16666666666666666, "0.16666666666666666"), (0.8, "0.8"),
            (302.0, "302"), (1.0848056603773586, "1.0848056603773586"), (-1.25, "-1.25"), (0.0001, "0.0001"),
            (0.000001, "0.000001"), (0.0000001, "1e-7"), (1e20, "100000000000000000000"), (1e21, "1e+21"),
            (123_456_789.0, "123456789"), (1.5e-7, "1.5e-7"), (.infinity, "0"), (.nan, "0"),
            (1e16, "10000000000000000"),
        ] as [(Double, String)]
    )
    func numbers(value: Double, expected: String) {
        var bytes: [UInt8] = []
        JSONText.append(value, to: &bytes)
        #expect(self.text(bytes) == expected)
    }
}
