import NATSTestSupport
import NATSWebSocket
import NIOCore
import Testing

@testable import NATSServerCore

@Suite struct WebSocketFrameParserTests {
    /// What a stream of frames means, whichever way it is cut: runs of data are put together.
    private enum Meaning: Equatable {
        case data([UInt8], isCompressed: Bool)
        case messageEnd
        case ping([UInt8])
        case pong
        case close([UInt8])
        case failure(String)
    }

    private static func meaning(
        of pieces: [[UInt8]],
        masked: Bool = true,
        compressing: Bool = true
    ) -> [Meaning] {
        var parser = WebSocketFrameParser(isMasked: masked, isCompressing: compressing)
        var result: [Meaning] = []
        for piece in pieces {
            var bytes = piece
            bytes.withUnsafeMutableBytes { bytes in
                var position = 0
                while let event = parser.next(bytes, &position) {
                    switch event {
                    case .data(let range, isCompressed: let isCompressed, isLast: let isLast):
                        let new = Array(bytes[range])
                        if case .data(let old, isCompressed: isCompressed)? = result.last {
                            result[result.count - 1] = .data(old + new, isCompressed: isCompressed)
                        } else {
                            result.append(.data(new, isCompressed: isCompressed))
                        }
                        if isLast { result.append(.messageEnd) }
                    case .ping(let payload): result.append(.ping(payload))
                    case .pong: result.append(.pong)
                    case .close(let payload): result.append(.close(payload))
                    case .failure(let text): result.append(.failure(text))
                    }
                }
                #expect(position <= bytes.count)
            }
        }
        return result
    }

    @Test("a split after any byte yields the same data, pings and ends")
    func splits() {
        let long = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        let stream =
            WebSocketBytes.frame(2, "PING\r\n") + WebSocketBytes.frame(2, "PI", isFinal: false)
            + WebSocketBytes.frame(9, "hey") + WebSocketBytes.frame(0, "NG\r\n") + WebSocketBytes.frame(1, "")
            + WebSocketBytes.frame(2, long, reserved: 4, mask: [9, 200, 7, 255]) + WebSocketBytes.frame(10, "")
            + WebSocketBytes.close(1000, "bye")
        let expected: [Meaning] = [
            .data(Array("PING\r\n".utf8), isCompressed: false), .messageEnd,
            .data(Array("PI".utf8), isCompressed: false), .ping(Array("hey".utf8)),
            .data(Array("NG\r\n".utf8), isCompressed: false), .messageEnd, .data([], isCompressed: false), .messageEnd,
            .data(long, isCompressed: true), .messageEnd, .pong, .close([3, 232] + Array("bye".utf8)),
        ]
        #expect(Self.meaning(of: [stream]) == expected)
        for cut in 1..<stream.count {
            #expect(Self.meaning(of: [Array(stream[..<cut]), Array(stream[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(Self.meaning(of: stream.map { [$0] }) == expected)
    }

    @Test("frames without a mask are read as they are where that was agreed")
    func unmasked() {
        let stream = WebSocketBytes.frame(2, Array("PING\r\n".utf8), mask: nil)
        #expect(
            Self.meaning(of: [stream], masked: false)
                == [.data(Array("PING\r\n".utf8), isCompressed: false), .messageEnd]
        )
        #expect(Self.meaning(of: [stream]) == [.failure("mask bit missing")])
    }

    static let wrong: [(bytes: [UInt8], compressing: Bool, text: String)] = [
        (WebSocketBytes.frame(2, [1], reserved: 2), true, "RSV2 and RSV3 must be clear"),
        (WebSocketBytes.frame(2, [1], reserved: 1), true, "RSV2 and RSV3 must be clear"),
        (
            WebSocketBytes.frame(2, [1], reserved: 4), false,
            "compressed frame received without negotiated permessage-deflate"
        ),
        (WebSocketBytes.frame(2, [1], mask: nil), true, "mask bit missing"),
        (WebSocketBytes.frame(3, [1]), true, "unknown opcode 3"),
        (WebSocketBytes.frame(11, [1]), true, "unknown opcode 11"),
        (WebSocketBytes.frame(0, [1]), true, "invalid continuation frame"),
        (
            WebSocketBytes.frame(2, "P", isFinal: false) + WebSocketBytes.frame(0, [1], reserved: 4), true,
            "invalid continuation frame"
        ),
        (
            WebSocketBytes.frame(2, "P", isFinal: false) + WebSocketBytes.frame(2, [1]), true,
            "new message started before final frame for previous message was received"
        ),
        (
            WebSocketBytes.frame(9, Array(repeating: 1, count: 126)), true,
            "control frame length bigger than maximum allowed of 125 bytes"
        ),
        (WebSocketBytes.frame(9, [1], isFinal: false), true, "control frame does not have final bit set"),
        (WebSocketBytes.frame(9, [1], reserved: 4), true, "control frame must not be compressed"),
        ([0x82, 0xff] + Array(repeating: 0xff, count: 8), true, "invalid 64-bit payload length"),
    ]

    @Test("what breaks the protocol is told in the official words, and nothing is read after it", arguments: wrong)
    func failures(bytes: [UInt8], compressing: Bool, text: String) {
        let result = Self.meaning(of: [bytes + WebSocketBytes.frame(9, "x")], compressing: compressing)
        #expect(result.last == .failure(text))
    }

    @Test("random bytes never trap, and data never exceeds them")
    func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            var bytes = (0..<Int.random(in: 1...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { (bytes[0], bytes[bytes.count / 2]) = (0x82, 0x80) }
            for masked in [true, false] {
                var total = 0
                for case .data(let data, isCompressed: _) in Self.meaning(of: [bytes], masked: masked) {
                    total += data.count
                }
                #expect(total <= bytes.count)
            }
        }
    }

    @Test("a close frame's answer, or what is wrong with it")
    func closing() {
        func answer(_ payload: [UInt8]) -> Result<WebSocketClosing, WebSocketClosing.Failure> {
            WebSocketClosing.answer(to: payload)
        }
        #expect(answer([]) == .success(WebSocketClosing()))
        #expect(answer([3, 232, 0x61]) == .success(WebSocketClosing(status: 1000, text: "a")))
        #expect(answer([1]) == .failure(.init("close frame payload cannot be 1 byte")))
        #expect(answer([3, 237]) == .failure(.init("invalid close status code 1005")))
        #expect(answer([0, 0]) == .failure(.init("invalid close status code 0")))
        #expect(answer([0x13, 0x88]) == .failure(.init("invalid close status code 5000")))
        #expect(
            answer([3, 232, 0xff])
                == .success(WebSocketClosing(status: 1007, text: "invalid utf8 body in close frame"))
        )
        #expect(WebSocketClosing(status: 1000, text: String(repeating: "a", count: 200)).payload.count == 125)
        for reason in [ClosedReason.authenticationExpired, .revocation, .authenticationFailure, .authenticationTimeout]
        {
            #expect(WebSocketClosing(reason).payload == [3, 240] + Array(reason.rawValue.utf8))
        }
        #expect(WebSocketClosing(.serverShutdown).payload == [3, 233] + Array("Server Shutdown".utf8))
    }
}
