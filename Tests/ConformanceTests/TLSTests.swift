import Logging
import NATSTestServer
import NATSTestSupport
import NIOSSL
import Testing

/// Certificates on disk, for both servers.
struct TLSFixture {
    let authority: TestAuthority
    let server: TestCertificate
    let tls: NATSTestServer.TLS
    private let directory: TemporaryDirectory

    init() throws {
        self.authority = try TestAuthority()
        self.server = try self.authority.server()
        self.directory = try TemporaryDirectory()
        let paths = try self.server.write(to: self.directory, as: "server")
        var tls = NATSTestServer.TLS(certificate: .file(paths.certificate), key: .file(paths.key))
        tls.authorities = .file(try self.directory.write(self.authority.text, to: "ca.pem"))
        // A busy machine must not end a handshake.
        tls.timeout = .seconds(30)
        self.tls = tls
    }

    func client(_ identity: TestCertificate? = nil) -> SecureConnection.Options {
        SecureConnection.Options(authority: self.authority.text, identity: identity)
    }
}

/// A server with its log.
struct LoggedServer {
    let server: RunningServer
    let log: CollectedLog

    var port: Int { self.server.port }

    func waitForLog(_ part: String) async throws -> Bool {
        switch self.server {
        case .official(let server):
            try await eventually("\(part) in the log") { server.log.contains(part) }
            return true
        case .ours:
            return await self.log.wait(for: part)
        }
    }

    var text: String {
        switch self.server {
        case .official(let server): server.log
        case .ours: self.log.lines.joined(separator: "\n")
        }
    }
}

extension ServerUnderTest {
    func withLoggedServer(
        _ configuration: ServerConfiguration,
        _ body: (LoggedServer) async throws -> Void
    ) async throws {
        let log = CollectedLog()
        var configuration = configuration
        configuration.debug = true
        configuration.logger = log.logger
        try await self.withServer(configuration) { try await body(LoggedServer(server: $0, log: log)) }
    }
}

@Suite("TLS of client connections", .serialized, .timeLimit(.minutes(2)))
struct TLSTests {
    private func expectAccepted(_ port: Int, _ options: SecureConnection.Options) async throws {
        let connection = try await SecureConnection.connect(port: port, options)
        let answer = try await connection.connect()
        #expect(answer == "PONG\r\n")
    }

    private func expectRefused(_ port: Int, _ options: SecureConnection.Options) async throws {
        let connection = try await SecureConnection.connect(port: port, options)
        let rest = await connection.readToEnd()
        #expect(rest.isEmpty)
    }

    // MARK: Handshake

    @Test(
        "old documents section 4: INFO, then the handshake, and what the log says",
        arguments: ServerUnderTest.available
    )
    func handshake(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        try await server.withLoggedServer(.init(tls: fixture.tls)) { server in
            #expect(try await server.waitForLog("[INF] TLS required for client connections"))
            let modern = try await SecureConnection.connect(port: server.port, fixture.client())
            #expect(modern.clearInfo.contains(#""tls_required":true"#))
            #expect(!modern.clearInfo.contains("tls_verify"))
            #expect(!modern.clearInfo.contains("tls_available"))
            #expect(try await modern.connect() == "PONG\r\n")
            #expect(try await modern.serverCertificate() == fixture.server.bytes)
            for line in [
                "[DBG] 127.0.0.1:", "Client connection created", "Starting TLS client connection handshake",
                "TLS handshake complete", "TLS version 1.3, cipher suite TLS_",
            ] {
                #expect(try await server.waitForLog(line))
            }
            var options = fixture.client()
            options.maximumVersion = .tlsv12
            options.cipherSuites = [.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
            let older = try await SecureConnection.connect(port: server.port, options)
            let answer = try await older.connect("\"protocol\":1,\"verbose\":false")
            #expect(answer == "PONG\r\n")
            #expect(try await older.read(until: "\r\n").contains(#""tls_required":true"#))
            #expect(
                try await server.waitForLog("TLS version 1.2, cipher suite TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
            )
            older.close()
            #expect(try await server.waitForLog("Client connection closed: Client Closed"))
        }
    }

    @Test("messages of all sizes, both ways", arguments: ServerUnderTest.available)
    func messages(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        try await server.withServer(.init(tls: fixture.tls)) { server in
            let subscriber = try await SecureConnection.connect(port: server.port, fixture.client())
            #expect(try await subscriber.connect() == "PONG\r\n")
            await subscriber.send("SUB a 1\r\nPING\r\n")
            #expect(try await subscriber.read(until: "\r\n") == "PONG\r\n")
            let publisher = try await SecureConnection.connect(port: server.port, fixture.client())
            #expect(try await publisher.connect() == "PONG\r\n")
            for size in [0, 1, 1000, 16_384, 70_000, 1_048_576] {
                let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                await publisher.send(Array("PUB a \(size)\r\n".utf8) + payload + Array("\r\n".utf8))
                let line = Array("MSG a 1 \(size)\r\n".utf8)
                let received = try await subscriber.read(count: line.count + size + 2)
                #expect(received == line + payload + [13, 10])
            }
        }
    }

    @Test("a client in clear text is closed without a word", arguments: ServerUnderTest.available)
    func clearText(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        try await server.withLoggedServer(.init(tls: fixture.tls)) { server in
            let peer = try await server.server.connect()
            await peer.send("CONNECT {\"verbose\":true}\r\nSUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n")
            try await peer.expectEnd()
            #expect(
                try await server.waitForLog("TLS handshake error: tls: first record does not look like a TLS handshake")
            )
            #expect(try await server.waitForLog("Client connection closed: TLS Handshake Failure"))
            // What is no command is no handshake either.
            let other = try await server.server.connect()
            await other.send([22, 3, 1, 0, 5] + Array("hello".utf8))
            _ = try await other.readToEnd()
            try await self.expectAccepted(server.port, fixture.client())
        }
    }

    @Test("handshakes that do not end are ended", arguments: ServerUnderTest.available)
    func halfOpen(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        var tls = fixture.tls
        tls.timeout = .milliseconds(300)
        try await server.withLoggedServer(.init(tls: tls)) { server in
            var peers: [RawConnection] = []
            for index in 0..<40 {
                let peer = try await server.server.connect()
                if index.isMultiple(of: 2) { await peer.send([22, 3, 1]) }
                peers.append(peer)
            }
            for peer in peers { try await peer.expectEnd() }
            #expect(try await server.waitForLog("i/o timeout"))
            #expect(try await server.waitForLog("TLS handshake timeout"))
            #expect(try await server.waitForLog("Client connection closed: TLS Handshake Failure"))
        }
    }

    @Test("a client that goes away during the handshake", arguments: ServerUnderTest.available)
    func endDuringHandshake(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        try await server.withLoggedServer(.init(tls: fixture.tls)) { server in
            let peer = try await server.server.connect()
            peer.close()
            #expect(try await server.waitForLog("TLS handshake error: EOF"))
            let other = try await server.server.connect()
            await other.send([22, 3, 1, 0])
            other.finishSending()
            try await other.expectEnd()
            try await self.expectAccepted(server.port, fixture.client())
        }
    }

    @Test("versions and cipher suites", arguments: ServerUnderTest.available)
    func versions(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        var old = fixture.client()
        old.maximumVersion = .tlsv11
        var middle = fixture.client()
        middle.maximumVersion = .tlsv12
        var tls = fixture.tls
        tls.cipherSuites = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]
        tls.curvePreferences = ["CurveP384"]
        try await server.withLoggedServer(.init(tls: tls)) { server in
            let refused = try await SecureConnection.connect(port: server.port, old)
            #expect(await refused.readToEnd().isEmpty)
            #expect(try await server.waitForLog("TLS handshake error: tls: client offered only unsupported versions"))
            let accepted = try await SecureConnection.connect(port: server.port, middle)
            #expect(try await accepted.connect() == "PONG\r\n")
            #expect(try await server.waitForLog("cipher suite TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"))
            // Those of TLS 1.3 are always there.
            try await self.expectAccepted(server.port, fixture.client())
            var other = middle
            other.cipherSuites = [.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]
            try await self.expectRefused(server.port, other)
            #expect(
                try await server.waitForLog("tls: no cipher suite supported by both client and server")
            )
        }
        tls = fixture.tls
        tls.minVersion = .v13
        try await server.withServer(.init(tls: tls)) { server in
            try await self.expectRefused(server.port, middle)
            try await self.expectAccepted(server.port, fixture.client())
        }
    }

    // MARK: When

    @Test("handshake_first: INFO only inside", arguments: ServerUnderTest.available)
    func handshakeFirst(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        var tls = fixture.tls
        tls.handshakeFirst = .on
        // Has no effect then.
        tls.allowNonTLS = true
        var options = fixture.client()
        options.handshakeFirst = true
        try await server.withLoggedServer(.init(tls: tls)) { server in
            let first = try await SecureConnection.connect(port: server.port, options)
            let info = try await first.read(until: "\r\n")
            #expect(info.hasPrefix("INFO {"))
            #expect(info.contains(#""tls_required":true"#))
            #expect(try await first.connect() == "PONG\r\n")
            let clear = try server.server.rawConnection()
            await clear.send("PING\r\n")
            try await clear.expectEnd()
            #expect(
                try await server.waitForLog(
                    "[WRN] Clients that are not using \"TLS Handshake First\" option will fail to connect"
                )
            )
        }
    }

    @Test("handshake_first with a time after which INFO comes in clear text", arguments: ServerUnderTest.available)
    func fallback(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        var first = fixture.client()
        first.handshakeFirst = true
        var tls = fixture.tls
        tls.handshakeFirst = .fallback(after: .seconds(15))
        try await server.withServer(.init(tls: tls)) { server in
            let connection = try await SecureConnection.connect(port: server.port, first)
            #expect(try await connection.read(until: "\r\n").hasPrefix("INFO {"))
            #expect(try await connection.connect() == "PONG\r\n")
        }
        tls.handshakeFirst = .fallback(after: .milliseconds(50))
        try await server.withServer(.init(tls: tls)) { server in
            let connection = try await SecureConnection.connect(port: server.port, fixture.client())
            #expect(connection.clearInfo.contains(#""tls_required":true"#))
            #expect(try await connection.connect() == "PONG\r\n")
        }
    }

    @Test("allow_non_tls: both kinds of client", arguments: ServerUnderTest.available)
    func allowNonTLS(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        var tls = fixture.tls
        tls.allowNonTLS = true
        try await server.withLoggedServer(.init(tls: tls)) { server in
            #expect(try await server.waitForLog("[INF] TLS available for client connections"))
            let secure = try await SecureConnection.connect(port: server.port, fixture.client())
            #expect(secure.clearInfo.contains(#""tls_available":true"#))
            #expect(!secure.clearInfo.contains("tls_required"))
            #expect(try await secure.connect() == "PONG\r\n")
            await secure.send("SUB a 1\r\nPING\r\n")
            #expect(try await secure.read(until: "\r\n") == "PONG\r\n")
            let clear = try await server.server.connect(options: "{\"verbose\":false}")
            await clear.send("PUB a 2\r\nhi\r\n")
            #expect(try await secure.read(until: "hi\r\n") == "MSG a 1 2\r\nhi\r\n")
        }
    }

    // MARK: Client certificates

    @Test("verify: only certificates of the authority", arguments: ServerUnderTest.available)
    func verify(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        let stranger = try TestAuthority(name: "Another Authority")
        var tls = fixture.tls
        tls.verify = true
        try await server.withLoggedServer(.init(tls: tls)) { server in
            let good = try await SecureConnection.connect(
                port: server.port,
                fixture.client(try fixture.authority.client())
            )
            #expect(good.clearInfo.contains(#""tls_verify":true"#))
            #expect(try await good.connect() == "PONG\r\n")
            for maximum in [TLSVersion.tlsv12, .tlsv13] {
                for identity in [
                    nil, try stranger.client(), try fixture.authority.client(isExpired: true),
                    try fixture.authority.server(),
                ] {
                    var options = fixture.client(identity)
                    options.maximumVersion = maximum
                    let refused = try await SecureConnection.connect(port: server.port, options)
                    await refused.send("CONNECT {}\r\nPING\r\n")
                    #expect(await refused.readToEnd().isEmpty)
                }
            }
            #expect(try await server.waitForLog("TLS handshake error: tls: client didn't provide a certificate"))
            #expect(
                try await server.waitForLog(
                    "tls: failed to verify certificate: x509: certificate signed by unknown authority (CN=client SHA-256: "
                )
            )
            #expect(try await server.waitForLog("x509: certificate has expired or is not yet valid"))
        }
    }

    @Test("pinned_certs: only these keys", arguments: ServerUnderTest.available)
    func pinned(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        let known = try fixture.authority.client()
        let unknown = try fixture.authority.client()
        var tls = fixture.tls
        tls.verify = true
        tls.pinnedCertificates = [known.publicKeyDigest]
        try await server.withLoggedServer(.init(tls: tls)) { server in
            let accepted = try await SecureConnection.connect(port: server.port, fixture.client(known))
            #expect(try await accepted.connect() == "PONG\r\n")
            let refused = try await SecureConnection.connect(port: server.port, fixture.client(unknown))
            await refused.send("CONNECT {}\r\nPING\r\n")
            #expect(await refused.readToEnd().isEmpty)
            #expect(
                try await server.waitForLog("Failed pinned cert test for key id: \(unknown.publicKeyDigest)")
            )
            #expect(try await server.waitForLog("[ERR] 127.0.0.1:"))
            #expect(try await server.waitForLog("TLS handshake error: certificate not pinned"))
        }
    }

    @Test(
        "old documents section 4: verify_and_map by e-mail, DNS name, URI and subject",
        arguments: ServerUnderTest.available
    )
    func verifyAndMap(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        var tls = fixture.tls
        tls.verifyAndMap = true
        let permissions = NATSTestServer.Permissions(publish: .init(allow: ["foo"]))
        let names = [
            "derek@nats.io", "CN=example.com,OU=CNCF", "host.example.com", "spiffe://localhost/my-nats-service/user-a",
            "CN=reordered,OU=NATS,O=Example,C=US", "CN=dc,OU=Unit,DC=foo,DC=com", "CN=with\\, comma,O=Example",
            "O=Several,OU=a+OU=b,CN=several",
        ]
        let users =
            names.map { NATSTestServer.User(name: $0, password: "", permissions: permissions) } + [
                .init(name: "CN=secret", password: "s3cret")
            ]
        try await server.withLoggedServer(.init(users: users, authTimeout: .seconds(60), tls: tls)) { server in
            func outcome(_ identity: TestCertificate, _ members: String = "\"verbose\":false") async throws -> String {
                let connection = try await SecureConnection.connect(port: server.port, fixture.client(identity))
                let answer = try await connection.connect(members)
                connection.close()
                return answer
            }
            let authority = fixture.authority
            let accepted = "PONG\r\n"
            let refused = "-ERR 'Authorization Violation'\r\n"
            #expect(try await outcome(authority.client(emails: ["x@nats.io", "derek@nats.io"])) == accepted)
            #expect(try await server.waitForLog("Using email found in cert for auth [\"derek@nats.io\"]"))
            #expect(try await outcome(authority.client(dnsNames: ["host.example.com"])) == accepted)
            #expect(try await server.waitForLog("Using SAN found in cert for auth [\"host.example.com\"]"))
            #expect(
                try await outcome(authority.client(uris: ["spiffe://localhost/my-nats-service/user-a"])) == accepted
            )
            #expect(try await server.waitForLog("Using URI found in cert for auth [\"spiffe:"))
            #expect(
                try await outcome(authority.client(subject: [[("OU", "CNCF")], [("CN", "example.com")]])) == accepted
            )
            #expect(
                try await server.waitForLog("Using DistinguishedNameMatch for auth [\"CN=example.com,OU=CNCF\"]")
            )
            // In another order.
            #expect(
                try await outcome(
                    authority.client(subject: [
                        [("CN", "reordered")], [("C", "US")], [("OU", "NATS")], [("O", "Example")],
                    ])
                ) == accepted
            )
            #expect(
                try await outcome(
                    authority.client(subject: [[("DC", "com")], [("DC", "foo")], [("OU", "Unit")], [("CN", "dc")]])
                ) == accepted
            )
            #expect(
                try await outcome(authority.client(subject: [[("O", "Example")], [("CN", "with, comma")]])) == accepted
            )
            #expect(
                try await outcome(
                    authority.client(subject: [[("CN", "several")], [("OU", "b"), ("OU", "a")], [("O", "Several")]])
                ) == accepted
            )
            // Nobody.
            #expect(try await outcome(authority.client(subject: [[("CN", "nobody")]])) == refused)
            #expect(try await server.waitForLog("DistinguishedNameMatch could not be used for auth [\"CN=nobody\"]"))
            #expect(try await server.waitForLog("User in cert [\"CN=nobody\"], not found"))
            #expect(try await outcome(authority.client(emails: ["DEREK@nats.io"])) == refused)
            // What CONNECT says does not count, but for the password of a user that has one.
            let derek = try authority.client(emails: ["derek@nats.io"])
            #expect(try await outcome(derek, "\"verbose\":false,\"user\":\"joe\"") == accepted)
            #expect(
                try await server.waitForLog(
                    "[WRN] User \"joe\" found in connect proto, but user required from cert"
                )
            )
            #expect(try await outcome(derek, "\"verbose\":false,\"user\":\"joe\",\"pass\":\"x\"") == refused)
            let secret = try authority.client(subject: [[("CN", "secret")]])
            #expect(try await outcome(secret) == refused)
            #expect(try await outcome(secret, "\"verbose\":false,\"pass\":\"s3cret\"") == accepted)
        }
    }

    @Test("a mapped user has its permissions and its name in the log", arguments: ServerUnderTest.available)
    func mappedPermissions(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        var tls = fixture.tls
        tls.verifyAndMap = true
        tls.allowNonTLS = true
        let user = NATSTestServer.User(
            name: "derek@nats.io",
            password: "",
            permissions: .init(publish: .init(allow: ["foo"]))
        )
        try await server.withLoggedServer(.init(users: [user], authTimeout: .seconds(60), tls: tls)) { server in
            let connection = try await SecureConnection.connect(
                port: server.port,
                fixture.client(try fixture.authority.client(emails: ["derek@nats.io"]))
            )
            #expect(try await connection.connect() == "PONG\r\n")
            await connection.send("PUB foo 1\r\nx\r\nPUB bar 1\r\nx\r\n")
            #expect(
                try await connection.read(until: "\r\n") == "-ERR 'Permissions Violation for Publish to \"bar\"'\r\n"
            )
            #expect(try await server.waitForLog("- \"$G/user:derek@nats.io\" - Publish Violation"))
            // Without TLS there is no certificate.
            let clear = try await server.server.connect()
            await clear.send("CONNECT {\"verbose\":false,\"user\":\"derek@nats.io\"}\r\nPING\r\n")
            try await clear.expect("-ERR 'Authorization Violation'\r\n", thenEndWithin: .seconds(30))
            #expect(try await server.waitForLog("User required in cert, no TLS connection state"))
        }
    }

    // MARK: Ends

    @Test("a slow consumer is cut off, and others are not", arguments: ServerUnderTest.available)
    func slowConsumer(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        let configuration = ServerConfiguration(maxPayload: 1 << 20, maxPending: 2 << 20, tls: fixture.tls)
        try await server.withLoggedServer(configuration) { server in
            var options = fixture.client()
            options.receiveBuffer = 16 << 10
            let slow = try await SecureConnection.connect(port: server.port, options)
            #expect(try await slow.connect() == "PONG\r\n")
            await slow.send("SUB a 1\r\nPING\r\n")
            #expect(try await slow.read(until: "\r\n") == "PONG\r\n")
            try await slow.pauseReading()
            let quick = try await SecureConnection.connect(port: server.port, fixture.client())
            #expect(try await quick.connect() == "PONG\r\n")
            await quick.send("SUB b 1\r\nPING\r\n")
            #expect(try await quick.read(until: "\r\n") == "PONG\r\n")
            let payload = [UInt8](repeating: 0x61, count: 64 << 10)
            let message = Array("PUB a \(payload.count)\r\n".utf8) + payload + [13, 10]
            for _ in 0..<400 { await quick.send(message) }
            #expect(try await server.waitForLog("Client connection closed: Slow Consumer"))
            await quick.send("PUB b 2\r\nok\r\n")
            #expect(try await quick.read(until: "ok\r\n") == "MSG b 1 2\r\nok\r\n")
        }
    }

    @Test("the end of the server is a clean end", arguments: ServerUnderTest.available)
    func shutdown(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        let running = try await server.start(.init(tls: fixture.tls))
        let connection = try await SecureConnection.connect(port: running.port, fixture.client())
        #expect(try await connection.connect() == "PONG\r\n")
        // One that has not come so far.
        let other = try await running.connect()
        await running.stop()
        #expect(await connection.readToEnd().isEmpty)
        try await other.expectEnd()
    }

    @Test("too many clients are told in clear text", arguments: ServerUnderTest.available)
    func tooMany(server: ServerUnderTest) async throws {
        let fixture = try TLSFixture()
        try await server.withServer(.init(maxConnections: 1, tls: fixture.tls)) { server in
            let first = try await SecureConnection.connect(port: server.port, fixture.client())
            #expect(try await first.connect() == "PONG\r\n")
            let second = try server.rawConnection()
            let text = String(decoding: try await second.readToEnd(), as: UTF8.self)
            #expect(text.hasPrefix("INFO {"))
            #expect(text.hasSuffix("\r\n-ERR 'maximum connections exceeded'\r\n"))
        }
    }
}
