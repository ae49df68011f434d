import NATSAuth
import NATSTestSupport
import Testing

/// Claims that change or expire while users are connected; the same of the official server and ours.
@Suite("changed claims", .serialized)
struct OperatorChangeTests {
    /// Runs a test of what expires after so many seconds; with more of them where the machine is slower than that.
    private func withExpiry(_ body: (_ seconds: Int64) async throws -> Void) async throws {
        let start = ContinuousClock.now
        do {
            try await body(6)
        } catch let error as UnexpectedBytes {
            guard ContinuousClock.now - start > .seconds(5) else { throw error }
            try await body(30)
        }
    }

    @Test("users and accounts expire", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func expiry(_ server: ServerUnderTest) async throws {
        try await self.withExpiry { try await self.expire(server, after: $0) }
    }

    private func expire(_ server: ServerUnderTest, after seconds: Int64) async throws {
        var authority = try TestOperator()
        let now = authority.now
        let account = try authority.addAccount("lasting")
        let short = try authority.addAccount("short") { $0.registered.expires = now + seconds }
        try await ConfiguredServer.with(server, authority.configurationText()) { running in
            let lasting = try await Tenant(of: account, authority).connect(to: running)
            let guest = try await Tenant(of: short, authority).connect(to: running)
            let user = try await Tenant(of: account, authority) { $0.registered.expires = now + seconds }
                .connect(to: running)
            try await user.expect("-ERR 'User Authentication Expired'\r\n", thenEndWithin: .seconds(30))
            try await guest.expect("-ERR 'Account Authentication Expired'\r\n", thenEndWithin: .seconds(30))
            try await lasting.expectNothing()
            let (late, answer) = try await Tenant(of: short, authority).attempt(running)
            #expect(answer == "-ERR 'Authorization Violation'")
            try await late.expectEnd()
        }
    }

    @Test("an activation expires", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func activation(_ server: ServerUnderTest) async throws {
        try await self.withExpiry { try await self.expireActivation(server, after: $0) }
    }

    private func expireActivation(_ server: ServerUnderTest, after seconds: Int64) async throws {
        var authority = try TestOperator()
        let now = authority.now
        let exporter = try authority.addAccount("exporter") { account in
            var stream = ExportClaim(.stream, "private.>")
            stream.tokenRequired = true
            account.exports = [stream, ExportClaim(.stream, "open")]
        }
        let from = exporter.publicKey.text
        let importer = try authority.addAccount("importer") { account in
            var token = ActivationClaims(account: account.subject, importing: "private.a", type: .stream)
            token.registered.expires = now + seconds
            var item = ImportClaim(.stream, "private.a", from: from)
            item.token = try token.encoded(signedBy: exporter, at: now)
            account.imports = [item, ImportClaim(.stream, "open", from: from)]
        }
        try await ConfiguredServer.with(server, authority.configurationText()) { running in
            let source = try await Tenant(of: exporter, authority).connect(to: running)
            let sink = try await Tenant(of: importer, authority).connect(to: running)
            await sink.send("SUB > 1\r\n")
            try await sink.expectNothing()
            await source.send("PUB private.a 1\r\nx\r\nPUB open 1\r\n1\r\n")
            try await sink.expect("MSG private.a 1 1\r\nx\r\nMSG open 1 1\r\n1\r\n")
            try await eventually("the token expires") {
                await source.send("PUB private.a 1\r\nx\r\nPUB open 1\r\n2\r\n")
                return try await sink.read(until: "MSG open 1 1\r\n2\r\n").count < 25
            }
        }
    }

    /// The claims that a reload replaces.
    private struct Scene {
        var authority: TestOperator
        let account: NKeyPair
        let signing: NKeyPair
        var claims: AccountClaims

        init() throws {
            self.authority = try TestOperator()
            self.account = try NKeyPair(kind: .account)
            self.signing = try NKeyPair(kind: .account)
            self.claims = AccountClaims(subject: self.account.publicKey.text, name: "changing")
            self.claims.signingKeys.add(self.signing.publicKey.text)
            try self.authority.add(self.claims)
        }

        mutating func change(_ change: (inout AccountClaims) -> Void) throws {
            change(&self.claims)
            try self.authority.add(self.claims)
        }
    }

    @Test("users are revoked", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func revocation(_ server: ServerUnderTest) async throws {
        var scene = try Scene()
        let users = try (0..<2).map { _ in try Tenant(of: scene.account, scene.authority) }
        try await ConfiguredServer.with(server, scene.authority.configurationText()) { running in
            let kept = try await users[0].connect(to: running)
            let revoked = try await users[1].connect(to: running)
            let now = scene.authority.now
            try scene.change { $0.revocations.revoke(users[1].keys.publicKey.text, upTo: now) }
            try await running.reload(scene.authority.configurationText())
            try await revoked.expect("-ERR 'User Authentication Revoked'\r\n", thenEndWithin: .seconds(30))
            try await kept.expectNothing()
            #expect(try await users[1].attempt(running).answer == "-ERR 'Authorization Violation'")
            try scene.change { $0.revocations = RevocationList() }
            try await running.reload(scene.authority.configurationText())
            #expect(try await users[1].attempt(running).answer == "PONG")
        }
    }

    @Test("bearers are not wanted any more", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func bearers(_ server: ServerUnderTest) async throws {
        var scene = try Scene()
        let bearer = try Tenant(of: scene.account, scene.authority) { $0.limits.bearerToken = true }
        let other = try Tenant(of: scene.account, scene.authority)
        try await ConfiguredServer.with(server, scene.authority.configurationText()) { running in
            let kept = try await other.connect(to: running)
            let refused = try await bearer.connect(to: running)
            try scene.change { $0.limits.disallowBearer = true }
            try await running.reload(scene.authority.configurationText())
            try await refused.expect("-ERR 'Authorization Violation'\r\n", thenEndWithin: .seconds(30))
            try await kept.expectNothing()
        }
    }

    @Test("a signing key goes", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func signingKey(_ server: ServerUnderTest) async throws {
        var scene = try Scene()
        let signed = try Tenant(of: scene.account, scene.authority, signedBy: scene.signing)
        let other = try Tenant(of: scene.account, scene.authority)
        try await ConfiguredServer.with(server, scene.authority.configurationText()) { running in
            let kept = try await other.connect(to: running)
            let cut = try await signed.connect(to: running)
            try scene.change { $0.signingKeys = SigningKeys() }
            try await running.reload(scene.authority.configurationText())
            _ = try await cut.readToEnd()
            try await kept.expectNothing()
            #expect(try await signed.attempt(running).answer == "-ERR 'Authorization Violation'")
        }
    }

    @Test("limits and default permissions change", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func limits(_ server: ServerUnderTest) async throws {
        var scene = try Scene()
        try await ConfiguredServer.with(server, scene.authority.configurationText()) { running in
            let first = try await Tenant(of: scene.account, scene.authority).connect(to: running)
            let second = try await Tenant(of: scene.account, scene.authority).connect(to: running)
            await first.send("SUB a 1\r\nSUB b 2\r\n")
            try await first.expectNothing()
            try scene.change { claims in
                claims.limits.connections = 1
                claims.limits.traffic.payload = 5
                claims.defaultPermissions.subscribe.deny = ["b"]
            }
            try await running.reload(scene.authority.configurationText())
            try await second.expect(
                "-ERR 'maximum account active connections exceeded'\r\n",
                thenEndWithin: .seconds(30)
            )
            try await first.expect("-ERR 'Permissions Violation for Subscription to \"b\" (sid \"2\")'\r\n")
            await first.send("PUB b 1\r\nx\r\nPUB a 1\r\nx\r\n")
            try await first.expect("MSG a 1 1\r\nx\r\n")
            await first.send("PUB a 6\r\n")
            try await first.expect("-ERR 'Maximum Payload Violation'\r\n", thenEndWithin: .seconds(30))
        }
    }

    @Test("exports and imports come and go", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func sharing(_ server: ServerUnderTest) async throws {
        var scene = try Scene()
        let exporter = scene.account.publicKey.text
        let importer = try scene.authority.addAccount("importer") { account in
            account.imports = [ImportClaim(.stream, "news", from: exporter)]
        }
        try await ConfiguredServer.with(server, scene.authority.configurationText()) { running in
            let source = try await Tenant(of: scene.account, scene.authority).connect(to: running)
            let sink = try await Tenant(of: importer, scene.authority).connect(to: running)
            await sink.send("SUB news 1\r\n")
            try await sink.expectNothing()
            await source.send("PUB news 1\r\n1\r\n")
            try await source.expectNothing()
            try await sink.expectNothing()
            try scene.change { $0.exports = [ExportClaim(.stream, "news")] }
            try await running.reload(scene.authority.configurationText())
            await source.send("PUB news 1\r\n2\r\n")
            try await sink.expect("MSG news 1 1\r\n2\r\n")
            try scene.change { $0.exports = [] }
            try await running.reload(scene.authority.configurationText())
            await source.send("PUB news 1\r\n3\r\n")
            try await source.expectNothing()
            try await sink.expectNothing()
        }
    }

    @Test("an account goes", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func removal(_ server: ServerUnderTest) async throws {
        var scene = try Scene()
        let other = try scene.authority.addAccount("other")
        let user = try Tenant(of: scene.account, scene.authority)
        try await ConfiguredServer.with(server, scene.authority.configurationText()) { running in
            let kept = try await Tenant(of: other, scene.authority).connect(to: running)
            let cut = try await user.connect(to: running)
            scene.authority.accounts[scene.account.publicKey.text] = nil
            try await running.reload(scene.authority.configurationText())
            try await cut.expect("-ERR 'Authorization Violation'\r\n", thenEndWithin: .seconds(30))
            try await kept.expectNothing()
            #expect(try await user.attempt(running).answer == "-ERR 'Authorization Violation'")
        }
    }
}
