import NATSTestSupport
import NATSWebSocket
import NIOCore
import Testing

@testable import NATSServerCore

/// What bounds WebSocket clients as it bounds others, and blocks that a server does not start with.
@Suite("limits of WebSocket clients", .timeLimit(.minutes(2))) struct WebSocketLimitTests {
    private static let block = "host: \"127.0.0.1\", port: -1, no_tls: true"

    @Test("a subscriber that does not read is cut off", arguments: ServerUnderTest.available, [false, true])
    func slowSubscriber(server: ServerUnderTest, compression: Bool) async throws {
        let text = """
            websocket { \(Self.block), compression: \(compression) }
            max_pending: 1048576
            write_deadline: "300s"
            max_payload: 65536
            debug: true
            http: "127.0.0.1:-1"
            """
        try await ConfiguredServer.with(server, text) { server in
            let slow = try RawConnection.connect(port: server.webSocketPort, receiveBuffer: 4096)
            let offer = "Sec-WebSocket-Extensions: permessage-deflate"
            _ = try await slow.upgrade(WebSocketBytes.request("/", offer))
            _ = try await slow.readFrame()
            await slow.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPING\r\n"))
            #expect(try await slow.readFrame().text == "PONG\r\n")
            slow.pauseReading()
            let publisher = try await server.connect("")
            // Nothing that deflate could make small.
            var generator = SeededGenerator(seed: 7)
            let noise = (0..<60_000).map { _ in UInt8.random(in: 0x20...0x7e, using: &generator) }
            let message = Array("PUB a 60000\r\n".utf8) + noise + Array("\r\n".utf8)
            var rounds = 0
            while rounds < 2000, !server.log.contains("Slow Consumer Detected") {
                rounds += 1
                await publisher.send(message)
                try await publisher.flush("")
            }
            try await eventually("the slow consumer to be noticed") {
                server.log.contains("Slow Consumer Detected: MaxPending of 1048576 Exceeded")
                    && server.log.contains("Client connection closed: Slow Consumer (Pending Bytes)")
            }
            #expect(server.log.contains(" - wid:"))
            #expect(try await server.fetch("/varz").text.filter { !$0.isWhitespace }.contains("\"slow_consumers\":1,"))
            // Others go on.
            try await publisher.flush("")
        }
    }

    @Test("limits of subscriptions and of their subjects, permissions, pedantic", arguments: ServerUnderTest.available)
    func limits(server: ServerUnderTest) async throws {
        let text = """
            websocket { \(Self.block), no_auth_user: a }
            authorization { users: [ {user: a, password: a, permissions: {subscribe: {deny: [secret]}}} ] }
            max_subscriptions: 2
            max_sub_tokens: 3
            """
        try await ConfiguredServer.with(server, text) { server in
            let web = try RawConnection.connect(port: server.webSocketPort)
            _ = try await web.upgrade()
            _ = try await web.readFrame()
            let sent =
                "CONNECT {\"verbose\":false,\"pedantic\":true}\r\nSUB secret 1\r\nSUB a.b.c.d 2\r\nSUB a 3\r\nSUB b 4\r\n"
                + "SUB c 5\r\nPUB a..b 0\r\n\r\nPING\r\n"
            await web.send(WebSocketBytes.frame(2, sent))
            var text = ""
            while !text.hasSuffix("PONG\r\n") { text += try await web.readFrame().text }
            #expect(
                text == """
                    -ERR 'Permissions Violation for Subscription to "secret"'\r\n\
                    -ERR 'Permissions Violation for Subscription to "a.b.c.d", too many tokens'\r\n\
                    -ERR 'maximum subscriptions exceeded'\r\n-ERR 'Invalid Publish Subject'\r\nPONG\r\n
                    """
            )
        }
    }

    @Test(
        "messages that expand are handled one after the other, also those that come while a password is checked",
        arguments: ServerUnderTest.available
    )
    func turns(server: ServerUnderTest) async throws {
        // The password is "secret".
        let hash = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
        let text = """
            websocket { \(Self.block), compression: true }
            authorization { user: a, password: "\(hash)", timeout: 60 }
            """
        try await ConfiguredServer.with(server, text) { server in
            let web = try RawConnection.connect(port: server.webSocketPort)
            _ = try await web.upgrade(WebSocketBytes.request("/", "Sec-WebSocket-Extensions: permessage-deflate"))
            _ = try await web.readFrame()
            let coder = WebSocketCoder()
            func compressed(_ text: String) throws -> [UInt8] {
                let bytes = try #require(coder.compress(ByteBuffer(string: text)))
                return WebSocketBytes.frame(2, Array(bytes.readableBytesView), reserved: 4)
            }
            let hello = "CONNECT {\"verbose\":false,\"user\":\"a\",\"pass\":\"secret\"}\r\nSUB end.* 1\r\n"
            var sent = try compressed(hello)
            for number in 0..<40 {
                let many = String(repeating: "PUB x 0\r\n\r\n", count: 3000)
                sent += try compressed(many + "PUB end.\(number) 0\r\n\r\n")
            }
            // A split operation, and one that is not compressed.
            sent += try compressed("PI") + WebSocketBytes.frame(2, "NG\r\n") + WebSocketBytes.close(1000, "bye")
            await web.send(sent)
            web.finishSending()
            var (data, expected) = ("", "")
            for number in 0..<40 { expected += "MSG end.\(number) 1 0\r\n\r\n" }
            while true {
                let frame = try await web.readFrame()
                guard frame.opcode == 2 || frame.opcode == 0 else {
                    #expect(frame.payload == [3, 232] + Array("bye".utf8))
                    break
                }
                guard frame.isCompressed else {
                    data += frame.text
                    continue
                }
                _ = coder.expand(ByteBuffer(bytes: frame.payload), limit: 1 << 20) { piece in
                    data += String(buffer: piece)
                    return true
                }
            }
            // On a slow machine the server has asked whether the client is still there.
            #expect(data.replacing("PING\r\n", with: "") == expected + "PONG\r\n")
        }
    }

    static let wrong: [(block: String, text: String)] = [
        ("host: \"127.0.0.1\", port: -1", "websocket requires TLS configuration"),
        (
            "\(block), allowed_origins: [\"null\"]",
            "unable to parse allowed origin: parse \"null\": invalid URI for request"
        ),
        ("\(block), no_auth_user: x", "no_auth_user: \"x\" present, but users/nkeys are not defined"),
        ("host: \"127.0.0.1\", port: 99999, no_tls: true", "listen tcp: address 99999: invalid port"),
        (
            "\(block), advertise: \"a:b\"",
            "Unable to get websocket connect URLs: strconv.Atoi: parsing \"b\": invalid syntax"
        ),
    ]

    @Test("blocks that a server does not start with", arguments: wrong)
    func starts(block: String, text: String) async throws {
        for server in ServerUnderTest.available where server != .oursOnManyLoops {
            do {
                try await ConfiguredServer.with(server, "websocket { \(block) }") { _ in }
                Issue.record("\(server) starts with \(block)")
            } catch {
                #expect("\(error)".contains(text), "\(server)")
            }
        }
    }

    @Test(
        "offers of compression, of which only one kind is taken, and no offer",
        arguments: ServerUnderTest.available
    )
    func offers(server: ServerUnderTest) async throws {
        for isOn in [true, false] {
            try await ConfiguredServer.with(server, "websocket { \(Self.block), compression: \(isOn) }") { server in
                let cases: [(offer: String, isTaken: Bool)] = [
                    ("permessage-deflate", true), ("permessage-deflate; server_no_context_takeover", true),
                    ("permessage-deflate; client_no_context_takeover; server_max_window_bits=10", true),
                    ("x-webkit-deflate-frame", false), ("x, PerMessage-Deflate", true), ("permessage-deflate2", false),
                    ("", false),
                ]
                for (offer, isTaken) in cases {
                    let web = try RawConnection.connect(port: server.webSocketPort)
                    let answer = try await web.upgrade(
                        WebSocketBytes.request("/", "Sec-WebSocket-Extensions: \(offer)")
                    )
                    let isAgreed = answer.contains(
                        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                            + "client_no_context_takeover\r\n"
                    )
                    #expect(isAgreed == (isTaken && isOn), "\(offer)")
                    #expect(try await web.readFrame().isCompressed == (isTaken && isOn), "\(offer)")
                    web.close()
                }
            }
        }
    }
}
