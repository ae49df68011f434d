import NATSCommandSupport
import NATSWire
import NIOCore
import Testing

@Suite("JSON messages")
struct JSONMessageTests {
    private func parse(_ line: String) throws(JSONMessage.Malformed) -> JSONMessage {
        try JSONMessage(parsing: ByteBuffer(string: line))
    }

    @Test("every key of a message is read")
    func full() throws {
        let message = try self.parse(
            #"{"subject":"a.b","reply":"r","headers":{"K":["v1","v2"],"L":"x"},"status":503,"data":"a\"b\n","time":"t","seq":1}"#
        )
        #expect(message.subject == "a.b")
        #expect(message.reply == "r")
        #expect(message.headers == NATSHeaders([("K", "v1"), ("K", "v2"), ("L", "x")]))
        #expect(String(buffer: message.payload) == "a\"b\n")
    }

    @Test(
        "payloads",
        arguments: [
            (#"{}"#, ""), (#"{"data":""}"#, ""), (#"{"data":null}"#, ""), (#"{"data":"\u00e4\ud83d\ude00"}"#, "ä😀"),
            (#"{"data_base64":"YWJj"}"#, "abc"),
            (
                #"{"payload":{"b": [1, 2.50e1, null ,true],"a":"x\/y\u0001\\"}}"#,
                #"{"b":[1,2.50e1,null,true],"a":"x/y\u0001\\"}"#
            ),
            (#"{"payload":null}"#, "null"), (#"{"payload":"text"}"#, #""text""#), (#" { "payload" : [ ] } "#, "[]"),
            (#"{"data":"a","data":"b"}"#, "b"), (#"{"payload":"\n\t\"\b\f\r"}"#, #""\n\t\"\b\f\r""#),
        ]
    )
    func payloads(line: String, payload: String) throws {
        #expect(String(buffer: try self.parse(line).payload) == payload)
    }

    @Test("bytes that are no text come by base 64")
    func bytes() throws {
        #expect(try self.parse(#"{"data_base64":"/wA="}"#).payload == ByteBuffer(bytes: [0xFF, 0]))
    }

    @Test(
        "what cannot be a message is refused",
        arguments: [
            "", "x", "[]", "1", "{", #"{"data":1}"#, #"{"subject":1}"#, #"{"reply":[]}"#, #"{"headers":[]}"#,
            #"{"headers":{"K":1}}"#, #"{"headers":{"K":[1]}}"#, #"{"data_base64":"*"}"#, #"{"data":"a","payload":1}"#,
            #"{"data":"a"}{"data":"b"}"#, #"{"data":"a","data_base64":"YQ=="}"#, String(repeating: "[", count: 100_000),
        ]
    )
    func malformed(line: String) {
        #expect(throws: JSONMessage.Malformed.self) { try self.parse(line) }
    }

    @Test("what is not UTF-8 is refused, not replaced")
    func notUTF8() {
        let line = ByteBuffer(bytes: Array(#"{"data":""#.utf8) + [0xFF] + Array(#""}"#.utf8))
        #expect(throws: JSONMessage.Malformed(description: "not UTF-8")) { try JSONMessage(parsing: line) }
    }

    @Test("no prefix of a message and no changed byte does any harm")
    func hostile() {
        let line = Array(#"{"subject":"a","headers":{"K":["v"]},"payload":{"x":[1,"\u00e4"]}}"#.utf8)
        for length in 0...line.count { _ = try? JSONMessage(parsing: ByteBuffer(bytes: line[..<length])) }
        for index in line.indices {
            for byte in [0, 0x22, 0x5C, 0x7B, 0x7D, 0xFF] as [UInt8] {
                var changed = line
                changed[index] = byte
                _ = try? JSONMessage(parsing: ByteBuffer(bytes: changed))
            }
        }
    }
}
