import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

@Suite(
    "Activation tokens and the official server",
    .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server"))
)
struct ActivationTests {
    private struct Case {
        let name: String
        let importer: NKeyPair
        let claims: AccountClaims
    }

    @Test("the same tokens let the same messages through", .timeLimit(.minutes(5)))
    func tokens() async throws {
        var authority = try TestOperator()
        let now = authority.now
        let (exporterKeys, signing) = (try NKeyPair(kind: .account), try NKeyPair(kind: .account))
        let stranger = try NKeyPair(kind: .account)
        let revoked = try NKeyPair(kind: .account)
        let later = try NKeyPair(kind: .account)
        var exporter = AccountClaims(subject: exporterKeys.publicKey.text, name: "exporter")
        exporter.signingKeys.add(signing.publicKey.text)
        var export = ExportClaim(.stream, "secret.*")
        export.tokenRequired = true
        export.revocations.revoke(revoked.publicKey.text, upTo: now)
        export.revocations.revoke(later.publicKey.text, upTo: now - 1)
        exporter.exports = [export]
        try authority.add(exporter)
        var cases: [Case] = []
        func add(
            _ name: String,
            importer: NKeyPair? = nil,
            signer: NKeyPair? = nil,
            subject: String = "secret.*",
            type: ExchangeType = .stream,
            hasToken: Bool = true,
            _ change: (inout ActivationClaims) -> Void = { _ in }
        ) throws {
            let keys = try importer ?? NKeyPair(kind: .account)
            var claims = AccountClaims(subject: keys.publicKey.text, name: name)
            var item = ImportClaim(.stream, "secret.a", from: exporter.subject)
            item.localSubject = "told"
            if hasToken {
                var activation = ActivationClaims(account: claims.subject, importing: subject, type: type)
                change(&activation)
                item.token = try activation.encoded(signedBy: signer ?? exporterKeys, at: now)
            }
            claims.imports = [item]
            try authority.add(claims)
            cases.append(Case(name: name, importer: keys, claims: claims))
        }
        try add("by the account")
        try add("without a token", hasToken: false)
        try add("by a signing key", signer: signing) { $0.issuerAccount = exporter.subject }
        try add("by a signing key that does not say whose", signer: signing)
        try add("by the account, said twice") { $0.issuerAccount = exporter.subject }
        try add("by somebody else", signer: stranger)
        try add("by somebody else for the account", signer: stranger) { $0.issuerAccount = exporter.subject }
        try add("by the account for somebody else") { $0.issuerAccount = stranger.publicKey.text }
        try add("for somebody else") { $0.registered.subject = stranger.publicKey.text }
        try add("expired") { $0.registered.expires = now - 5 }
        try add("expires later") { $0.registered.expires = now + 500 }
        try add("not yet valid") { $0.registered.notBefore = now + 500 }
        try add("revoked", importer: revoked)
        try add("revoked earlier", importer: later)
        try add("another subject", subject: "other")
        try add("exactly the subject", subject: "secret.a")
        try add("more than the export", subject: ">")
        try add("another type", type: .service)
        try add("an issuer account that is none") { $0.issuerAccount = "x" }

        let server = try await OfficialServer.start(configurationText: authority.configurationText())
        let sender = try await self.connect(exporterKeys, to: server, authority)
        try await sender.expect("PONG\r\n")
        let check = ActivationCheck(exporter: exporter, isStrict: false)
        var delivered = 0
        for item in cases {
            let receiver = try await self.connect(item.importer, to: server, authority)
            var official = try await receiver.readLine() == "PONG"
            if official {
                await receiver.send("SUB told 1\r\nPING\r\n")
                try await receiver.expect("PONG\r\n")
                await sender.send("PUB secret.a 1\r\nx\r\nPING\r\n")
                try await sender.expect("PONG\r\n")
                // What was sent before the PING of the sender has been put into the receiver's buffer by then.
                await receiver.send("PING\r\n")
                official = try await receiver.readLine().hasPrefix("MSG told 1 1")
            }
            receiver.close()
            let isValid = !item.claims.validate(ValidationContext(now: now)).isBlocking(includingTimes: true)
            let token = ActivationToken(item.claims.imports[0], into: item.claims.subject)
            let verdict = check.decide(token, revocations: export.revocations, at: now)
            #expect(official == (isValid && verdict != .refused), "\(item.name): \(verdict)")
            if item.name == "expires later" {
                #expect(verdict == .permittedUntil(now + 500))
                // Its time comes to an end without another look at the signature.
                #expect(check.decide(token, revocations: export.revocations, at: now + 501) == .refused)
            }
            if official { delivered += 1 }
        }
        #expect(delivered >= 5 && delivered <= cases.count - 8)
        await server.stop()
    }

    private func connect(
        _ account: NKeyPair,
        to server: OfficialServer,
        _ authority: TestOperator
    ) async throws -> RawConnection {
        let user = try NKeyPair(kind: .user)
        let jwt = try UserClaims(subject: user.publicKey.text).encoded(signedBy: account, at: authority.now)
        let connection = try RawConnection.connect(port: server.port, answersPings: true)
        try await connection.connect(jwt: jwt, signedBy: user)
        return connection
    }
}
