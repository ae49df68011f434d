import NATSTestSupport
import Testing

@testable import NATSClient

@Suite("The trace of the protocol")
struct ProtocolTraceTests {
    private func lines(_ pieces: [ArraySlice<UInt8>]) -> [String] {
        var scanner = ControlLineScanner()
        var found: [String] = []
        for piece in pieces {
            Array(piece).withUnsafeBytes { bytes in
                scanner.scan(bytes) { found.append(String(decoding: $0, as: UTF8.self)) }
            }
        }
        return found
    }

    @Test("lines are found, headers and payloads passed over, wherever the bytes are cut")
    func splits() {
        let stream = Array(
            """
            INFO {"a":1}\r\nPING\r\nMSG a.b 1 7\r\nPING\r\nx\r\nHMSG a 2 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n\
            pub x 0\r\n\r\nHPUB y 12 12\r\nNATS/1.0\r\n\r\n\r\n+OK\n-ERR 'x'\r\n
            """.utf8
        )
        let expected = [
            "INFO {\"a\":1}", "PING", "MSG a.b 1 7", "HMSG a 2 r 12 14", "pub x 0", "HPUB y 12 12", "+OK", "-ERR 'x'",
        ]
        for (head, tail) in ByteSlicer.everySplit(stream) { #expect(self.lines([head, tail]) == expected) }
        #expect(self.lines(ByteSlicer.pieces(stream, of: 1)) == expected)
    }

    @Test(
        "what no server sends traps nobody and fills no memory",
        arguments: [
            "MSG a 1 9223372036854775807", "MSG a 1 -1", "MSG a 1 99999999999999999999", "MSG", "", " ", "HMSG a 1 x y",
        ]
    )
    func hostile(line: String) {
        #expect(self.lines([Array("\(line)\r\nPING\r\n".utf8)[...]]) == [line, "PING"])
        // Without a line end only a beginning is kept.
        let flood = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 18)[...]
        let found = self.lines([ArraySlice<UInt8>](repeating: flood, count: 8) + [[0x0A]])
        #expect(found.map(\.utf8.count) == [1 << 20])
    }

    @Test(
        "CONNECT is shown without its secrets",
        arguments: [
            (#"{"verbose":false,"pass":"p\"w","user":"u"}"#, #"{"verbose":false,"pass":"[REDACTED]","user":"u"}"#),
            (#"{"auth_token":"t","name":"pass"}"#, #"{"auth_token":"[REDACTED]","name":"pass"}"#),
            (#"{"jwt": "e.y","sig" :"s","nkey":"U"}"#, #"{"jwt": "[REDACTED]","sig" :"s","nkey":"U"}"#),
            (#"{"sig":"s","name":"\"sig\":\"x\"","pass":"#, #"{"sig":"[REDACTED]","name":"\"sig\":\"x\"","pass":"#),
            (#"{"pass":"unclosed"#, #"{"pass":"[REDACTED]""#),
            (#"{"pass":1,"name":"n"}"#, #"{"pass":1,"name":"n"}"#),
        ]
    )
    func secrets(payload: String, shown: String) {
        let line = ProtocolTraceLine(.sent, Array("CONNECT \(payload)".utf8))
        // Our own encoder puts no blank in front of a colon.
        #expect(String(decoding: line.bytes, as: UTF8.self) == "CONNECT \(shown)")
        let received = ProtocolTraceLine(.received, Array("INFO \(payload)".utf8))
        #expect(String(decoding: received.bytes, as: UTF8.self) == "INFO \(payload)")
    }
}
