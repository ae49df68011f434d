import NATSTestServer
import NATSTestSupport
import Testing

@Suite struct WebSocketURLTests {
    private static func port(_ url: String) throws -> Int { try #require(Int(url.split(separator: ":").last ?? "")) }

    @Test("WebSocket clients are served when asked for, on a port of their own")
    func url() async throws {
        var options = NATSTestServer.Options()
        options.webSocket = .init()
        options.webSocket?.headers = ["X-Test": "yes"]
        try await NATSTestServer.withServer(options) { server in
            let url = try #require(server.webSocketURL)
            #expect(url.hasPrefix("ws://127.0.0.1:"))
            let port = try Self.port(url)
            #expect(port != server.port)
            let web = try RawConnection.connect(port: port)
            #expect(try await web.upgrade().contains("X-Test: yes\r\n"))
            #expect(try await web.readFrame().text.contains("\"port\":\(port),"))
            try await server.restart()
            let again = try RawConnection.connect(port: try Self.port(try #require(server.webSocketURL)))
            _ = try await again.upgrade()
            #expect(try await again.readFrame().text.contains(server.serverID))
            await server.stop()
            #expect(server.webSocketURL == nil)
        }
    }

    @Test("there are none unless they are asked for")
    func off() async throws {
        try await NATSTestServer.withServer { server in #expect(server.webSocketURL == nil) }
    }

    @Test("with certificates the connections are secured")
    func secured() async throws {
        let authority = try TestAuthority()
        let own = try authority.server()
        var options = NATSTestServer.Options()
        options.webSocket = .init()
        options.webSocket?.tls = .init(certificate: .text(own.certificateText), key: .text(own.keyText))
        try await NATSTestServer.withServer(options) { server in
            let url = try #require(server.webSocketURL)
            #expect(url.hasPrefix("wss://127.0.0.1:"))
            var client = SecureConnection.Options(authority: authority.text)
            client.handshakeFirst = true
            let web = try await SecureConnection.connect(port: try Self.port(url), client)
            await web.send(WebSocketBytes.request())
            #expect(try await web.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
        }
    }

    @Test("options that do not go together are refused in the official server's words")
    func refused() async throws {
        var options = NATSTestServer.Options()
        options.webSocket = .init()
        options.webSocket?.allowedOrigins = ["null"]
        await #expect(throws: NATSTestServerError.self) { try await NATSTestServer.start(options) }
        options.webSocket?.allowedOrigins = []
        options.webSocket?.noAuthUser = "nobody"
        await #expect(throws: NATSTestServerError.self) { try await NATSTestServer.start(options) }
        options.webSocket?.noAuthUser = nil
        options.webSocket?.jwtCookie = "jwt"
        await #expect(throws: NATSTestServerError.self) { try await NATSTestServer.start(options) }
        options.webSocket?.jwtCookie = ""
        options.webSocket?.headers = ["Host": "x"]
        await #expect(throws: NATSTestServerError.self) { try await NATSTestServer.start(options) }
    }
}
