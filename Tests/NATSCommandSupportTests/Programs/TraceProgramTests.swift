import NATSTestServer
import NATSTestSupport
import Testing

@Suite("--trace", .timeLimit(.minutes(3)))
struct TraceProgramTests {
    /// Whether `lines` has these in this order, with others between them.
    private func hasInOrder(_ beginnings: [String], _ text: String) -> Bool {
        var rest = text.split(separator: "\n")[...]
        for beginning in beginnings {
            rest = rest.drop { !$0.hasPrefix(beginning) }
            guard !rest.isEmpty else { return false }
            rest = rest.dropFirst()
        }
        return true
    }

    @Test(
        "the lines of both directions on standard error, without payloads and secrets",
        arguments: ServerUnderTest.both
    )
    func lines(kind: ServerUnderTest) async throws {
        let configuration = ServerConfiguration(user: "u", password: "s3cret", authTimeout: .seconds(60))
        try await kind.withServer(configuration) { server in
            let environment = ["NATS_USER": "u", "NATS_PASSWORD": "s3cret"]
            let result = try await ToolShell.run(
                "nats-pub $U --trace -H 'K: hidden' foo 'the payload'",
                url: server.url,
                environment: environment
            )
            #expect(result.status == 0)
            let expected = [
                "<- INFO {", "-> CONNECT {", "-> PING", "<- PONG", "-> HPUB foo 23 34", "-> PING", "<- PONG",
                "Published [foo] : 'the payload'",
            ]
            #expect(self.hasInOrder(expected, result.errors), "\(result.errors)")
            #expect(!result.errors.contains("s3cret") && result.errors.contains(#""pass":"[REDACTED]""#))
            #expect(!result.errors.contains("hidden") && result.output.isEmpty)

            let shell = try ToolShell("nats-sub $U --trace -r -n 1 foo", url: server.url, environment: environment)
            try await shell.waitForErrors("-> SUB foo ")
            let sent = try await ToolShell.run("nats-pub $U foo 12345", url: server.url, environment: environment)
            #expect(sent.status == 0)
            let received = try await shell.result()
            #expect(received.output == "12345\n")
            #expect(self.hasInOrder(["-> SUB foo ", "-> UNSUB ", "<- MSG foo "], received.errors))
        }
    }

    @Test("what a server sends has no control over the terminal")
    func hostile() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("nats-sub $U --trace x", url: peer.url)
        let (connection, _) = try await peer.acceptClient()
        await connection.send("-ERR '\u{1B}]0;owned\u{07}'\r\n")
        try await shell.waitForErrors("<- -ERR")
        #expect(!shell.errors.contains("\u{1B}") && !shell.errors.contains("\u{07}"))
        shell.signal(9)
    }

    @Test("inside of TLS and WebSocket")
    func transports() async throws {
        let authority = try TestAuthority()
        let own = try authority.server()
        var options = NATSTestServer.Options()
        options.tls = NATSTestServer.TLS(certificate: .text(own.certificateText), key: .text(own.keyText))
        options.tls?.timeout = .seconds(60)
        options.webSocket = NATSTestServer.WebSocket()
        try await NATSTestServer.withServer(options) { server in
            let webSocket = try #require(server.webSocketURL)
            for flags in ["-s 127.0.0.1:\(server.port) --tlsca ca.pem", "-s \(webSocket)"] {
                let result = try await ToolShell.run(
                    "nats-pub \(flags) --trace foo hello",
                    files: ["ca.pem": authority.text]
                )
                #expect(result.status == 0, "\(flags): \(result.errors)")
                let expected = ["<- INFO {", "-> CONNECT {", "-> PUB foo 5", "<- PONG", "Published [foo] : 'hello'"]
                #expect(self.hasInOrder(expected, result.errors), "\(flags): \(result.errors)")
            }
        }
    }
}
