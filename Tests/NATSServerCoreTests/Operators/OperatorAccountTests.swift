import NATSAuth
import NATSTestSupport
import Testing

/// Accounts that are JWTs: what they share and what they allow; the same of the official server and ours.
@Suite("accounts as JWTs", .serialized)
struct OperatorAccountTests {
    @Test("imports need good activation tokens", .timeLimit(.minutes(5)), arguments: ServerUnderTest.available)
    func activations(_ server: ServerUnderTest) async throws {
        var authority = try TestOperator()
        let now = authority.now
        let signing = try NKeyPair(kind: .account)
        let revoked = try NKeyPair(kind: .account)
        let exporter = try authority.addAccount("exporter") { account in
            account.signingKeys.add(signing.publicKey.text)
            var stream = ExportClaim(.stream, "private.>")
            stream.tokenRequired = true
            stream.revocations.revoke(revoked.publicKey.text, upTo: now)
            var service = ExportClaim(.service, "help")
            service.tokenRequired = true
            account.exports = [stream, service, ExportClaim(.stream, "open")]
        }
        let from = exporter.publicKey.text
        var importers: [(name: String, keys: NKeyPair, isAllowed: Bool)] = []
        func add(
            _ name: String,
            isAllowed: Bool,
            keys: NKeyPair? = nil,
            signedBy signer: NKeyPair? = nil,
            token change: ((inout ActivationClaims) -> Void)? = { _ in }
        ) throws {
            let keys = try keys ?? NKeyPair(kind: .account)
            var claims = AccountClaims(subject: keys.publicKey.text, name: name)
            claims.imports = try [(.stream, "private.a"), (.service, "help")].map { (type: ExchangeType, subject) in
                var item = ImportClaim(type, subject, from: from)
                if let change {
                    var token = ActivationClaims(account: claims.subject, importing: subject, type: type)
                    change(&token)
                    item.token = try token.encoded(signedBy: signer ?? exporter, at: now)
                }
                return item
            }
            claims.imports.append(ImportClaim(.stream, "open", from: from))
            try authority.add(claims)
            importers.append((name, keys, isAllowed))
        }
        try add("good", isAllowed: true)
        try add("by a signing key", isAllowed: true, signedBy: signing) { $0.issuerAccount = from }
        try add("none", isAllowed: false, token: nil)
        try add("expires later", isAllowed: true) { $0.registered.expires = now + 1000 }
        try add("revoked", isAllowed: false, keys: revoked)
        try await ConfiguredServer.with(server, authority.configurationText()) { running in
            let source = try await Tenant(of: exporter, authority).connect(to: running)
            await source.send("SUB help 1\r\n")
            try await source.expectNothing()
            for importer in importers {
                let sink = try await Tenant(of: importer.keys, authority).connect(to: running)
                await sink.send("SUB private.* 1\r\nSUB open 2\r\n")
                try await sink.expectNothing()
                await source.send("PUB private.a 1\r\nx\r\nPUB private.b 1\r\ny\r\nPUB open 1\r\nz\r\n")
                // What is revoked spoils only what it is revoked for.
                if importer.isAllowed { try await sink.expect("MSG private.a 1 1\r\nx\r\n") }
                try await sink.expect("MSG open 2 1\r\nz\r\n")
                await sink.send("PUB help 4\r\nsos!\r\n")
                try await sink.expectNothing()
                if importer.isAllowed || importer.name == "revoked" {
                    try await source.expect("MSG help 1 4\r\nsos!\r\n")
                }
                try await source.expectNothing()
                sink.close()
            }
        }
    }

    @Test(
        "accounts with tokens that will not do are refused",
        .timeLimit(.minutes(5)),
        arguments: ServerUnderTest.available
    )
    func badActivations(_ server: ServerUnderTest) async throws {
        var authority = try TestOperator()
        let now = authority.now
        let exporter = try authority.addAccount("exporter") { account in
            var stream = ExportClaim(.stream, "private.>")
            stream.tokenRequired = true
            account.exports = [stream, ExportClaim(.stream, "open")]
        }
        let stranger = try NKeyPair(kind: .account)
        let from = exporter.publicKey.text
        var importers: [(name: String, keys: NKeyPair)] = []
        func add(
            _ name: String,
            signedBy signer: NKeyPair? = nil,
            token change: (inout ActivationClaims) -> Void
        ) throws {
            let keys = try authority.addAccount(name) { account in
                var token = ActivationClaims(account: account.subject, importing: "private.a", type: .stream)
                change(&token)
                var item = ImportClaim(.stream, "private.a", from: from)
                item.token = try token.encoded(signedBy: signer ?? exporter, at: now)
                account.imports = [item, ImportClaim(.stream, "open", from: from)]
            }
            importers.append((name, keys))
        }
        try add("expired") { $0.registered.expires = now - 10 }
        try add("not yet") { $0.registered.notBefore = now + 1000 }
        try add("for another account") { $0.registered.subject = from }
        try add("for another subject") { $0.importSubject = "private.b" }
        try add("for another kind") { $0.importType = .service }
        try add("by a stranger", signedBy: stranger) { _ in }
        try add("by a stranger for the exporter", signedBy: stranger) { $0.issuerAccount = from }
        var outcomes: [String: String] = [:]
        try await ConfiguredServer.with(server, authority.configurationText()) { running in
            let source = try await Tenant(of: exporter, authority).connect(to: running)
            for importer in importers {
                let (sink, answer) = try await Tenant(of: importer.keys, authority).attempt(running)
                outcomes[importer.name] = answer
                guard answer == "PONG" else { continue }
                await sink.send("SUB > 1\r\n")
                try await sink.expectNothing()
                await source.send("PUB private.a 1\r\nx\r\nPUB open 1\r\nz\r\n")
                try await sink.expect("MSG open 1 1\r\nz\r\n")
                sink.close()
            }
        }
        let refused = "-ERR 'Authorization Violation'"
        #expect(
            outcomes == [
                "expired": "PONG", "not yet": "PONG", "for another account": refused,
                "for another subject": refused, "for another kind": refused, "by a stranger": refused,
                "by a stranger for the exporter": "PONG",
            ]
        )
    }

    @Test(
        "what claims say about sharing",
        .timeLimit(.minutes(5)),
        arguments: ServerUnderTest.available
    )
    func sharing(_ server: ServerUnderTest) async throws {
        var authority = try TestOperator()
        let exporter = try authority.addAccount("exporter") { account in
            var own = ExportClaim(.stream, "to.*")
            own.accountTokenPosition = 2
            account.exports = [
                own, ExportClaim(.stream, "news.>"), ExportClaim(.service, "ask.*"), ExportClaim(.stream, "old.>"),
            ]
            account.mappings = ["mapped.*": [WeightedMapping("news.$1")]]
        }
        let from = exporter.publicKey.text
        let importer = try authority.addAccount("importer") { account in
            var renamed = ImportClaim(.stream, "news.*", from: from)
            renamed.localSubject = "local.$1"
            var service = ImportClaim(.service, "ask.*", from: from)
            service.localSubject = "question.$1"
            var prefixed = ImportClaim(.stream, "old.x", from: from)
            prefixed.to = "prefix"
            account.imports = [
                renamed, service, prefixed, ImportClaim(.stream, "to.\(account.subject)", from: from),
                ImportClaim(.stream, "to.\(from)", from: from),
            ]
        }
        let own = importer.publicKey.text
        try await ConfiguredServer.with(server, authority.configurationText()) { running in
            let source = try await Tenant(of: exporter, authority).connect(to: running)
            await source.send("SUB ask.> 1\r\n")
            try await source.expectNothing()
            let sink = try await Tenant(of: importer, authority).connect(to: running)
            await sink.send("SUB > 1\r\nSUB reply 2\r\nUNSUB 2\r\n")
            try await sink.expectNothing()
            await source.send("PUB mapped.a 1\r\nx\r\nPUB old.x 1\r\ny\r\nPUB old.y 1\r\ny\r\n")
            try await sink.expect("MSG local.a 1 1\r\nx\r\nMSG prefix.old.x 1 1\r\ny\r\n")
            await source.send("PUB to.\(own) 1\r\n1\r\nPUB to.\(from) 1\r\n2\r\nPUB news.b 1\r\n3\r\n")
            try await sink.expect("MSG to.\(own) 1 1\r\n1\r\nMSG local.b 1 1\r\n3\r\n")
            await sink.send("PUB question.x 1\r\n?\r\n")
            try await source.expect("MSG ask.x 1 1\r\n?\r\n")
        }
    }

    @Test("what claims allow", .timeLimit(.minutes(5)), arguments: ServerUnderTest.available)
    func limits(_ server: ServerUnderTest) async throws {
        var authority = try TestOperator()
        let scoped = try NKeyPair(kind: .account)
        let account = try authority.addAccount("limited") { account in
            account.limits.traffic.payload = 10
            account.limits.traffic.subscriptions = 3
            account.limits.connections = 2
            account.defaultPermissions.publish.deny = ["denied"]
            var scope = UserScope(key: scoped.publicKey.text)
            scope.template.permissions.publish.allow = ["user.{{name()}}.>"]
            scope.template.traffic.subscriptions = 1
            account.signingKeys.add(scope)
        }
        try await ConfiguredServer.with(server, authority.configurationText()) { running in
            let first = try await Tenant(of: account, authority).connect(to: running)
            await first.send("PUB denied 1\r\nx\r\n")
            try await first.expect("-ERR 'Permissions Violation for Publish to \"denied\"'\r\n")
            await first.send("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nSUB d 4\r\n")
            try await first.expect("-ERR 'maximum subscriptions exceeded'\r\n")
            let second = try await Tenant(of: account, authority, signedBy: scoped) { $0.limits = UserLimits() }
                .connect(to: running)
            await second.send("PUB user.joe.x 1\r\nx\r\nPUB user.jim.x 1\r\nx\r\n")
            try await second.expect("-ERR 'Permissions Violation for Publish to \"user.jim.x\"'\r\n")
            await second.send("SUB a 1\r\nSUB b 2\r\n")
            try await second.expect("-ERR 'maximum subscriptions exceeded'\r\n")
            let (third, answer) = try await Tenant(of: account, authority).attempt(running)
            #expect(answer == "-ERR 'maximum account active connections exceeded'")
            try await third.expectEnd()
            await first.send("PUB a 11\r\n")
            try await first.expect("-ERR 'Maximum Payload Violation'\r\n", thenEndWithin: .seconds(30))
            let fourth = try await Tenant(of: account, authority) { claims in
                claims.limits.traffic.payload = 3
                claims.limits.permissions.subscribe.allow = ["mine"]
            }.connect(to: running)
            await fourth.send("PUB denied 1\r\nx\r\nSUB a 1\r\n")
            try await fourth.expect("-ERR 'Permissions Violation for Subscription to \"a\"'\r\n")
            await fourth.send("PUB a 4\r\n")
            try await fourth.expect("-ERR 'Maximum Payload Violation'\r\n", thenEndWithin: .seconds(30))
        }
    }
}
