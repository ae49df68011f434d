import NATSTestSupport
import Testing

@testable import NATSServerCore

/// How WebSocket connections end: what the client is told, and what the log says.
@Suite("ends of WebSocket connections", .timeLimit(.minutes(1))) struct WebSocketEndTests {
    struct Case: Sendable, CustomTestStringConvertible {
        /// Protocol bytes, sent as one message.
        let sent: String
        /// What is received as data, and the close frame; `nil` where the official server mostly comes to send nothing.
        let received: (data: String, close: String)?
        /// What the log says about the connection, in this order.
        let log: [String]

        init(_ sent: String, _ received: (data: String, close: String)? = nil, _ log: String...) {
            self.sent = sent
            self.received = received
            self.log = log
        }

        var testDescription: String { self.sent }
    }

    private static let connect = "CONNECT {\"user\":\"a\",\"pass\":\"a\",\"verbose\":false}\r\n"
    private static let refused = (data: "-ERR 'Authorization Violation'\r\n", close: "1008 Authentication Failure")

    static let cases: [Case] = [
        Case(
            "CONNECT {\"user\":\"a\",\"pass\":\"x\"}\r\n",
            refused,
            "authentication error - User \"a\"",
            "Client connection closed: Authentication Failure",
            "read error: authentication error"
        ),
        Case(
            "PING\r\n",
            refused,
            "authentication error",
            "Client connection closed: Authentication Failure",
            "read error: authentication error"
        ),
        Case(
            "CONNECT {\"user\":\"a\",\"pass\":\"a\",\"account\":\"x\"}\r\n",
            refused,
            "Client connection closed: Authentication Failure",
            "read error: authentication error"
        ),
        Case(
            "CONNECT {\"user\":\"a\",\"pass\":\"a\",\"protocol\":9}\r\n",
            ("-ERR 'invalid client protocol'\r\n", "1002 Bad Client Protocol Version"),
            "Client connection closed: Bad Client Protocol Version",
            "read error: invalid client protocol"
        ),
        Case(
            "CONNECT {\"user\":\"a\",\"pass\":\"a\",\"no_responders\":true}\r\n",
            ("-ERR 'no responders requires headers support'\r\n", "1011 No Responders Requires Headers"),
            "Client connection closed: No Responders Requires Headers",
            "read error: no responders requires headers support"
        ),
        Case(
            connect + "PUB a 9999999\r\n",
            ("-ERR 'Maximum Payload Violation'\r\n", "1009 Maximum Message Payload Exceeded"),
            "maximum payload exceeded: 9999999 vs 1048576",
            "Client connection closed: Maximum Message Payload Exceeded",
            "read error: maximum payload exceeded"
        ),
        Case(
            connect + "PUB " + String(repeating: "a", count: 5000),
            ("-ERR 'maximum control line exceeded'\r\n", "1008 Maximum Control Line Exceeded"),
            "Client connection closed: Maximum Control Line Exceeded",
            "read error: maximum control line exceeded"
        ),
        Case(
            connect + "-ERR x\r\n",
            ("", "1002 Parse Error"),
            "Client Error x",
            "Client connection closed: Parse Error"
        ),
        Case(
            connect + "HPUB a 1 1\r\n",
            nil,
            "read error: message headers not supported",
            "Client connection closed: Read Error"
        ),
        Case(
            connect + "PUB a\r\n",
            nil,
            "read error: processPub Parse Error: \"a\"",
            "Client connection closed: Read Error"
        ),
        Case(
            connect + "PUB a x\r\n",
            nil,
            "read error: processPub Bad or Missing Size: \"a x\"",
            "Client connection closed: Read Error"
        ),
        Case(
            connect + "SUB a\r\n",
            nil,
            "read error: processSub Parse Error: \"a\"",
            "Client connection closed: Read Error"
        ),
        Case(
            connect + "PUB a 1\r\nxyz",
            nil,
            "read error: Client parser ERROR",
            "Client connection closed: Read Error"
        ),
        Case(connect + "FOO\r\n", nil, "read error: Client parser ERROR", "Client connection closed: Read Error"),
        Case("CONNECT {x\r\n", nil, "read error: ", "Client connection closed: Read Error"),
    ]

    @Test("an error of the client", arguments: ServerUnderTest.available)
    func errors(server: ServerUnderTest) async throws {
        let text = """
            websocket { host: "127.0.0.1", port: -1, no_tls: true }
            authorization { user: a, password: a, timeout: 60 }
            debug: true
            """
        try await ConfiguredServer.with(server, text) { server in
            for test in Self.cases {
                let before = server.log.count
                let web = try RawConnection.connect(port: server.webSocketPort)
                _ = try await web.upgrade()
                _ = try await web.readFrame()
                await web.send(WebSocketBytes.frame(2, test.sent))
                do {
                    if let received = test.received {
                        if !received.data.isEmpty {
                            #expect(try await web.readFrame().text == received.data, "\(test)")
                        }
                        #expect(try await web.readClose() == received.close, "\(test)")
                    } else {
                        _ = await web.wait { $0.end != nil }
                        #expect(web.hasEnded, "\(test)")
                    }
                } catch {
                    Issue.record("\(test): \(error)")
                }
                try await eventually("the log of \(test.sent) to have \(test.log), it is \(server.log)") {
                    var rest = server.log.dropFirst(before)
                    return test.log.allSatisfy { part in
                        guard let range = rest.firstRange(of: part) else { return false }
                        rest = rest[range.upperBound...]
                        return true
                    }
                }
            }
        }
    }

    @Test("a client that says nothing when it has to", arguments: ServerUnderTest.available)
    func authenticationTimeout(server: ServerUnderTest) async throws {
        for block in ["authorization { timeout: 0.2 }", "authorization { user: w, password: w, timeout: 0.2 }"] {
            let text = """
                websocket { host: "127.0.0.1", port: -1, no_tls: true, \(block) }
                authorization { user: a, password: a, timeout: 60 }
                """
            try await ConfiguredServer.with(server, text) { server in
                let web = try RawConnection.connect(port: server.webSocketPort)
                _ = try await web.upgrade()
                _ = try await web.readFrame()
                #expect(try await web.readFrame().text == "-ERR 'Authentication Timeout'\r\n")
                #expect(try await web.readClose() == "1008 Authentication Timeout")
            }
        }
    }

    @Test("a client that ends its side without a close frame gets one", arguments: ServerUnderTest.available)
    func halfClosed(server: ServerUnderTest) async throws {
        let text = "websocket { host: \"127.0.0.1\", port: -1, no_tls: true }"
        try await ConfiguredServer.with(server, text) { server in
            let web = try RawConnection.connect(port: server.webSocketPort)
            _ = try await web.upgrade()
            _ = try await web.readFrame()
            web.finishSending()
            #expect(try await web.readClose() == "1000 Client Closed")
        }
    }

    @Test("a client that answers no PING", arguments: ServerUnderTest.available)
    func stale(server: ServerUnderTest) async throws {
        let text = """
            websocket { host: "127.0.0.1", port: -1, no_tls: true, ping_interval: "100ms" }
            ping_interval: "1h"
            ping_max: 1
            """
        try await ConfiguredServer.with(server, text) { server in
            let web = try RawConnection.connect(port: server.webSocketPort)
            _ = try await web.upgrade()
            _ = try await web.readFrame()
            try await web.expect([0x82, 6] + Array("PING\r\n".utf8))
            let rest = try await web.readToEnd()
            let text = String(decoding: rest, as: UTF8.self)
            #expect(text.contains("-ERR 'Stale Connection'\r\n"))
            #expect(text.hasSuffix("Stale Connection"))
            #expect(Array(rest.suffix(2 + 2 + 16).prefix(4)) == [0x88, 18, 3, 233])
        }
    }
}
