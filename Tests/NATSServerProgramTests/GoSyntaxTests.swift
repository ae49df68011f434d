import Testing

@testable import nats_server

@Suite struct GoSyntaxTests {
    @Test(
        "integers read as Go's ParseInt with base 0 reads them",
        arguments: [
            ("0", 0), ("4222", 4222), ("-1", -1), ("+7", 7), ("0x10", 16), ("0XfF", 255), ("0b11", 3), ("0o17", 15),
            ("010", 8), ("0_7", 7), ("1_000", 1000), ("0x_ff", 255), ("-0x10", -16), ("00", 0),
            ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min),
        ]
    )
    func integers(text: String, value: Int) {
        #expect(GoSyntax.integer(text) == .value(value))
    }

    @Test(
        "what is no integer in Go is none here",
        arguments: [
            "", "-", "+", "abc", " 1", "1 ", "0x", "0b2", "08", "1__0", "_1", "1_", "0x1_", "--1", "1.0", "0_x1", "１",
        ]
    )
    func malformedIntegers(text: String) {
        #expect(GoSyntax.integer(text) == .malformed)
    }

    @Test(
        "integers beyond 64 bits are out of range, not malformed",
        arguments: ["9223372036854775808", "-9223372036854775809", "99999999999999999999", "0xffffffffffffffff1"]
    )
    func largeIntegers(text: String) {
        #expect(GoSyntax.integer(text) == .outOfRange)
    }

    @Test("an overflow comes before a wrong digit that follows it")
    func overflowWithWrongDigit() {
        #expect(GoSyntax.integer("99999999999999999999999z") == .outOfRange)
        #expect(GoSyntax.integer("1__99999999999999999999999") == .outOfRange)
        #expect(GoSyntax.integer("z99999999999999999999999") == .malformed)
    }

    @Test("booleans have Go's twelve spellings and no other")
    func booleans() {
        for text in ["1", "t", "T", "TRUE", "true", "True"] {
            #expect(GoSyntax.boolean(text) == true)
        }
        for text in ["0", "f", "F", "FALSE", "false", "False"] {
            #expect(GoSyntax.boolean(text) == false)
        }
        for text in ["", "yes", "on", "tRUE", "2", " true"] {
            #expect(GoSyntax.boolean(text) == nil)
        }
    }
}
