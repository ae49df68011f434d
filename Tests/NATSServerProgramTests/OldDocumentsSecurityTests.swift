import NATSTestSupport
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The configurations for users and TLS of the old documents, started by both programs.
@Suite(.timeLimit(.minutes(3))) struct OldDocumentsSecurityTests {
    private static let address = "listen: \"127.0.0.1:-1\"\n"
    private static let violation = "-ERR 'Authorization Violation'\r\n"

    private func withServer(
        _ program: Program,
        _ file: String,
        _ arguments: [String] = [],
        files: (TemporaryDirectory) throws -> Void = { _ in },
        _ body: (ProgramRun, Int) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        try files(directory)
        try directory.write(file, to: "server.conf")
        let run = try ProgramRun(program, ["-c", "server.conf"] + arguments, before: "cd '\(directory.path)'")
        try await run.use {
            try await run.waitForLog("Server is ready")
            try await body(run, try #require(run.port))
        }
    }

    /// The first line that comes in answer to CONNECT and PING.
    private func answer(_ port: Int, _ members: String) async throws -> String {
        let client = try RawConnection.connect(port: port, answersPings: true)
        defer { client.close() }
        try await client.readInfo()
        await client.send("CONNECT {\"verbose\":false,\(members)}\r\nPING\r\n")
        return String(decoding: try await client.read(until: "\r\n"), as: UTF8.self)
    }

    private func connect(_ port: Int, _ user: String, _ password: String) async throws -> RawConnection {
        let client = try RawConnection.connect(port: port, answersPings: true)
        try await client.readInfo()
        await client.send("CONNECT {\"verbose\":false,\"user\":\"\(user)\",\"pass\":\"\(password)\"}\r\nPING\r\n")
        try await client.expect("PONG\r\n")
        return client
    }

    // MARK: Section 3

    @Test(
        "§3: a single user with a password, in clear or hashed",
        arguments: Program.available,
        [
            "user: derek\n  password: T0pS3cr3t\n", "user:     derek,  password: T0pS3cr3t\n",
            "user: derek\n  password: $2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG\n",
        ]
    )
    func section3SingleUser(program: Program, block: String) async throws {
        // The documents' time-out of 1 s is for machines that have nothing else to do.
        let file = Self.address + "authorization {\n  \(block)  timeout: 30\n}\n"
        try await self.withServer(program, file) { run, port async throws in
            #expect(try await self.answer(port, "\"user\":\"derek\",\"pass\":\"T0pS3cr3t\"") == "PONG\r\n")
            #expect(try await self.answer(port, "\"user\":\"derek\",\"pass\":\"x\"") == Self.violation)
            #expect(try await self.answer(port, "\"name\":\"x\"") == Self.violation)
            let warns = run.errors.contains("[WRN] Plaintext passwords detected, use nkeys or bcrypt\n")
            #expect(warns == !block.contains("$2a$"))
            try await run.waitForLog("authentication error - User \"derek\"")
            #expect(!run.errors.contains("T0pS3cr3t"))
        }
    }

    @Test("§3: the time-out of authorization", arguments: Program.available, ["0.5", "0.75", "1"])
    func section3Timeout(program: Program, timeout: String) async throws {
        let file = Self.address + "authorization { user: derek, password: T0pS3cr3t, timeout: \(timeout) }\n"
        try await self.withServer(program, file) { _, port async throws in
            let client = try RawConnection.connect(port: port)
            #expect(try await client.readInfo().contains("\"auth_required\":true"))
            try await client.expect("-ERR 'Authentication Timeout'\r\n", thenEndWithin: .seconds(30))
        }
    }

    @Test("§3: a token, in clear or hashed", arguments: Program.available)
    func section3Token(program: Program) async throws {
        let hash = "$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG"
        for (token, stored) in [("S3Cr3T0k3n!", "\"S3Cr3T0k3n!\""), ("T0pS3cr3t", hash)] {
            let file = Self.address + "authorization { token: \(stored)\n timeout: 30 }\n"
            try await self.withServer(program, file) { run, port async throws in
                #expect(try await self.answer(port, "\"auth_token\":\"\(token)\"") == "PONG\r\n")
                #expect(try await self.answer(port, "\"auth_token\":\"x\"") == Self.violation)
                #expect(!run.errors.contains("Plaintext passwords"))
            }
        }
    }

    @Test(
        "§3: users with only a line break between, a variable, and a time-out in one block",
        arguments: Program.available
    )
    func section3Users(program: Program) async throws {
        let file =
            Self.address + """
                authorization {
                  PASS: abcdefghijklmnopqrstuvwxyz0123456789
                  users = [
                    {user: alice, password: foo}
                    {user: bob,   password: bar}
                    {user: joe,   password: $PASS}
                  ]
                  timeout: 30
                }

                """
        try await self.withServer(program, file) { _, port async throws in
            for (user, password) in [
                ("alice", "foo"), ("bob", "bar"), ("joe", "abcdefghijklmnopqrstuvwxyz0123456789"),
            ] {
                #expect(try await self.answer(port, "\"user\":\"\(user)\",\"pass\":\"\(password)\"") == "PONG\r\n")
            }
            #expect(try await self.answer(port, "\"user\":\"joe\",\"pass\":\"$PASS\"") == Self.violation)
            #expect(try await self.answer(port, "\"user\":\"alice\",\"pass\":\"bar\"") == Self.violation)
        }
    }

    @Test("§3: a key that nobody knows is an error with its place, in any script", arguments: Program.available)
    func section3UnknownKey(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "port: -1\nauthorization {\n  пользователь: derek\n  password: T0pS3cr3t\n}\n",
            to: "c"
        )
        for arguments in [["-c", file], ["-t", "-c", file]] {
            let run = try ProgramRun(program, arguments)
            #expect(await run.exitCode() == 1)
            #expect(run.errors.contains("\(file):3:3: unknown field \"пользователь\"\n"), "\(run.errors)")
        }
    }

    @Test("§3: ADMIN, REQUESTOR, RESPONDER and DEFAULT_PERMISSIONS as variables", arguments: Program.available)
    func section3Permissions(program: Program) async throws {
        let file =
            Self.address + """
                authorization {
                  ADMIN = {
                    publish = ">"
                    subscribe = ">"
                  }
                  REQUESTOR = {
                    publish = ["req.foo", "req.bar"]
                    subscribe = "_INBOX.>"
                  }
                  RESPONDER = {
                    subscribe = ["req.foo", "req.bar"]
                    publish = "_INBOX.>"
                  }
                  DEFAULT_PERMISSIONS = {
                    publish = "SANDBOX.*"
                    subscribe = ["PUBLIC.>", "_INBOX.>"]
                  }
                  PASS: abcdefghijklmnopqrstuvwxyz0123456789
                  default_permissions = $DEFAULT_PERMISSIONS
                  timeout: 30
                  users = [
                    {user: joe,     password: foo,   permissions: $ADMIN}
                    {user: alice,   password: bar,   permissions: $REQUESTOR}
                    {user: bob,     password: $PASS, permissions: $RESPONDER}
                    {user: charlie, password: bar}
                  ]
                }

                """
        try await self.withServer(program, file) { run, port async throws in
            let joe = try await self.connect(port, "joe", "foo")
            await joe.send("SUB > 1\r\nPING\r\n")
            try await joe.expect("PONG\r\n")
            let bob = try await self.connect(port, "bob", "abcdefghijklmnopqrstuvwxyz0123456789")
            await bob.send("SUB req.foo 1\r\nPING\r\n")
            try await bob.expect("PONG\r\n")
            let alice = try await self.connect(port, "alice", "bar")
            await alice.send("SUB _INBOX.a 1\r\nPUB req.foo _INBOX.a 4\r\nhelp\r\n")
            try await bob.expect("MSG req.foo 1 _INBOX.a 4\r\nhelp\r\n")
            await bob.send("PUB _INBOX.a 2\r\nok\r\n")
            try await alice.expect("MSG _INBOX.a 1 2\r\nok\r\n")
            try await joe.expect("MSG req.foo 1 _INBOX.a 4\r\nhelp\r\nMSG _INBOX.a 1 2\r\nok\r\n")

            let charlie = try await self.connect(port, "charlie", "bar")
            await charlie.send("SUB _INBOX.c 1\r\nPUB req.foo _INBOX.c 6\r\nsecret\r\nSUB req.bar 2\r\n")
            try await charlie.expect(
                "-ERR 'Permissions Violation for Publish to \"req.foo\"'\r\n"
                    + "-ERR 'Permissions Violation for Subscription to \"req.bar\"'\r\n"
            )
            try await bob.expectNothing()
            // Refusals are logged, without what was in the message.
            try await run.waitForLog("Publish Violation - Subject \"req.foo\"")
            try await run.waitForLog("Subscription Violation - Subject \"req.bar\", SID 2")
            #expect(!run.errors.contains("secret"))
            await charlie.send("PUB SANDBOX.x 1\r\nx\r\n")
            try await joe.expect("MSG SANDBOX.x 1 1\r\nx\r\n")
        }
    }

    @Test("§3: the system account's users listen to it; others need no credentials", arguments: Program.available)
    func section3SystemAccount(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let accounts = "accounts: { $SYS: { users: [{user: sys, password: pass}] } }\n"
        let tested = try directory.write("port: -1\n" + accounts, to: "t")
        let test = try ProgramRun(program, ["-t", "-c", tested])
        #expect(await test.exitCode() == 0)
        try await self.withServer(program, Self.address + accounts) { _, port async throws in
            let system = try await self.connect(port, "sys", "pass")
            await system.send("SUB $SYS.ACCOUNT.$G.CONNECT 1\r\nPING\r\n")
            try await system.expect("PONG\r\n")
            let anybody = try RawConnection.connect(port: port, answersPings: true)
            let info = try await anybody.readInfo()
            #expect(info.contains("\"auth_required\":true"))
            await anybody.send("CONNECT {\"verbose\":false}\r\nSUB $SYS.> 1\r\nPING\r\n")
            try await anybody.expect("PONG\r\n")
            let line = try await system.readLine()
            #expect(line.hasPrefix("MSG $SYS.ACCOUNT.$G.CONNECT 1 "))
            try await anybody.expectNothing()
        }
    }

    // MARK: Section 4

    /// Certificates in the directory of the configuration, and whom to trust.
    private struct Certificates {
        let authority: TestAuthority
        let server: TestCertificate

        init() throws {
            self.authority = try TestAuthority()
            self.server = try self.authority.server()
        }

        func write(_ directory: TemporaryDirectory) throws {
            _ = try self.server.write(to: directory, as: "server")
            try directory.write(self.authority.text, to: "ca.pem")
        }

        func options(_ identity: TestCertificate? = nil) -> SecureConnection.Options {
            SecureConnection.Options(authority: self.authority.text, identity: identity)
        }
    }

    private static let pair = "  cert_file: \"server.pem\"\n  key_file:  \"server.key\"\n"

    private func accepts(_ port: Int, _ options: SecureConnection.Options) async throws -> Bool {
        let connection = try await SecureConnection.connect(port: port, options)
        defer { connection.close() }
        await connection.send("CONNECT {\"verbose\":false}\r\nPING\r\n")
        return (try? await connection.read(until: "PONG\r\n")) == "PONG\r\n"
    }

    @Test(
        "§4: tls blocks without certificates of clients; the log tells version and cipher suite",
        arguments: Program.available,
        [
            "  timeout: 30\n", "  timeout: 30\n  ca_file: \"ca.pem\"\n",
            "  timeout: 30\n  cipher_suites: [\n    \"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\",\n"
                + "    \"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\"\n  ]\n",
        ]
    )
    func section4Simple(program: Program, more: String) async throws {
        let certificates = try Certificates()
        let file = Self.address + "tls {\n\(Self.pair)\(more)}\n"
        try await self.withServer(program, file, ["-D"], files: certificates.write) { run, port async throws in
            #expect(run.errors.contains("[INF] TLS required for client connections\n"))
            #expect(try await self.accepts(port, certificates.options()))
            #expect(try await self.accepts(port, certificates.options().ofVersion12))
            try await run.waitForLog("TLS version 1.3, cipher suite TLS_")
            try await run.waitForLog("TLS version 1.2, cipher suite TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
        }
    }

    @Test("§4: the same block serves the https_port", arguments: Program.available)
    func section4HTTPS(program: Program) async throws {
        let certificates = try Certificates()
        let file = Self.address + "https_port: -1\ntls {\n\(Self.pair)  timeout: 30\n}\n"
        try await self.withServer(program, file, files: certificates.write) { run, _ async throws in
            let line = try #require(run.errors.firstMatch(of: #/Starting https monitor on 127\.0\.0\.1:(\d+)\n/#))
            let port = try #require(Int(line.1))
            var options = certificates.options()
            options.handshakeFirst = true
            let page = try await SecureConnection.connect(port: port, options)
            await page.send("GET /varz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            let text = await page.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(text.contains("\"tls_required\": true"))
        }
    }

    @Test("§4: verify wants a certificate of the authority", arguments: Program.available)
    func section4Verify(program: Program) async throws {
        let certificates = try Certificates()
        let stranger = try TestAuthority(name: "Stranger").client()
        let file = Self.address + "tls {\n\(Self.pair)  ca_file: \"ca.pem\"\n  verify: true\n  timeout: 30\n}\n"
        try await self.withServer(program, file, files: certificates.write) { run, port async throws in
            #expect(try await self.accepts(port, certificates.options(try certificates.authority.client())))
            #expect(try await self.accepts(port, certificates.options()) == false)
            #expect(try await self.accepts(port, certificates.options(stranger)) == false)
            try await run.waitForLog("[ERR] 127.0.0.1:")
            #expect(run.errors.contains("TLS handshake error: "))
        }
    }

    @Test("§4: verify_and_map finds the user by e-mail or by subject", arguments: Program.available)
    func section4Map(program: Program) async throws {
        let certificates = try Certificates()
        let file =
            Self.address + """
                tls {
                \(Self.pair)  ca_file: "ca.pem"
                  verify_and_map: true
                  timeout: 30
                }
                authorization {
                  timeout: 60
                  users = [
                    {user: "derek@nats.io", permissions: { publish: "foo" }}
                    {user: "CN=example.com,OU=CNCF", permissions: { publish: "bar" }}
                  ]
                }

                """
        try await self.withServer(program, file, files: certificates.write) { _, port async throws in
            for (identity, allowed, denied) in [
                (try certificates.authority.client(emails: ["derek@nats.io", "x@nats.io"]), "foo", "bar"),
                (
                    try certificates.authority.client(subject: [[("OU", "CNCF")], [("CN", "example.com")]]), "bar",
                    "foo"
                ),
            ] {
                let client = try await SecureConnection.connect(port: port, certificates.options(identity))
                #expect(try await client.connect() == "PONG\r\n")
                await client.send("PUB \(allowed) 0\r\n\r\nPUB \(denied) 0\r\n\r\n")
                #expect(
                    try await client.read(until: "\r\n")
                        == "-ERR 'Permissions Violation for Publish to \"\(denied)\"'\r\n"
                )
                client.close()
            }
            #expect(try await self.accepts(port, certificates.options(try certificates.authority.client())) == false)
        }
    }

    @Test("§4: the TLS of a cluster is checked, both ways", arguments: Program.available)
    func section4Cluster(program: Program) async throws {
        let certificates = try Certificates()
        let directory = try TemporaryDirectory()
        try certificates.write(directory)
        for (more, problem) in [
            ("  ca_file: \"ca.pem\"\n  timeout: 2\n", nil),
            ("  ca_file: \"nope.pem\"\n", "open nope.pem: no such file or directory"),
        ] {
            try directory.write("cluster {\n listen: 127.0.0.1:4248\n tls {\n\(Self.pair)\(more)}\n}\n", to: "c")
            let run = try ProgramRun(program, ["-t", "-c", "c"], before: "cd '\(directory.path)'")
            #expect(await run.exitCode() == (problem == nil ? 0 : 1))
            #expect(run.errors.contains(problem ?? "nats-server: configuration file c is valid (sha256:"))
        }
    }

    // MARK: Section 10

    @Test("§10: a slow consumer is logged, closed and counted, by bytes or by time", arguments: Program.available)
    func section10SlowConsumer(program: Program) async throws {
        for (limits, line) in [
            (
                "max_payload: 64KB\nmax_pending: 256KB\nwrite_deadline: \"60s\"\n",
                "Slow Consumer Detected: MaxPending of 262144 Exceeded\n"
            ),
            (
                "max_pending: 256MB\nwrite_deadline: \"500ms\"\n",
                "Slow Consumer Detected: WriteDeadline of 500ms exceeded with "
            ),
        ] {
            try await self.withServer(program, Self.address + limits, ["-D", "-m", "-1"]) { run, port async throws in
                let line = Substring(line)
                let slow = try RawConnection.connect(port: port, answersPings: true)
                try await slow.readInfo()
                await slow.send("CONNECT {\"verbose\":false}\r\nSUB flood 1\r\nPING\r\n")
                try await slow.expect("PONG\r\n")
                slow.pauseReading()
                let publisher = try RawConnection.connect(port: port, answersPings: true)
                try await publisher.readInfo()
                await publisher.send("CONNECT {\"verbose\":false}\r\n")
                let message = "PUB flood 4096\r\n\(String(repeating: "x", count: 4096))\r\n"
                let many = String(repeating: message, count: 32) + "PING\r\n"
                try await eventually("the line about the slow consumer", timeout: .seconds(60)) {
                    await publisher.send(many)
                    try await publisher.expect("PONG\r\n")
                    return run.errors.contains(line)
                }
                #expect(run.errors.contains(#/\[INF\] 127\.0\.0\.1:\d+ - cid:\d+ - Slow Consumer Detected: /#))
                try await run.waitForLog("Client connection closed: Slow Consumer (")
                let varz = try await fetch("/varz", port: try #require(run.monitoringPort)).text
                #expect(varz.contains("\"slow_consumers\": 1,"))
                slow.resumeReading()
                _ = try await slow.readToEnd()
            }
        }
    }

    @Test("a consumer that falls behind slows producers down, or loses messages", arguments: Program.available)
    func stalledProducers(program: Program) async throws {
        let lines = ["Producer was stalled for a total of ", "Timed out of fast producer stall ("]
        for stalls in [true, false] {
            let file =
                Self.address + "http: \"127.0.0.1:-1\"\nmax_payload: 64KB\nmax_pending: 1MB\nwrite_deadline: \"60s\"\n"
                + "no_fast_producer_stall: \(!stalls)\n"
            try await self.withServer(program, file, ["-D"]) { run, port async throws in
                // Ours stalls producers only while the consumer has taken something a moment ago, so a machine that is
                // busy elsewhere may miss that.
                var attempts = 0
                repeat {
                    attempts += 1
                    try await self.fallBehind(run, port: port, loses: !stalls, earlier: attempts - 1)
                } while stalls && attempts < 50 && !lines.allSatisfy { run.errors.contains($0) }
                for line in lines { #expect(run.errors.contains(line) == stalls) }
                #expect(run.errors.contains("[WRN] 127.0.0.1:") == stalls)
                let varz = try await fetch("/varz", port: try #require(run.monitoringPort)).text
                #expect(varz.contains("\"stalled_clients\": 0,") == !stalls)
            }
        }
    }

    /// A producer sends until its consumer, who does not read, is cut off, or has lost a part of many megabytes.
    private func fallBehind(_ run: ProgramRun, port: Int, loses: Bool, earlier: Int) async throws {
        let slow = try RawConnection.connect(port: port, answersPings: true)
        try await slow.readInfo()
        await slow.send("CONNECT {\"verbose\":false}\r\nSUB flood 1\r\nPING\r\n")
        try await slow.expect("PONG\r\n")
        slow.pauseReading()
        let publisher = try RawConnection.connect(port: port, answersPings: true)
        try await publisher.readInfo()
        await publisher.send("CONNECT {\"verbose\":false}\r\n")
        let message = "PUB flood 4096\r\n\(String(repeating: "x", count: 4096))\r\n"
        let many = String(repeating: message, count: 16) + "PING\r\n"
        var sent = 0
        func isCutOff() -> Bool { run.errors.ranges(of: "Slow Consumer Detected").count > earlier }
        while sent < 32 << 20, !isCutOff() {
            await publisher.send(many)
            try await publisher.expect("PONG\r\n")
            sent += 16 * 4096
        }
        if loses {
            #expect(!isCutOff())
        } else {
            try await eventually("the slow consumer is cut off") { isCutOff() }
        }
        slow.resumeReading()
        if loses {
            await slow.send("PING\r\n")
            #expect(try await slow.read(until: "PONG\r\n").count < sent)
        } else {
            _ = try await slow.readToEnd()
        }
        publisher.close()
    }

    @Test("§10: a client that does not answer PING is cut off", arguments: Program.available)
    func section10Ping(program: Program) async throws {
        let file = Self.address + "ping_interval: \"200ms\"\nping_max: 1\n"
        try await self.withServer(program, file, ["-D"]) { run, port async throws in
            let client = try RawConnection.connect(port: port)
            try await client.readInfo()
            await client.send("CONNECT {\"verbose\":false}\r\n")
            let rest = String(decoding: try await client.readToEnd(), as: UTF8.self)
            #expect(rest.hasPrefix("PING\r\n"))
            #expect(rest.hasSuffix("-ERR 'Stale Connection'\r\n"))
            try await run.waitForLog("Client connection closed: Stale Connection")
        }
    }
}
