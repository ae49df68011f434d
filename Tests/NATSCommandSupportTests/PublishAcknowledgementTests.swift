import NATSCommandSupport
import NIOCore
import Testing

@Suite("Publish acknowledgements")
struct PublishAcknowledgementTests {
    @Test(
        "lines",
        arguments: [
            (#"{"stream":"S","seq":12}"#, "Stored in Stream: S Sequence: 12"),
            (#"{"stream":"S","seq":1,"domain":"d"}"#, #"Stored in Stream: S Sequence: 1 Domain: "d""#),
            (
                #"{"stream":"S","domain":"","seq":1,"duplicate":true}"#,
                "Stored in Stream: S Sequence: 1 Duplicate: true"
            ),
            (
                #"{"stream":"S","seq":18446744073709551615,"duplicate":false}"#,
                "Stored in Stream: S Sequence: 18446744073709551615"
            ),
        ]
    )
    func lines(json: String, line: String) throws {
        #expect(try PublishAcknowledgement(parsing: ByteBuffer(string: json)).line == line)
    }

    @Test(
        "what is none is refused",
        arguments: [
            "", "x", "[]", "{}", #"{"stream":"S"}"#, #"{"stream":"S","seq":-1}"#, #"{"stream":1,"seq":1}"#,
            #"{"error":{"code":400,"err_code":10071,"description":"no"},"stream":"S","seq":0}"#,
        ]
    )
    func refusals(json: String) {
        #expect(throws: PublishAcknowledgement.Refusal.self) {
            try PublishAcknowledgement(parsing: ByteBuffer(string: json))
        }
    }
}
