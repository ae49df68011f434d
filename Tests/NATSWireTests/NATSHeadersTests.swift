import NATSWire
import Testing

@Suite struct NATSHeadersTests {
    private func parse(_ text: String) -> HeaderBlock? {
        Array(text.utf8).withUnsafeBytes { HeaderBlock(parsing: $0) }
    }

    @Test("fields keep their order, their case and repeated names")
    func order() {
        var headers: NATSHeaders = ["B": "1", "a": "2", "B": "3"]
        #expect(headers.values("B") == ["1", "3"])
        #expect(headers.first("b") == nil)
        #expect(headers.first(ignoringCase: "b") == "1")
        #expect(headers.map(\.name) == ["B", "a", "B"])
        headers["B"] = "9"
        #expect(headers == ["B": "9", "a": "2"])
        headers["B"] = nil
        #expect(headers == ["a": "2"])
        headers.append(name: "A", value: "4")
        #expect(headers.values(ignoringCase: "a") == ["2", "4"])
    }

    @Test("a block is written and read back")
    func roundTrip() {
        let headers: NATSHeaders = ["Bar": "Baz", "Nats-Msg-Id": "a: b", "Bar": "", "X": "  é "]
        let bytes = HeaderBlock.encode(headers)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "NATS/1.0\r\nBar: Baz\r\nNats-Msg-Id: a: b\r\nBar: \r\nX: é\r\n\r\n"
        )
        let block = bytes.withUnsafeBytes { HeaderBlock(parsing: $0) }
        #expect(block?.headers == ["Bar": "Baz", "Nats-Msg-Id": "a: b", "Bar": "", "X": "é"])
        #expect(block?.status == nil)
    }

    @Test("status and description stand outside the fields")
    func status() {
        #expect(self.parse("NATS/1.0 503\r\n\r\n") == HeaderBlock(status: 503))
        #expect(
            self.parse("NATS/1.0 409  Consumer Deleted \r\n\r\n")
                == HeaderBlock(status: 409, statusDescription: "Consumer Deleted")
        )
        #expect(
            self.parse("NATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n")
                == HeaderBlock(status: 503, headers: ["Nats-Subject": "nobody"])
        )
        #expect(self.parse("NATS/1.0 x\r\n\r\n") == HeaderBlock())
    }

    @Test("a line with an empty name is skipped, one without colon spoils the block")
    func malformed() {
        #expect(self.parse("NATS/1.0\r\n: x\r\nA:b\r\n\r\n") == HeaderBlock(headers: ["A": "b"]))
        #expect(self.parse("NATS/1.0\r\nno colon\r\n\r\n") == nil)
        #expect(self.parse("hello") == nil)
        #expect(self.parse("") == nil)
    }

    @Test("bytes that are not UTF-8 never trap")
    func binary() {
        let bytes: [UInt8] = Array("NATS/1.0 \u{1}".utf8) + [0xFF, 0x0D, 0x0A, 0xFE, 0x3A, 0xFF, 0x0A]
        let block = bytes.withUnsafeBytes { HeaderBlock(parsing: $0) }
        #expect(block?.headers.count == 1)
    }

    @Test("names outside the grammar and line breaks in values are found")
    func validation() {
        #expect(HeaderBlock.firstInvalidField(in: ["A-b": "any thing: é"]) == nil)
        for headers in [["": "x"], ["a b": "x"], ["a:": "x"], ["é": "x"], ["a": "x\ny"], ["a": "\r"]] as [NATSHeaders] {
            #expect(HeaderBlock.firstInvalidField(in: headers) == headers.first)
        }
    }

    @Test("whether a block can be read is known without reading it")
    func readable() {
        let pieces = ["", "\r\n", "\n", "\r", "a: b", "a", ":", " ", "NATS/1.0", "NATS/1.1", " 503 x", "a:b\r\n"]
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    for fourth in pieces {
                        for text in [first + second + third + fourth, "NATS/1.0" + first + second + third + fourth] {
                            let isReadable = Array(text.utf8).withUnsafeBytes { HeaderBlock.isReadable($0) }
                            #expect(isReadable == (self.parse(text) != nil), "\(text.debugDescription)")
                        }
                    }
                }
            }
        }
    }
}
