import NATSTestServer
import NATSTestSupport
import Testing

/// The official C client over TLS.
@Suite(
    "libnats over TLS",
    .serialized,
    .timeLimit(.minutes(5)),
    .enabled(if: TestDependencies.canRun(TestDependencies.libnatsSession, "libnats, the C client"))
)
struct LibnatsTLSTests {
    /// Files of an authority, a server, and clients of each sort.
    private struct Files {
        let directory: TemporaryDirectory
        let tls: NATSTestServer.TLS
        let trusted: [String]
        let distrusted: [String]
        /// An environment in which OpenSSL ends at TLS 1.2, where a client learns of its refusal in the handshake.
        let older: [String: String]
        private let authority: TestAuthority
        private let stranger: TestAuthority

        init() throws {
            self.directory = try TemporaryDirectory()
            self.authority = try TestAuthority()
            self.stranger = try TestAuthority(name: "Another")
            let own = try self.authority.server().write(to: self.directory, as: "server")
            let authorityFile = try self.directory.write(self.authority.text, to: "ca.pem")
            var tls = NATSTestServer.TLS(certificate: .file(own.certificate), key: .file(own.key))
            tls.authorities = .file(authorityFile)
            tls.timeout = .seconds(30)
            self.tls = tls
            self.trusted = ["secure", "ca", authorityFile]
            self.distrusted = ["secure", "ca", try self.directory.write(self.stranger.text, to: "another.pem")]
            let limits = """
                openssl_conf = all
                [all]
                ssl_conf = modules
                [modules]
                system_default = limits
                [limits]
                MaxProtocol = TLSv1.2

                """
            self.older = ["OPENSSL_CONF": try self.directory.write(limits, to: "openssl.cnf")]
        }

        func client(_ name: String, _ certificate: TestCertificate) throws -> [String] {
            let files = try certificate.write(to: self.directory, as: name)
            return self.trusted + ["own", files.certificate, files.key]
        }

        func client(_ name: String, emails: [String] = [], organization: String? = nil) throws -> [String] {
            let subject = (organization.map { [[("O", $0)]] } ?? []) + [[("CN", name)]]
            return try self.client(name, try self.authority.client(subject: subject, emails: emails))
        }

        func expired() throws -> [String] {
            try self.client("expired", try self.authority.client(isExpired: true))
        }

        func strange() throws -> [String] {
            try self.client("strange", try self.stranger.client())
        }

        func server() throws -> [String] {
            try self.client("purpose", try self.authority.server())
        }

        /// What happens to those without a certificate, or with a wrong one.
        func refusals() throws -> [LibnatsAttempt] {
            let expired = try self.expired()
            let strange = try self.strange()
            return [
                .init("no certificate", self.trusted, .refusedAfterHandshake),
                .init("stranger", strange, .refusedAfterHandshake),
                .init("expired", expired, .refusedAfterHandshake),
                .init("a server's", try self.server(), .refusedAfterHandshake),
                .init("no certificate, 1.2", self.trusted, environment: self.older, .refused("handshake failure")),
                .init("stranger, 1.2", strange, environment: self.older, .refused("unknown ca")),
                .init("expired, 1.2", expired, environment: self.older, .refused("certificate expired")),
            ]
        }
    }

    @Test("the client verifies the server")
    func serverCertificate() async throws {
        let files = try Files()
        try await LibnatsAttempt.compare(
            .init(tls: files.tls),
            [
                .init("right", files.trusted, .works()),
                .init("right, 1.2", files.trusted, environment: files.older, .works()),
                .init("right name", files.trusted + ["hostname", "localhost"], .works()),
                .init("wrong name", files.trusted + ["hostname", "example.org"], .refused("hostname mismatch")),
                .init("another authority", files.distrusted, .refused("issuer certificate")),
                .init("another authority, trusting", files.distrusted + ["trusting"], .works()),
                .init("no authority", ["secure"], .refused("issuer certificate")),
                .init("not told of TLS", [], .refused("issuer certificate")),
            ]
        )
    }

    @Test("an expired certificate of the server")
    func expiredServer() async throws {
        let files = try Files()
        let authority = try TestAuthority(name: "Late")
        let own = try authority.server(isExpired: true).write(to: files.directory, as: "late")
        let arguments = ["secure", "ca", try files.directory.write(authority.text, to: "late-ca.pem")]
        var tls = files.tls
        tls.certificate = .file(own.certificate)
        tls.key = .file(own.key)
        try await LibnatsAttempt.compare(
            .init(tls: tls),
            [
                .init("expired", arguments, .refused("certificate has expired")),
                .init("expired, trusting", arguments + ["trusting"], .works()),
            ]
        )
    }

    @Test("TLS with passwords")
    func passwords() async throws {
        let files = try Files()
        let right = files.trusted + ["password", "derek", "T0pS3cr3t"]
        let wrong = files.trusted + ["password", "derek", "x"]
        try await LibnatsAttempt.compare(
            .init(user: "derek", password: "T0pS3cr3t", authTimeout: .seconds(60), tls: files.tls),
            [
                .init("right", right, .works()),
                .init("wrong", wrong, .refused("Authorization Violation")),
                .init("wrong, 1.2", wrong, environment: files.older, .refused("Authorization Violation")),
                .init(
                    "right, no authority",
                    ["password", "derek", "T0pS3cr3t"],
                    .refused("issuer certificate")
                ),
            ]
        )
    }

    @Test("TLS is offered and not required")
    func allowNonTLS() async throws {
        let files = try Files()
        var tls = files.tls
        tls.allowNonTLS = true
        try await LibnatsAttempt.compare(
            .init(tls: tls),
            [
                .init("without", [], .works()),
                // libnats 3.4 does not know `tls_available`.
                .init("with", files.trusted, .worksOrRefused("Secure Connection not available")),
            ]
        )
    }

    @Test("TLS 1.3 and nothing older")
    func minimumVersion() async throws {
        let files = try Files()
        var tls = files.tls
        tls.minVersion = .v13
        try await LibnatsAttempt.compare(
            .init(tls: tls),
            [
                .init("1.3", files.trusted, .works()),
                .init("1.2", files.trusted, environment: files.older, .refused("alert protocol version")),
            ]
        )
    }

    @Test("verify: the client needs a certificate of the authority")
    func verify() async throws {
        let files = try Files()
        let client = try files.client("client")
        var tls = files.tls
        tls.verify = true
        try await LibnatsAttempt.compare(
            .init(tls: tls),
            [
                .init("right", client, .works()),
                .init("right, 1.2", client, environment: files.older, .works()),
            ] + (try files.refusals())
        )
    }

    @Test("verify with passwords: both must be right")
    func verifyWithPasswords() async throws {
        let files = try Files()
        let client = try files.client("client")
        var tls = files.tls
        tls.verify = true
        try await LibnatsAttempt.compare(
            .init(user: "derek", password: "T0pS3cr3t", authTimeout: .seconds(60), tls: tls),
            [
                .init("both", client + ["password", "derek", "T0pS3cr3t"], .works()),
                .init("wrong password", client + ["password", "derek", "x"], .refused("Authorization Violation")),
                .init("certificate alone", client, .refused("Authorization Violation")),
                .init("password alone", files.trusted + ["password", "derek", "T0pS3cr3t"], .refusedAfterHandshake),
            ]
        )
    }

    @Test("verify_and_map: the certificate says who the client is")
    func verifyAndMap() async throws {
        let files = try Files()
        let email = try files.client("email", emails: ["derek@nats.io"])
        let subject = try files.client("subject", organization: "Example")
        let unknown = try files.client("unknown", emails: ["nobody@nats.io"], organization: "Example")
        let permissions = NATSTestServer.Permissions(publish: .init(deny: ["no"]))
        let users = ["derek@nats.io", "CN=subject,O=Example"].map {
            NATSTestServer.User(name: $0, password: "", permissions: permissions)
        }
        let told = #"Not Permitted: Permissions Violation for Publish to "no""#
        var tls = files.tls
        tls.verifyAndMap = true
        try await LibnatsAttempt.compare(
            .init(users: users, authTimeout: .seconds(60), tls: tls),
            [
                .init("e-mail", email + ["violation"], .works(told: told)),
                .init("e-mail, 1.2", email + ["violation"], environment: files.older, .works(told: told)),
                .init("subject", subject + ["violation"], .works(told: told)),
                .init("nobody's certificate", unknown, .refused("Authorization Violation")),
                .init(
                    "nobody's certificate, somebody's name",
                    unknown + ["password", "derek@nats.io", ""],
                    .refused("Authorization Violation")
                ),
            ] + (try files.refusals())
        )
    }

    @Test("pinned certificates")
    func pinned() async throws {
        let files = try Files()
        let authority = try TestAuthority(name: "Pinning")
        let pinned = try authority.client()
        let other = try authority.client()
        var tls = files.tls
        tls.authorities = .file(try files.directory.write(authority.text, to: "pinning.pem"))
        tls.verify = true
        tls.pinnedCertificates = [pinned.publicKeyDigest]
        let own = try files.client("pinned", pinned)
        let another = try files.client("other", other)
        try await LibnatsAttempt.compare(
            .init(tls: tls),
            [
                .init("pinned", own, .works()),
                .init("not pinned", another, .refusedAfterHandshake),
            ]
        )
    }

    @Test("a handshake before INFO, which libnats 3.4 cannot do, and with a delay after which the server speaks first")
    func handshakeFirst() async throws {
        let files = try Files()
        var tls = files.tls
        tls.handshakeFirst = .on
        // The server says nothing for longer than that.
        let hasty = files.trusted + ["timeout", "500"]
        try await LibnatsAttempt.compare(.init(tls: tls), [.init("first", hasty, .refused("Timeout"))])
        tls.handshakeFirst = .fallback(after: .milliseconds(50))
        try await LibnatsAttempt.compare(.init(tls: tls), [.init("after a delay", files.trusted, .works())])
    }
}
