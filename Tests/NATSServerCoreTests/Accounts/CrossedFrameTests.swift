import NATSWire
import Testing

@testable import NATSServerCore

@Suite("messages that go to another account")
struct CrossedFrameTests {
    /// What becomes of the header of a request that says who makes it.
    private func header(of header: String) -> String? {
        var input = Array("HPUB a b \(header.utf8.count) \(header.utf8.count + 2)\r\n\(header)hi\r\n".utf8)
        let parser = ClientOperationParser(maxControlLine: 4096, maxPayload: 1 << 20, headersEnabled: true)
        var operation = ClientOperation()
        let count = input.count
        let frame: [UInt8]? = input.withUnsafeMutableBufferPointer { bytes in
            guard let base = bytes.baseAddress,
                case .operation = parser.next(base, from: 0, to: count, into: &operation)
            else { return nil }
            return CrossedFrame.make(
                base,
                &operation,
                subject: Array("a".utf8),
                reply: Array("r".utf8),
                requestInfo: Array("true".utf8)
            )
        }
        guard let text = frame.map({ String(decoding: $0, as: UTF8.self) }), let start = text.firstRange(of: "NATS/1.0")
        else { return nil }
        return String(text[start.lowerBound...])
    }

    @Test("nobody's own line about the request gets through, wherever lines may end")
    func forged() {
        let expected = "NATS/1.0\r\nX: a\r\nNats-Request-Info: true\r\n\r\nhi\r\n"
        #expect(self.header(of: "NATS/1.0\r\nX: a\r\n\r\n") == expected)
        #expect(self.header(of: "NATS/1.0\r\nX: a\r\nNats-Request-Info: false\r\n\r\n") == expected)
        #expect(
            self.header(of: "NATS/1.0\r\nX: a\nNats-Request-Info: false\r\n\r\n")
                == "NATS/1.0\r\nX: a\nNats-Request-Info: true\r\n\r\nhi\r\n"
        )
        #expect(
            self.header(of: "NATS/1.0\r\nX: aYZ")
                == "NATS/1.0\r\nX: a\r\nNats-Request-Info: true\r\n\r\nhi\r\n"
        )
    }
}
