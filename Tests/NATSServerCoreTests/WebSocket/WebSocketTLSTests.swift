import NATSTestSupport
import NIOSSL
import Testing

@testable import NATSServerCore

/// Secured WebSocket connections, on the official server and ours.
@Suite("WebSocket by TLS", .timeLimit(.minutes(1))) struct WebSocketTLSTests {
    private let directory: TemporaryDirectory
    private let authority: TestAuthority
    private let block: String

    init() throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority()
        let paths = try authority.server().write(to: directory, as: "server")
        let authorities = try directory.write(authority.text, to: "ca.pem")
        self.directory = directory
        self.authority = authority
        self.block =
            "cert_file: \"\(paths.certificate)\", key_file: \"\(paths.key)\", ca_file: \"\(authorities)\", timeout: 30"
    }

    private func configuration(_ tls: String = "", _ more: String = "") -> String {
        "websocket { host: \"127.0.0.1\", port: -1, tls { \(self.block)\(tls) }\n\(more)\n}\ndebug: true\n"
    }

    private func options(_ identity: TestCertificate? = nil) -> SecureConnection.Options {
        var options = SecureConnection.Options(authority: self.authority.text, identity: identity)
        options.handshakeFirst = true
        return options
    }

    /// The INFO of a connection that has been made.
    private func upgrade(_ connection: SecureConnection) async throws -> String {
        await connection.send(WebSocketBytes.request())
        let answer = try await connection.read(until: "\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 101 "))
        return try await self.readData(connection)
    }

    /// The first byte and the payload of a frame; the server's PINGs, which begin two seconds after a CONNECT, are
    /// answered and not shown.
    private func readFrame(_ connection: SecureConnection) async throws -> (first: UInt8, payload: [UInt8]) {
        while true {
            let start = try await connection.read(count: 2)
            var count = Int(start[1])
            if count == 126 { count = try await connection.read(count: 2).reduce(0) { $0 << 8 | Int($1) } }
            let payload = try await connection.read(count: count)
            guard start[0] == 0x82, payload == Array("PING\r\n".utf8) else { return (start[0], payload) }
            await connection.send(WebSocketBytes.frame(2, "PONG\r\n"))
        }
    }

    private func readData(_ connection: SecureConnection) async throws -> String {
        let frame = try await self.readFrame(connection)
        #expect(frame.first == 0x82)
        return String(decoding: frame.payload, as: UTF8.self)
    }

    @Test("a client is served, and INFO, the log and the pages tell of it", arguments: ServerUnderTest.available)
    func served(server: ServerUnderTest) async throws {
        // With certificates there is TLS, whatever `no_tls` says.
        let text = self.configuration("", "no_tls: true") + "http: \"127.0.0.1:-1\"\n"
        try await ConfiguredServer.with(server, text) { server in
            let port = server.webSocketPort
            #expect(server.log.contains("Listening for websocket clients on wss://127.0.0.1:\(port)"))
            #expect(!server.log.contains("DO NOT USE IN PRODUCTION"))
            let web = try await SecureConnection.connect(port: port, self.options())
            let info = try await self.upgrade(web)
            #expect(info.contains("\"tls_required\":true,\"tls_available\":true"))
            #expect(info.contains("\"port\":\(port),"))
            // Clients of the other port need none.
            let plain = try await server.connect()
            await web.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPING\r\n"))
            #expect(try await self.readData(web) == "PONG\r\n")
            await plain.send("CONNECT {\"verbose\":false}\r\nPUB a 2\r\nok\r\nPING\r\n")
            try await plain.expect("PONG\r\n")
            #expect(try await self.readData(web) == "MSG a 1 2\r\nok\r\n")
            let connz = try await server.fetch("/connz").text.filter { !$0.isWhitespace }
            #expect(connz.contains("\"type\":\"websocket\""))
            #expect(connz.contains("\"tls_version\":\"1.3\",\"tls_cipher_suite\":\"TLS_AES_"))
            let varz = try await server.fetch("/varz").text.filter { !$0.isWhitespace }
            #expect(varz.contains("\"no_tls\":true,\"tls_cert_not_after\":\""), "\(varz)")
            await web.send(WebSocketBytes.close(1000, "bye"))
            let close = try await self.readFrame(web)
            #expect(close.first == 0x88 && close.payload == [3, 232] + Array("bye".utf8))
            _ = await web.readToEnd()
        }
    }

    @Test("who speaks no TLS is told so", arguments: ServerUnderTest.available)
    func plainHTTP(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, self.configuration()) { server in
            let plain = try RawConnection.connect(port: server.webSocketPort)
            await plain.send(WebSocketBytes.request())
            let answer = String(decoding: try await plain.readToEnd(), as: UTF8.self)
            #expect(
                answer
                    == "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
            )
            try await eventually("the log") {
                server.log.contains("websocket: TLS handshake error from 127.0.0.1:")
                    && server.log.contains(": client sent an HTTP request to an HTTPS server")
            }
            let garbage = try RawConnection.connect(port: server.webSocketPort)
            await garbage.send(WebSocketBytes.frame(2, "PING\r\n"))
            _ = await garbage.wait { $0.end != nil }
            #expect(garbage.hasEnded)
        }
    }

    @Test("certificates of clients are asked for, and may say who they are", arguments: ServerUnderTest.available)
    func clientCertificates(server: ServerUnderTest) async throws {
        let known = try self.authority.client(subject: [[("CN", "joe")]])
        let stranger = try TestAuthority(name: "Another Authority").client(subject: [[("CN", "joe")]])
        try await ConfiguredServer.with(server, self.configuration(", verify: true")) { server in
            let web = try await SecureConnection.connect(port: server.webSocketPort, self.options(known))
            #expect(try await self.upgrade(web).hasPrefix("INFO {"))
            for identity in [nil, stranger] {
                let refused = try await SecureConnection.connect(port: server.webSocketPort, self.options(identity))
                await refused.send(WebSocketBytes.request())
                #expect(await refused.readToEnd().isEmpty)
            }
            try await eventually("the log") {
                server.log.contains("websocket: TLS handshake error from 127.0.0.1:")
            }
        }
        let users = "authorization { users: [ {user: \"CN=joe\", permissions: {publish: {deny: [secret]}}} ] }\n"
        try await ConfiguredServer.with(server, self.configuration(", verify_and_map: true") + users) { server in
            let web = try await SecureConnection.connect(port: server.webSocketPort, self.options(known))
            #expect(try await self.upgrade(web).contains("\"auth_required\":true"))
            await web.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false}\r\nPUB secret 0\r\n\r\nPING\r\n"))
            var answer = ""
            // In one frame or two.
            while !answer.hasSuffix("PONG\r\n") { answer += try await self.readData(web) }
            #expect(answer == "-ERR 'Permissions Violation for Publish to \"secret\"'\r\nPONG\r\n")
            let other = try self.authority.client(subject: [[("CN", "ann")]])
            let refused = try await SecureConnection.connect(port: server.webSocketPort, self.options(other))
            _ = try await self.upgrade(refused)
            await refused.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false}\r\nPING\r\n"))
            #expect(try await self.readData(refused) == "-ERR 'Authorization Violation'\r\n")
        }
    }

    @Test("a handshake that does not come to its end", arguments: ServerUnderTest.available)
    func handshakeTimeout(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, self.configuration("", "handshake_timeout: \"50ms\"")) { server in
            let silent = try RawConnection.connect(port: server.webSocketPort)
            _ = await silent.wait { $0.end != nil }
            #expect(silent.hasEnded)
            try await eventually("the log") {
                server.log.contains("websocket: TLS handshake error from 127.0.0.1:")
                    && server.log.contains("i/o timeout")
            }
        }
    }

    @Test("a reload takes over other certificates, for new connections", arguments: ServerUnderTest.available)
    func reload(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, self.configuration()) { server in
            let first = try await SecureConnection.connect(port: server.webSocketPort, self.options())
            _ = try await self.upgrade(first)
            let other = try self.authority.server()
            _ = try other.write(to: self.directory, as: "server")
            try await server.reload(self.configuration())
            let second = try await SecureConnection.connect(port: server.webSocketPort, self.options())
            _ = try await self.upgrade(second)
            #expect(try await second.serverCertificate() == other.bytes)
            #expect(try await first.serverCertificate() != other.bytes)
            await first.send(WebSocketBytes.frame(2, "PING\r\n"))
            #expect(try await self.readData(first) == "PONG\r\n")
        }
    }

    @Test("large messages in both directions", arguments: ServerUnderTest.available)
    func large(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, self.configuration("", "compression: true")) { server in
            let web = try await SecureConnection.connect(port: server.webSocketPort, self.options())
            _ = try await self.upgrade(web)
            let plain = try await server.connect("")
            try await plain.flush("SUB up 1\r\n")
            let payload = String(repeating: "x", count: 60_000)
            await web.send(
                WebSocketBytes.frame(2, "CONNECT {\"verbose\":false}\r\nSUB down 1\r\nPUB up 60000\r\n\(payload)\r\n")
            )
            try await plain.expect("MSG up 1 60000\r\n\(payload)\r\n")
            await plain.send("PUB down 60000\r\n\(payload)\r\n")
            var got = ""
            while got.utf8.count < payload.utf8.count { got += try await self.readData(web) }
            #expect(got == "MSG down 1 60000\r\n\(payload)\r\n")
        }
    }
}
