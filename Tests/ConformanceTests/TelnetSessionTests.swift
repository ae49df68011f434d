import NATSTestSupport
import Testing

/// The session that the old documents show: what a person types into two terminals.
@Suite("telnet session")
struct TelnetSessionTests {
    @Test("two terminals", arguments: ServerUnderTest.available)
    func twoTerminals(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let first = try await server.connect()
            let second = try await server.connect()

            await first.send("sub foo.* 90\r\n")
            try await first.expect("+OK\r\n")

            await second.send("pub foo.bar 5\r\n")
            await second.send("hello\r\n")
            try await second.expect("+OK\r\n")
            try await first.expect("MSG foo.bar 90 5\r\nhello\r\n")

            await second.send("pub foo.bar optional.reply.subject 5\r\nhello\r\n")
            try await second.expect("+OK\r\n")
            try await first.expect("MSG foo.bar 90 optional.reply.subject 5\r\nhello\r\n")

            await first.send("unsub 90\r\n")
            try await first.expect("+OK\r\n")
            await second.send("pub foo.bar 5\r\nhello\r\n")
            try await second.expect("+OK\r\n")

            await first.send("ping\r\n")
            try await first.expect("PONG\r\n")
            try await second.expectNothing()
        }
    }

    @Test("a bare Enter is an unknown operation and closes the connection", arguments: ServerUnderTest.available)
    func bareEnter(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            for enter in ["\r\n", "\n"] {
                let peer = try await server.connect()
                await peer.send(enter)
                try await peer.expect(unknownOperation)
                try await peer.expectEnd()
            }
        }
    }

    @Test("the server sends PING by itself", arguments: ServerUnderTest.available)
    func serverPings(server: ServerUnderTest) async throws {
        try await server.withServer(.init(pingInterval: .milliseconds(400))) { server in
            let peer = try await server.connect()
            #expect(await peer.wait { $0.answeredPings >= 4 || $0.end != nil })
            try await peer.expectNothing()
        }
    }
}
