import NATSWebSocket

/// The request that makes a WebSocket connection, and what is wrong with an answer to it (RFC 6455, 4.1).
struct WebSocketRequest {
    typealias Header = NATSClientConfiguration.WebSocket.Header

    private static let compression = "permessage-deflate"

    /// Host and port, as the URL has them.
    let host: String
    let path: String
    let key: String
    let offersCompression: Bool

    /// An answer that does not make a WebSocket connection, for people.
    struct Refusal: Error, Equatable {
        let text: String
    }

    init(address: ServerAddress, path: String?, key: String, offersCompression: Bool) {
        self.host = address.hostAndPort
        let path = path ?? address.path
        self.path = path.hasPrefix("/") ? path : "/" + path
        self.key = key
        self.offersCompression = offersCompression
    }

    func bytes(_ headers: [Header]) -> [UInt8] {
        var text = """
            GET \(self.path) HTTP/1.1\r\nHost: \(self.host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: \(self.key)\r\nSec-WebSocket-Version: 13\r\n
            """
        if self.offersCompression {
            text += """
                Sec-WebSocket-Extensions: \(Self.compression); server_no_context_takeover; client_no_context_takeover\r\n
                """
        }
        for header in headers {
            text += "\(header.name): \(header.value)\r\n"
        }
        return Array((text + "\r\n").utf8)
    }

    /// Looks at the answer.
    ///
    /// - Returns: Whether messages may be compressed.
    func accept(_ head: HTTPHeadReader.Head) throws(Refusal) -> Bool {
        guard head.status == 101 else {
            throw Refusal(text: "it answered with status \(head.status)")
        }
        guard head.values("upgrade").contains(where: { $0.lowercased() == "websocket" }),
            head.values("connection").contains(where: { $0.lowercased() == "upgrade" })
        else {
            throw Refusal(text: "its answer does not change to WebSocket")
        }
        guard head.values("sec-websocket-accept") == [Substring(WebSocketKey.acceptance(of: self.key))] else {
            throw Refusal(text: "its answer is not to this request: Sec-WebSocket-Accept is wrong")
        }
        guard head.values("sec-websocket-protocol").isEmpty else {
            throw Refusal(text: "it chose a subprotocol that it was not offered")
        }
        let extensions = head.values("sec-websocket-extensions")
        guard let first = extensions.first else {
            return false
        }
        guard extensions.count == 1, self.offersCompression, Self.isCompression(first) else {
            throw Refusal(text: "it chose extensions that it was not offered")
        }
        return true
    }

    /// nats.go wsPMCExtensionSupport: without context takeover on either side.
    private static func isCompression(_ text: Substring) -> Bool {
        let parts = text.split(separator: ";").map { HTTPHeadReader.Head.trimmed($0).lowercased() }
        guard parts.first == self.compression else {
            return false
        }
        let parameters = Set(parts.dropFirst())
        // A smaller window of the server is one that any reader can have; of the client's there was no word.
        return parameters.isSuperset(of: ["server_no_context_takeover", "client_no_context_takeover"])
            && parameters.allSatisfy { parameter in
                parameter.hasSuffix("_no_context_takeover") || parameter.hasPrefix("server_max_window_bits=")
            }
    }

    // MARK: What can be sent

    static func isValid(path: String) -> Bool {
        path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }
    }

    /// What is wrong with headers; never shows a value.
    static func problem(with headers: [Header]) -> String? {
        for header in headers {
            let name = header.name.lowercased()
            guard !name.isEmpty, name.utf8.allSatisfy(self.isTokenByte) else {
                return "the name of a header of WebSocket requests is malformed"
            }
            guard !["host", "upgrade", "connection"].contains(name), !name.hasPrefix("sec-websocket-") else {
                return "the header \(header.name) of WebSocket requests is not the user's to set"
            }
            guard header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
                return "the header \(header.name) of WebSocket requests has a value that cannot be sent"
            }
        }
        return nil
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
