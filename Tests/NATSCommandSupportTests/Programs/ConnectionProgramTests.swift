import NATSTestServer
import NATSTestSupport
import NATSWire
import Testing

@Suite("How the tools connect", .timeLimit(.minutes(3)))
struct ConnectionProgramTests {
    @Test(
        "D20 contexts: named, in a file, selected; a server that was typed does not get what is stored",
        arguments: ServerUnderTest.both
    )
    func contexts(kind: ServerUnderTest) async throws {
        let configuration = ServerConfiguration(user: "u", password: "p", authTimeout: .seconds(60))
        try await kind.withServer(configuration) { server in
            let context = #"{"url":"\#(server.url)","user":"u","password":"p"}"#
            let prepare = "mkdir -p nats/context && mv prod.json nats/context && printf prod > nats/context.txt"
            for (command, status) in [
                ("nats-pub --context prod t x", 0), ("nats-pub --context nats/context/prod.json t x", 0),
                ("NATS_CONTEXT=prod nats-pub t x", 0), ("nats-pub t x", 0), ("nats-pub $U --context prod t x", 0),
                ("nats-pub $U t x", 1), ("nats-pub $U --no-context t x", 1),
            ] {
                let result = try await ToolShell.run(
                    "\(prepare) && \(command)",
                    url: server.url,
                    files: ["prod.json": context]
                )
                #expect(result.status == status, "\(command): \(result.errors)")
                if status == 1 { #expect(result.errors == "nats: authorization violation\n") }
            }
            let unknown = try await ToolShell.run("nats-pub --context other t x")
            #expect(unknown.status == 1)
            #expect(unknown.errors.hasPrefix("nats: unknown context \"other\": no file "))
            #expect(unknown.errors.utf8.count { $0 == 0x0A } == 1)
        }
    }

    @Test("D20 a typed server sees nothing of the selected context: neither in CONNECT nor before it")
    func typedServer() async throws {
        for (command, password) in [
            ("nats-pub t x", true), ("nats-pub $U t x", false), ("NATS_URL=$URL nats-pub t x", false),
        ] {
            let peer = try ScriptedServer()
            let shell = try ToolShell(
                "mkdir -p nats/context && mv prod.json nats/context && printf prod >nats/context.txt; \(command)",
                url: peer.url,
                files: ["prod.json": #"{"url":"\#(peer.url)","user":"u","password":"s3cret"}"#],
                environment: ["URL": peer.url]
            )
            let (connection, connect) = try await peer.acceptClient()
            #expect(connect.contains("s3cret") == password, "\(command)")
            try await connection.expect("PUB t 1\r\nx\r\nPING\r\n")
            await connection.send("PONG\r\n")
            #expect(try await shell.result().status == 0, "\(command)")
        }
    }

    /// Runs `body` with a server that trusts the operator.
    private func withServer(
        _ kind: ServerUnderTest,
        trusting tenants: NATSTestServer.Operator,
        _ body: (RunningServer) async throws -> Void
    ) async throws {
        let server: RunningServer
        if kind == .official {
            let accounts = tenants.accountJWTs.map { "\($0.key): \($0.value)\n" }.joined()
            server = .official(
                try await OfficialServer.start(
                    configurationText: """
                        operator: \(tenants.jwt)
                        system_account: \(tenants.systemAccount)
                        authorization { timeout: 60 }
                        resolver: MEMORY
                        resolver_preload: {
                        \(accounts)}

                        """
                )
            )
        } else {
            var options = NATSTestServer.Options(operator: tenants)
            options.authTimeout = .seconds(60)
            server = .ours(try await NATSTestServer.start(options))
        }
        do {
            try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test(
        "D20, D21 creds, and a JWT with its seed, by every way to give them; CR LF, base 64, variables",
        arguments: ServerUnderTest.both
    )
    func creds(kind: ServerUnderTest) async throws {
        let tenants = try NATSTestServer.Operator(accounts: [.init(name: "shop", users: [.init(name: "alice")])])
        let alice = try tenants.credentials(of: "alice")
        try await self.withServer(kind, trusting: tenants) { server in
            let files = [
                "creds": alice.file, "crlf": alice.file.replacing("\n", with: "\r\n"), "jwt": alice.jwt,
                "seed": alice.seed + "\n",
            ]
            let environment = ["HIDDEN": alice.file, "ENCODED": Base64.encode(alice.file.utf8), "SEED": alice.seed]
            for (command, status) in [
                ("nats-pub $U --creds creds t x", 0), ("nats-pub $U --creds crlf t x", 0),
                ("nats-pub $U --creds file://creds t x", 0), ("nats-pub $U --creds env://HIDDEN t x", 0),
                ("nats-pub $U --creds \"data:;base64,$ENCODED\" t x", 0), ("NATS_CREDS=creds nats-pub $U t x", 0),
                ("cat creds | nats-pub $U --creds /dev/stdin t x", 0),
                ("nats-pub $U --trace --creds creds t x", 0),
                ("nats-pub $U --jwt jwt --seed seed t x", 0), ("NATS_JWT=jwt NATS_SEED=$SEED nats-pub $U t x", 0),
                ("nats-pub $U --creds missing t x", 1), ("nats-pub $U --creds seed t x", 1),
                ("nats-pub $U --jwt seed --seed jwt t x", 1), ("nats-pub $U t x", 1),
                ("nats-pub $U --creds creds --nkey seed t x", 2),
            ] {
                let result = try await ToolShell.run(
                    command,
                    url: server.url,
                    files: files,
                    environment: environment
                )
                #expect(result.status == status, "\(command): \(result.errors)")
                #expect(!result.errors.contains(alice.seed) && !result.errors.contains(alice.jwt), "\(command)")
                if status == 1 { #expect(result.errors.utf8.count { $0 == 0x0A } == 1, "\(result.errors)") }
            }
        }
    }

    @Test("TLS: authorities, client certificates, handshake first, no check, and no server in clear")
    func tls() async throws {
        let authority = try TestAuthority()
        let own = try authority.server()
        let client = try authority.client()
        var tls = NATSTestServer.TLS(certificate: .text(own.certificateText), key: .text(own.keyText))
        tls.authorities = .text(authority.text)
        tls.verify = true
        tls.timeout = .seconds(60)
        let files = ["ca.pem": authority.text, "client.pem": client.certificateText, "client.key": client.keyText]
        let certificate = "--tlscert client.pem --tlskey client.key"
        func check(_ commands: [(String, Int)], _ options: NATSTestServer.Options) async throws {
            try await NATSTestServer.withServer(options) { server in
                for (flags, status) in commands {
                    let result = try await ToolShell.run(
                        "nats-pub -s 127.0.0.1:\(server.port) \(flags) t x",
                        files: files
                    )
                    #expect(result.status == status, "\(flags): \(result.errors)")
                }
            }
        }
        var options = NATSTestServer.Options()
        options.tls = tls
        try await check(
            [
                ("\(certificate) --tlsca ca.pem", 0), ("\(certificate) --tls-insecure", 0),
                ("\(certificate) --tlscacert ca.pem --tls-name localhost", 0),
                ("\(certificate) --tlscacert ca.pem --tls-name elsewhere", 1), ("\(certificate)", 1),
                ("--tlsca ca.pem", 1), ("--tlsca missing.pem", 1), ("--tlscert client.pem", 2),
            ],
            options
        )
        options.tls?.handshakeFirst = .on
        try await check([("\(certificate) --tlsca ca.pem --tlsfirst", 0)], options)
        try await check([("--tls", 1), ("--no-tls", 0)], NATSTestServer.Options())
    }

    @Test("the inbox prefix is that of the replies")
    func inboxPrefix() async throws {
        try await NATSTestServer.withServer { server in
            let tap = try await WireTap(port: server.port)
            let shell = try ToolShell("exec nats-req $U --inbox-prefix _MINE.own svc x", url: server.clientURL)
            let request = try #require(try await tap.messages(atLeast: 1).first)
            let reply = try #require(request.reply)
            #expect(reply.hasPrefix("_MINE.own."))
            try await tap.publish(reply, "pong")
            let result = try await shell.result()
            #expect(result.output == "Received  [\(reply)] : 'pong'\n")
            #expect(result.status == 0)
        }
    }
}
