/// WebSocket by hand: what a test sends and receives, byte by byte.
package enum WebSocketBytes {
    /// A client's frame.
    ///
    /// - Parameters:
    ///   - opcode: 1 text, 2 binary, 0 continuation, 8 close, 9 ping, 10 pong.
    ///   - payload: What it carries.
    ///   - isFinal: Whether the message ends with it.
    ///   - reserved: The three reserved bits; 4 says that it is compressed.
    ///   - mask: The masking key; `nil` for an unmasked frame.
    /// - Returns: its bytes.
    package static func frame(
        _ opcode: UInt8,
        _ payload: [UInt8],
        isFinal: Bool = true,
        reserved: UInt8 = 0,
        mask: [UInt8]? = [1, 2, 3, 4]
    ) -> [UInt8] {
        var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ...125: bytes.append(maskBit | UInt8(payload.count))
        case ...0xffff: bytes += [maskBit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        default:
            bytes.append(maskBit | 127)
            bytes += (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) }
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    package static func frame(_ opcode: UInt8, _ text: String, isFinal: Bool = true) -> [UInt8] {
        self.frame(opcode, Array(text.utf8), isFinal: isFinal)
    }

    /// A close frame.
    package static func close(_ status: UInt16, _ text: String = "") -> [UInt8] {
        self.frame(8, [UInt8(status >> 8), UInt8(status & 0xff)] + Array(text.utf8))
    }

    /// A request that becomes a WebSocket connection.
    package static func request(
        _ path: String = "/",
        method: String = "GET",
        key: String = "dGhlIHNhbXBsZSBub25jZQ==",
        _ headers: String...
    ) -> String {
        """
        \(method) \(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: \(key)\r\nSec-WebSocket-Version: 13\r\n\(headers.map { $0 + "\r\n" }.joined())\r\n
        """
    }
}

/// A frame that the server sent.
package struct WebSocketServerFrame: Sendable, Equatable {
    package var opcode: UInt8
    package var isFinal = true
    package var isCompressed = false
    package var payload: [UInt8]

    package init(_ opcode: UInt8, _ payload: [UInt8]) {
        self.opcode = opcode
        self.payload = payload
    }

    package var text: String { String(decoding: self.payload, as: UTF8.self) }
}

extension RawConnection {
    /// Asks for a WebSocket connection, and reads the answer.
    package func upgrade(
        _ request: String = WebSocketBytes.request(),
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> String {
        await self.send(request)
        return String(decoding: try await self.read(until: "\r\n\r\n", fileID: fileID, line: line), as: UTF8.self)
    }

    /// Reads a frame; the server's PINGs, which begin two seconds after a CONNECT, are answered and not shown.
    package func readFrame(fileID: String = #fileID, line: Int = #line) async throws -> WebSocketServerFrame {
        while true {
            let frame = try await self.readAnyFrame(fileID: fileID, line: line)
            guard frame.opcode == 2, frame.text == "PING\r\n" else { return frame }
            await self.send(WebSocketBytes.frame(2, "PONG\r\n"))
        }
    }

    private func readAnyFrame(fileID: String, line: Int) async throws -> WebSocketServerFrame {
        let start = try await self.read(count: 2, fileID: fileID, line: line)
        var count = Int(start[1])
        let more = count == 126 ? 2 : count == 127 ? 8 : 0
        if more > 0 {
            count = try await self.read(count: more, fileID: fileID, line: line).reduce(0) { $0 << 8 | Int($1) }
        }
        var frame = WebSocketServerFrame(
            start[0] & 0x0f,
            try await self.read(count: count, fileID: fileID, line: line)
        )
        frame.isFinal = start[0] & 0x80 != 0
        frame.isCompressed = start[0] & 0x40 != 0
        return frame
    }

    /// Reads a frame that ends the connection, and its end.
    package func readClose(fileID: String = #fileID, line: Int = #line) async throws -> String {
        let frame = try await self.readFrame(fileID: fileID, line: line)
        guard frame.opcode == 8, frame.payload.count >= 2 else { return "no close frame but \(frame)" }
        try await self.expectEnd(fileID: fileID, line: line)
        let status = Int(frame.payload[0]) << 8 | Int(frame.payload[1])
        return "\(status) \(String(decoding: frame.payload.dropFirst(2), as: UTF8.self))"
    }

    /// Reads protocol bytes, in however many uncompressed frames they come, until there are as many as are expected.
    package func readData(count: Int, fileID: String = #fileID, line: Int = #line) async throws -> String {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let frame = try await self.readFrame(fileID: fileID, line: line)
            guard frame.opcode == 2, !frame.isCompressed else {
                throw UnexpectedBytes(
                    "frame \(frame)",
                    expected: "data",
                    inbox: self.inbox.value,
                    fileID: fileID,
                    line: line
                )
            }
            bytes += frame.payload
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
