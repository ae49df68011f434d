import NATSTestSupport
import NATSWebSocket
import NIOCore
import Testing

@testable import NATSServerCore

/// WebSocket clients of the official server and of ours, byte by byte.
@Suite("WebSocket", .timeLimit(.minutes(1))) struct WebSocketServerTests {
    private static func configuration(_ block: String = "", _ more: String = "") -> String {
        "websocket { host: \"127.0.0.1\", port: -1, no_tls: true\n\(block)\n}\n\(more)\n"
    }

    /// A connection that has read its INFO.
    private static func connect(
        _ server: ConfiguredServer,
        _ request: String = WebSocketBytes.request()
    ) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: server.webSocketPort)
        let answer = try await connection.upgrade(request)
        #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        let info = try await connection.readFrame()
        #expect(info.opcode == 2 && info.isFinal && info.text.hasPrefix("INFO {"))
        return connection
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let sent: [UInt8]
        /// What is received, and whether the connection ends then.
        let received: [UInt8]
        let ends: Bool

        init(_ name: String, _ sent: [UInt8], _ received: String, ends: Bool = false) {
            self.init(name, sent, Array(received.utf8), ends: ends)
        }

        init(_ name: String, _ sent: [UInt8], _ received: [UInt8], ends: Bool = false) {
            (self.name, self.sent, self.received, self.ends) = (name, sent, received, ends)
        }

        var testDescription: String { self.name }
    }

    private static let ping = WebSocketBytes.frame(2, "PING\r\n")
    private static let pong: [UInt8] = [0x82, 6] + Array("PONG\r\n".utf8)

    private static func closing(_ status: UInt16, _ text: String) -> [UInt8] {
        [0x88, UInt8(text.utf8.count + 2), UInt8(status >> 8), UInt8(status & 0xff)] + Array(text.utf8)
    }

    private static func data(_ text: String) -> [UInt8] { [0x82, UInt8(text.utf8.count)] + Array(text.utf8) }

    static let cases: [Case] = [
        Case("binary", ping, pong), Case("text", WebSocketBytes.frame(1, "PING\r\n"), pong),
        Case(
            "fragments with a ping between",
            WebSocketBytes.frame(2, "PI", isFinal: false) + WebSocketBytes.frame(9, "hey")
                + WebSocketBytes.frame(0, "NG\r\n"),
            [0x8a, 3] + Array("hey".utf8) + pong
        ),
        Case("an operation over two messages", WebSocketBytes.frame(2, "PI") + WebSocketBytes.frame(2, "NG\r\n"), pong),
        Case("an empty message", WebSocketBytes.frame(2, "") + ping, pong),
        Case("an unasked pong", WebSocketBytes.frame(10, "x") + ping, pong),
        Case("an empty ping", WebSocketBytes.frame(9, ""), [0x8a, 0]),
        Case(
            "close with status and text",
            ping + WebSocketBytes.close(1000, "bye"),
            pong + closing(1000, "bye"),
            ends: true
        ),
        Case("close without status", WebSocketBytes.frame(8, ""), [0x88, 0], ends: true),
        Case("close with a private status", WebSocketBytes.close(3000), closing(3000, ""), ends: true),
        Case(
            "close with text that is no UTF-8",
            WebSocketBytes.frame(8, [3, 232, 0xff]),
            closing(1007, "invalid utf8 body in close frame"),
            ends: true
        ),
        Case(
            "a payload over the limit",
            WebSocketBytes.frame(2, "PUB a 9999999\r\n"),
            data("-ERR 'Maximum Payload Violation'\r\n") + closing(1009, "Maximum Message Payload Exceeded"),
            ends: true
        ),
        Case(
            "a control line over the limit",
            WebSocketBytes.frame(2, "PUB " + String(repeating: "a", count: 5000)),
            data("-ERR 'maximum control line exceeded'\r\n") + closing(1008, "Maximum Control Line Exceeded"),
            ends: true
        ),
    ]

    @Test("frames lead to the same frames, byte by byte", arguments: ServerUnderTest.available)
    func frames(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration()) { server in
            for test in Self.cases {
                let connection = try await Self.connect(server)
                // Verbose is the default without CONNECT, but for PING.
                await connection.send(test.sent)
                do {
                    try await connection.expect(test.received)
                    if test.ends {
                        try await connection.expectEnd()
                    } else {
                        await connection.send(Self.ping)
                        try await connection.expect(Self.pong)
                    }
                } catch {
                    Issue.record("\(test.name): \(error)")
                }
                connection.close()
            }
        }
    }

    @Test("what breaks the protocol ends the connection, and the log says why", arguments: ServerUnderTest.available)
    func failures(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration("", "debug: true")) { server in
            let more: [([UInt8], String)] = [
                (WebSocketBytes.frame(8, [1]), "close frame payload cannot be 1 byte"),
                (WebSocketBytes.close(1005), "invalid close status code 1005"),
                (WebSocketBytes.frame(2, "FOO\r\n"), "Client parser ERROR"),
            ]
            let cases = WebSocketFrameParserTests.wrong.filter { !$0.text.contains("compressed") }
            for (bytes, text) in cases.map({ ($0.bytes, $0.text) }) + more {
                let connection = try await Self.connect(server)
                await connection.send(bytes)
                // The official server may or may not come to send its close frame; ours never does.
                _ = try await connection.readToEnd()
                try await eventually("the log to say: \(text)") { server.log.contains("read error: \(text)") }
            }
        }
    }

    @Test("the answer to a handshake", arguments: ServerUnderTest.available)
    func handshake(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration("compression: true, headers { \"X-A\": \"b\" }")) {
            server in
            let start =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            let extensions =
                "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                + "client_no_context_takeover\r\n"
            let cases: [(String, String)] = [
                (WebSocketBytes.request(), ""), (WebSocketBytes.request("/any/path?x"), ""),
                (WebSocketBytes.request("/", "Sec-WebSocket-Protocol: nats"), ""),
                (WebSocketBytes.request("/", "Nats-No-Masking: true"), "Nats-No-Masking: true\r\n"),
                (
                    WebSocketBytes.request(
                        "/",
                        "Sec-WebSocket-Extensions: x, permessage-deflate; client_max_window_bits"
                    ),
                    extensions
                ),
            ]
            for (request, more) in cases {
                let connection = try RawConnection.connect(port: server.webSocketPort)
                #expect(try await connection.upgrade(request) == start + more + "X-A: b\r\n\r\n")
                connection.close()
            }
        }
    }

    @Test("requests that are refused, on one connection", arguments: ServerUnderTest.available)
    func refused(server: ServerUnderTest) async throws {
        let block = "same_origin: true, allowed_origins: [\"http://localhost\"]"
        try await ConfiguredServer.with(server, Self.configuration(block)) { server in
            func answer(_ status: String) -> String {
                let text = String(status.dropFirst(4))
                return """
                    HTTP/1.1 \(status)\r\nContent-Type: text/plain; charset=utf-8\r\nSec-Websocket-Version: 13\r\n\
                    X-Content-Type-Options: nosniff\r\nContent-Length: \(text.utf8.count + 1)\r\n\r\n\(text)\n
                    """
            }
            let base = WebSocketBytes.request()
            let cases: [(String, String)] = [
                (WebSocketBytes.request(method: "POST"), "405 Method Not Allowed"),
                (WebSocketBytes.request("/mqtt"), "404 Not Found"),
                (WebSocketBytes.request("/a/mqtt"), "404 Not Found"),
                (WebSocketBytes.request(key: "abc"), "400 Bad Request"),
                (WebSocketBytes.request(key: ""), "400 Bad Request"),
                (base.replacing("Upgrade: websocket\r\n", with: ""), "400 Bad Request"),
                (base.replacing("Connection: Upgrade\r\n", with: "Connection: keep-alive\r\n"), "400 Bad Request"),
                (base.replacing("Version: 13", with: "Version: 12"), "400 Bad Request"),
                (WebSocketBytes.request("/", "Origin: https://localhost"), "403 Forbidden"),
                (WebSocketBytes.request("/", "Origin: null"), "403 Forbidden"),
            ]
            let connection = try RawConnection.connect(port: server.webSocketPort)
            for (request, status) in cases {
                await connection.send(request)
                let head = String(decoding: try await connection.read(until: "\r\n\r\n"), as: UTF8.self)
                let body = try await connection.read(count: status.utf8.count - 4 + 1)
                let whole = head + String(decoding: body, as: UTF8.self)
                let lines = whole.split(separator: "\r\n", omittingEmptySubsequences: false)
                #expect(lines.filter { !$0.hasPrefix("Date: ") }.joined(separator: "\r\n") == answer(status))
            }
            // What is right is still served.
            let good = try await connection.upgrade(WebSocketBytes.request("/", "Origin: http://localhost:80"))
            #expect(good.hasPrefix("HTTP/1.1 101 "))
            try await eventually("the log") { server.log.contains(" - websocket handshake error: key missing") }
            try await eventually("the log") {
                server.log.contains(" - websocket handshake error: origin not allowed: not same origin")
            }
        }
    }

    @Test("odd requests", arguments: ServerUnderTest.available)
    func odd(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration()) { server in
            let rest = WebSocketBytes.request().drop { $0 != "\r\n" }
            let cases: [(line: String, answer: String)] = [
                ("GET //x HTTP/1.1", "HTTP/1.1 307 Temporary Redirect"),
                ("GET /a/../b HTTP/1.1", "HTTP/1.1 307 Temporary Redirect"),
                ("GET http://h/x HTTP/1.1", "HTTP/1.1 101 Switching Protocols"),
                ("GET / HTTP/1.0", "HTTP/1.1 101 Switching Protocols"),
                ("GET / HTTP/2.0", "HTTP/1.1 505 HTTP Version Not Supported: unsupported protocol version"),
                ("GET /%2fmqtt HTTP/1.1", "HTTP/1.1 101 Switching Protocols"),
                ("GET /x/mqtt/ HTTP/1.1", "HTTP/1.1 101 Switching Protocols"),
                ("GET /mqtt?x HTTP/1.1", "HTTP/1.1 404 Not Found"),
                ("GET /leafnode/ HTTP/1.1", "HTTP/1.1 101 Switching Protocols"),
                ("GET x HTTP/1.1", "HTTP/1.1 400 Bad Request"), ("GET * HTTP/1.1", "HTTP/1.1 400 Bad Request"),
                ("FOO / HTTP/1.1", "HTTP/1.1 405 Method Not Allowed"),
                ("HEAD / HTTP/1.1", "HTTP/1.1 405 Method Not Allowed"), ("garbage", "HTTP/1.1 400 Bad Request"),
            ]
            for (line, answer) in cases {
                let connection = try RawConnection.connect(port: server.webSocketPort)
                await connection.send(line + rest)
                let got = String(decoding: try await connection.read(until: "\r\n"), as: UTF8.self)
                #expect(got == answer + "\r\n", "\(line)")
                connection.close()
            }
            let base = WebSocketBytes.request()
            let more: [(request: String, answer: String)] = [
                ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "400 Bad Request"),
                ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header"),
                ("GET / HTTP/1.1\nHost: x\n\n", "400 Bad Request"),
                (base.replacing("Host: localhost", with: "Host: a\r\nHost: b"), "400 Bad Request"),
                (base.replacing("Upgrade: websocket", with: "Upgrade: x, WebSocket"), "101 Switching Protocols"),
                (base.replacing("Connection: Upgrade", with: "Connection: a, upgrade"), "101 Switching Protocols"),
                (WebSocketBytes.request(key: "dGhlIHNhbXBsZSBub25jZR=="), "101 Switching Protocols"),
                (WebSocketBytes.request(key: "dGhlIHNhbXBsZSBub25jZ_=="), "400 Bad Request"),
                (WebSocketBytes.request("/", "Origin: https://anywhere"), "101 Switching Protocols"),
                (WebSocketBytes.request("/", "Expect: 100-continue"), "101 Switching Protocols"),
            ]
            for (request, answer) in more {
                let connection = try RawConnection.connect(port: server.webSocketPort)
                await connection.send(request)
                let got = String(decoding: try await connection.read(until: "\r\n"), as: UTF8.self)
                #expect(got == "HTTP/1.1 \(answer)\r\n", "\(request)")
                connection.close()
            }
        }
    }

    @Test("frames may come byte by byte", arguments: ServerUnderTest.available)
    func slowFrames(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration()) { server in
            let connection = try await Self.connect(server)
            let stream =
                WebSocketBytes.frame(2, "CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPI", isFinal: false)
                + WebSocketBytes.frame(9, "hey") + WebSocketBytes.frame(0, "NG\r\n")
                + WebSocketBytes.frame(2, "PUB a 200\r\n" + String(repeating: "x", count: 200) + "\r\n")
                + WebSocketBytes.close(1000, "bye")
            for byte in stream { await connection.send([byte]) }
            var (data, control) = ("", [WebSocketServerFrame]())
            while control.last?.opcode != 8 {
                let frame = try await connection.readFrame()
                if frame.opcode == 2 { data += frame.text } else { control.append(frame) }
            }
            #expect(data == "PONG\r\nMSG a 1 200\r\n" + String(repeating: "x", count: 200) + "\r\n")
            #expect(control.map(\.opcode) == [10, 8])
            #expect(control.first?.text == "hey")
            try await connection.expectEnd()
        }
    }

    @Test(
        "a leaf node's path is accepted and closed, and so is whoever speaks too early",
        arguments: ServerUnderTest.available
    )
    func leaf(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration()) { server in
            let connection = try RawConnection.connect(port: server.webSocketPort)
            #expect(try await connection.upgrade(WebSocketBytes.request("/leafnode")).hasPrefix("HTTP/1.1 101 "))
            try await connection.expectEnd()
            try await eventually("the log") { server.log.contains("Not configured to accept leaf node connections") }
            let early = try RawConnection.connect(port: server.webSocketPort)
            await early.send(Array(WebSocketBytes.request().utf8) + Self.ping)
            try await early.expectEnd()
        }
    }

    @Test("messages go between TCP and WebSocket, large ones too, masked or not", arguments: ServerUnderTest.available)
    func messages(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration()) { server in
            let plain = try await server.connect("")
            try await plain.flush("SUB up 1\r\n")
            for request in [WebSocketBytes.request(), WebSocketBytes.request("/", "Nats-No-Masking: true")] {
                let mask: [UInt8]? = request.contains("No-Masking") ? nil : [7, 99, 250, 1]
                let web = try await Self.connect(server, request)
                let payload = (0..<200_000).map { UInt8(ascii: "a") + UInt8($0 % 26) }
                let text = String(decoding: payload, as: UTF8.self)
                let hello = "CONNECT {\"verbose\":false}\r\nSUB down 1\r\nPING\r\n"
                await web.send(WebSocketBytes.frame(2, Array(hello.utf8), mask: mask))
                #expect(try await web.readData(count: 6) == "PONG\r\n")
                let message = Array("PUB up 200000\r\n\(text)\r\n".utf8)
                await web.send(WebSocketBytes.frame(2, message, mask: mask))
                try await plain.expect("MSG up 1 200000\r\n\(text)\r\n")
                await plain.send("PUB down 200000\r\n\(text)\r\n")
                let expected = "MSG down 1 200000\r\n\(text)\r\n"
                #expect(try await web.readData(count: expected.utf8.count) == expected)
                web.close()
            }
        }
    }

    @Test("browsers get frames of 4096 bytes at most", arguments: ServerUnderTest.available)
    func browser(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration()) { server in
            let request = WebSocketBytes.request("/", "User-Agent: Mozilla/5.0 (X11)", "X-Forwarded-For: 10.1.2.3")
            let web = try await Self.connect(server, request)
            await web.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false}\r\nSUB a 1\r\n"))
            let text = String(repeating: "x", count: 20_000)
            await web.send(WebSocketBytes.frame(2, "PUB a 20000\r\n\(text)\r\n"))
            let expected = "MSG a 1 20000\r\n\(text)\r\n"
            var got = ""
            while got.utf8.count < expected.utf8.count {
                let frame = try await web.readFrame()
                #expect(frame.opcode == 2 && frame.isFinal && frame.payload.count <= 4096)
                got += frame.text
            }
            #expect(got == expected)
        }
    }

    @Test(
        "compressed messages in both directions, in several frames for browsers",
        arguments: ServerUnderTest.available
    )
    func compression(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration("compression: true")) { server in
            let offer = "Sec-WebSocket-Extensions: permessage-deflate"
            for agent in ["x", "Mozilla/5.0", "Mozilla/5.0 Version/1 Safari/2"] {
                let web = try RawConnection.connect(port: server.webSocketPort)
                _ = try await web.upgrade(WebSocketBytes.request("/", offer, "User-Agent: \(agent)"))
                let coder = WebSocketCoder()
                func read(_ marker: String) async throws -> String {
                    var text = ""
                    var message = ByteBuffer()
                    var isCompressed = false
                    while !text.hasSuffix(marker) {
                        let frame = try await web.readFrame()
                        if frame.opcode == 2 { isCompressed = frame.isCompressed }
                        if agent.contains("Mozilla"), !agent.contains("Safari") { #expect(frame.payload.count <= 4096) }
                        message.writeBytes(frame.payload)
                        guard frame.isFinal else { continue }
                        if isCompressed {
                            let result = coder.expand(message, limit: 1 << 22) { piece in
                                text += String(buffer: piece)
                                return true
                            }
                            #expect(result == .complete)
                        } else {
                            text += String(buffer: message)
                        }
                        message.clear()
                    }
                    return text
                }
                #expect(try await read("} \r\n").hasPrefix("INFO {"))
                var generator = SystemRandomNumberGenerator()
                let noise = (0..<30_000).map { _ in UInt8.random(in: 0x20...0x7e, using: &generator) }
                let payload = String(decoding: noise, as: UTF8.self)
                let sent = "CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPUB a 30000\r\n\(payload)\r\nPING\r\n"
                let compressed = try #require(coder.compress(ByteBuffer(string: sent)))
                let bytes = Array(compressed.readableBytesView)
                // In two frames, of which only the first says that it is compressed.
                await web.send(
                    WebSocketBytes.frame(2, Array(bytes[..<1000]), isFinal: false, reserved: 4)
                        + WebSocketBytes.frame(0, Array(bytes[1000...]))
                )
                #expect(try await read("PONG\r\n") == "MSG a 1 30000\r\n\(payload)\r\nPONG\r\n")
                web.close()
            }
        }
    }

    @Test(
        "a compressed message that expands beyond the largest payload ends the connection",
        arguments: ServerUnderTest.available
    )
    func bomb(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration("compression: true", "debug: true")) { server in
            let offer = "Sec-WebSocket-Extensions: permessage-deflate"
            // One operation of nearly the largest size, and then more than anybody may send.
            var bomb = ByteBuffer(string: "PUB a 1000000\r\n")
            bomb.writeRepeatingByte(0x20, count: 50 << 20)
            let cases: [(ByteBuffer?, String)] = [
                (WebSocketCoder().compress(bomb), "Client parser ERROR"),
                (WebSocketCoder().compress(ByteBuffer(string: "PUB a 0\r\n\r\nFOO\r\n")), "Client parser ERROR"),
                (
                    WebSocketCoder().compress(
                        ByteBuffer(string: String(repeating: "PUB a 0\r\n\r\n", count: 400_000))
                    ), "maximum payload exceeded"
                ),
                (ByteBuffer(bytes: [0xff, 0xff, 0xff]), "flate: corrupt input"),
                (ByteBuffer(), "flate: corrupt input"),
            ]
            for (message, text) in cases {
                let web = try RawConnection.connect(port: server.webSocketPort)
                _ = try await web.upgrade(WebSocketBytes.request("/", offer))
                _ = try await web.readFrame()
                await web.send(WebSocketBytes.frame(2, Array(try #require(message).readableBytesView), reserved: 4))
                // The official server looks at an empty message when more has come.
                await web.send(WebSocketBytes.frame(9, ""))
                _ = await web.wait { $0.end != nil }
                #expect(web.hasEnded)
                try await eventually("the log") { server.log.contains("read error: \(text)") }
            }
        }
    }

    @Test(
        "credentials: from CONNECT, from cookies, of the block itself, of nobody",
        arguments: ServerUnderTest.available
    )
    func credentials(server: ServerUnderTest) async throws {
        let users =
            "authorization { users: [ {user: a, password: a}, {user: b, password: b, "
            + "allowed_connection_types: [STANDARD]}, {user: c, password: c, allowed_connection_types: [WEBSOCKET]} ] }"
        let cookies = "user_cookie: u, pass_cookie: p"
        try await ConfiguredServer.with(server, Self.configuration(cookies, users)) { server in
            let cases: [(String, String, Bool)] = [
                ("", "\"user\":\"a\",\"pass\":\"a\"", true), ("", "\"user\":\"b\",\"pass\":\"b\"", false),
                ("", "\"user\":\"c\",\"pass\":\"c\"", true), ("u=c; p=c", "\"lang\":\"x\"", true),
                ("u=c; p=x", "\"lang\":\"x\"", false), ("u=c; p=c", "\"user\":\"a\",\"pass\":\"a\"", true),
                ("u=c; p=c", "\"user\":\"a\"", false), ("", "\"lang\":\"x\"", false),
            ]
            for (cookie, fields, isRight) in cases {
                let request =
                    cookie.isEmpty ? WebSocketBytes.request() : WebSocketBytes.request("/", "Cookie: \(cookie)")
                let web = try await Self.connect(server, request)
                await web.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false,\(fields)}\r\nPING\r\n"))
                if isRight {
                    #expect(try await web.readFrame().text == "PONG\r\n")
                } else {
                    try await web.expect(
                        Self.data("-ERR 'Authorization Violation'\r\n") + Self.closing(1008, "Authentication Failure")
                    )
                    try await web.expectEnd()
                }
                web.close()
            }
            // A client that may only use WebSocket.
            let plain = try await server.connect()
            await plain.send("CONNECT {\"user\":\"c\",\"pass\":\"c\"}\r\nPING\r\n")
            try await plain.expect("-ERR 'Authorization Violation'\r\n")
        }
    }

    @Test("the block's own user, token and no_auth_user replace the server's", arguments: ServerUnderTest.available)
    func ownCredentials(server: ServerUnderTest) async throws {
        let cases: [(block: String, more: String, fields: String, isRight: Bool)] = [
            ("authorization { user: w, password: w }", "", "\"user\":\"w\",\"pass\":\"w\"", true),
            ("authorization { user: w, password: w }", "", "\"lang\":\"x\"", false),
            (
                "authorization { user: w, password: w }", "authorization { user: s, password: s }",
                "\"user\":\"s\",\"pass\":\"s\"", false
            ),
            ("authorization { token: w }", "", "\"auth_token\":\"w\"", true),
            ("no_auth_user: b", "authorization { users: [ {user: b, password: b} ] }", "\"lang\":\"x\"", true),
            ("", "authorization { user: s, password: s }", "\"user\":\"s\",\"pass\":\"s\"", true),
        ]
        for test in cases {
            try await ConfiguredServer.with(server, Self.configuration(test.block, test.more)) { server in
                let web = try RawConnection.connect(port: server.webSocketPort)
                _ = try await web.upgrade()
                #expect(try await web.readFrame().text.contains("\"auth_required\":true"))
                await web.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false,\(test.fields)}\r\nPING\r\n"))
                if test.isRight {
                    #expect(try await web.readFrame().text == "PONG\r\n")
                } else {
                    #expect(try await web.readFrame().text == "-ERR 'Authorization Violation'\r\n")
                }
                web.close()
            }
        }
    }

    @Test("INFO, the log, /varz and /connz tell of WebSocket", arguments: ServerUnderTest.available)
    func told(server: ServerUnderTest) async throws {
        let block = "compression: true, same_origin: true, handshake_timeout: \"3s\""
        try await ConfiguredServer.with(server, Self.configuration(block, "debug: true, http: \"127.0.0.1:-1\"")) {
            server in
            let port = server.webSocketPort
            #expect(server.log.contains("Listening for websocket clients on ws://127.0.0.1:\(port)"))
            #expect(server.log.contains("Websocket not configured with TLS. DO NOT USE IN PRODUCTION!"))
            let web = try RawConnection.connect(port: port)
            _ = try await web.upgrade(WebSocketBytes.request("/", "X-Forwarded-For: 10.1.2.3"))
            let info = try await web.readFrame().text
            #expect(info.contains("\"host\":\"127.0.0.1\",\"port\":\(port),"))
            #expect(info.contains("\"client_ip\":\"127.0.0.1\""))
            try await eventually("the log") {
                server.log.contains("10.1.2.3/127.0.0.1:")
                    && server.log.contains(" - wid:5 - Client connection created")
            }
            await web.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false}\r\nPING\r\n"))
            #expect(try await web.readFrame().text == "PONG\r\n")
            let varz = try await server.fetch("/varz").text.filter { !$0.isWhitespace }
            #expect(
                varz.contains(
                    """
                    "websocket":{"host":"127.0.0.1","port":\(port),"handshake_timeout":3000000000,"no_tls":true,\
                    "same_origin":true,"compression":true}
                    """
                ),
                "\(varz)"
            )
            let connz = try await server.fetch("/connz").text.filter { !$0.isWhitespace }
            #expect(connz.contains("\"kind\":\"Client\",\"type\":\"websocket\",\"ip\":\"127.0.0.1\""), "\(connz)")
        }
    }

    @Test("one connection too many is told so and closed", arguments: ServerUnderTest.available)
    func tooMany(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration("", "max_connections: 1")) { server in
            let first = try await Self.connect(server)
            await first.send(Self.ping)
            try await first.expect(Self.pong)
            let second = try RawConnection.connect(port: server.webSocketPort)
            _ = try await second.upgrade()
            var text = ""
            while !text.hasSuffix("\r\n") || !text.contains("-ERR") { text += try await second.readFrame().text }
            #expect(text.hasPrefix("INFO {") && text.hasSuffix(" \r\n-ERR 'maximum connections exceeded'\r\n"))
            #expect(try await second.readClose() == "1008 Maximum Connections Exceeded")
        }
    }

    @Test("a client that does not read is cut off, whatever it is sent")
    func slowConsumer() async throws {
        let limits = "max_pending: 1048576, max_payload: 1048576, write_deadline: \"300s\""
        let text = Self.configuration("", "\(limits), debug: true")
        try await ConfiguredServer.with(.ours, text) { server in
            let slow = try RawConnection.connect(port: server.webSocketPort, receiveBuffer: 4096)
            _ = try await slow.upgrade()
            slow.pauseReading()
            let flood = (0..<2000).flatMap { _ in WebSocketBytes.frame(9, String(repeating: "p", count: 125)) }
            // Frame after frame, however few of their bytes fit at a time.
            let sent = Watched(0)
            try await eventually("the slow consumer to be noticed, the log is \(server.log)") {
                for _ in 0..<100 {
                    let count = slow.sendWhatFits(Array(flood[(sent.value % flood.count)...]))
                    guard count > 0 else { break }
                    sent.update { $0 += count }
                }
                return server.log.contains("Slow Consumer Detected: MaxPending of 1048576 Exceeded")
                    && server.log.contains("Client connection closed: Slow Consumer (Pending Bytes)")
            }
        }
    }

    @Test("lame duck mode is told in INFO, and each client is sent away by a close frame")
    func lameDuck() async throws {
        var options = ServerOptions(logger: CollectedLog().logger)
        options.host = "127.0.0.1"
        options.port = -1
        options.lameDuckGracePeriod = .milliseconds(1)
        options.lameDuckDuration = .milliseconds(20)
        var webSocket = WebSocketOptions()
        webSocket.host = "127.0.0.1"
        webSocket.noTLS = true
        options.webSocket = webSocket
        let server = Server(options: options)
        try await server.start()
        let port = server.boundWebSocketPort
        let web = try RawConnection.connect(port: port)
        _ = try await web.upgrade()
        _ = try await web.readFrame()
        await web.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n"))
        var text = ""
        while !text.contains("\"connect_info\":true") { text += try await web.readFrame().text }
        #expect(text.hasPrefix("PONG\r\nINFO {"))
        #expect(text.contains("\"port\":\(port),"))
        #expect(await server.enterLameDuckMode())
        let info = try await web.readFrame().text
        #expect(info.hasPrefix("INFO {") && info.contains("\"ldm\":true") && info.contains("\"port\":\(port),"))
        #expect(try await web.readClose() == "1001 Server Shutdown")
    }

    @Test("a stop of the server is told by a close frame", arguments: ServerUnderTest.available)
    func shutdown(server: ServerUnderTest) async throws {
        let connection = try await ConfiguredServer.with(server, Self.configuration()) { server in
            let connection = try await Self.connect(server)
            await connection.send(Self.ping)
            try await connection.expect(Self.pong)
            return connection
        }
        try await connection.expect(Self.closing(1001, "Server Shutdown"))
        try await connection.expectEnd()
    }

    @Test("a request that does not come ends the connection", arguments: ServerUnderTest.available)
    func timeout(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration("handshake_timeout: \"50ms\"")) { server in
            let connection = try RawConnection.connect(port: server.webSocketPort)
            await connection.send("GET / HTTP/1.1\r\n")
            try await connection.expectEnd()
        }
    }
}
