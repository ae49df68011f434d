import NATSAuth
import NATSTestServer
import NATSTestSupport
import NATSWire
import Testing

/// What we issue and decide, next to the official server.
@Suite(
    "JWTs and the official server",
    .serialized,
    .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server"))
)
struct OperatorModeTests {
    /// A user that tries to connect.
    private struct Attempt {
        let name: String
        let jwt: String
        let account: String
        /// Who signs the nonce.
        let keys: NKeyPair?
    }

    private func connect(_ attempt: Attempt, to port: Int) async throws -> String {
        let connection = try RawConnection.connect(port: port, answersPings: true)
        try await connection.connect(jwt: attempt.jwt, signedBy: attempt.keys)
        let line = try await connection.readLine()
        connection.close()
        return line
    }

    /// What we would say.
    private func decide(_ attempt: Attempt, _ authority: TestOperator) throws -> Bool {
        guard let user = try? JWT.decode(UserClaims.self, from: attempt.jwt),
            let accountJWT = authority.accounts[user.account],
            let account = try? JWT.decode(AccountClaims.self, from: accountJWT),
            !account.validate(ValidationContext(now: authority.now)).isBlocking(includingTimes: true)
        else { return false }
        let trusted = try TrustedOperators(
            [authority.claims],
            systemAccount: nil,
            needsSystemAccount: false,
            version: ServerVersionRequirement("2.15.1")
        )
        guard trusted.trusts(issuer: account.issuer) else { return false }
        let nonce = Array("any nonce".utf8)
        let client = UserAdmission.Client(
            host: "127.0.0.1",
            connectionType: .standard,
            signature: try attempt.keys.map { Base64.encodeURLSafe(try $0.sign(nonce)) } ?? "",
            nonce: nonce
        )
        let admission = UserAdmission(user: user, account: account, isStrict: trusted.isStrict(issuer: account.issuer))
        return (try? admission.decide(client, at: authority.now * 1_000_000_000)) != nil
    }

    private func compare(_ attempts: [Attempt], _ authority: TestOperator) async throws -> Int {
        let server = try await OfficialServer.start(configurationText: authority.configurationText())
        let engine = try await NATSTestServer.start(authority.testServerOptions())
        var admitted = 0
        for attempt in attempts {
            let official = try await self.connect(attempt, to: server.port)
            #expect(try await self.connect(attempt, to: engine.port) == official, "\(attempt.name)")
            let ours = try self.decide(attempt, authority)
            #expect(official == (ours ? "PONG" : "-ERR 'Authorization Violation'"), "\(attempt.name)")
            if official == "PONG" { admitted += 1 }
        }
        await server.stop()
        await engine.stop()
        return admitted
    }

    @Test("users are let in and refused alike", .timeLimit(.minutes(5)))
    func users() async throws {
        var authority = try TestOperator()
        let signing = try NKeyPair(kind: .account)
        let scoped = try NKeyPair(kind: .account)
        let revoked = try NKeyPair(kind: .user)
        let later = try NKeyPair(kind: .user)
        let now = authority.now
        let plain = try authority.addAccount("plain") { account in
            account.signingKeys.add(signing.publicKey.text)
            var scope = UserScope(key: scoped.publicKey.text, role: "r")
            scope.template.permissions.publish.allow = ["user.{{name()}}", "tag.{{tag(x)}}"]
            account.signingKeys.add(scope)
            account.revocations.revoke(revoked.publicKey.text, upTo: now)
            account.revocations.revoke(later.publicKey.text, upTo: now - 1)
        }
        let noBearer = try authority.addAccount("no bearer") { $0.limits.disallowBearer = true }
        let expired = try authority.addAccount("expired") { $0.registered.expires = now - 10 }
        let allRevoked = try authority.addAccount("all revoked") { $0.revocations.revoke("*", upTo: now) }
        let badTemplate = try NKeyPair(kind: .account)
        let templates = try authority.addAccount("templates") { account in
            var scope = UserScope(key: badTemplate.publicKey.text)
            scope.template.permissions.publish.deny = ["a.{{tag(none)}}"]
            account.signingKeys.add(scope)
        }
        let other = try NKeyPair(kind: .account)
        var attempts: [Attempt] = []
        func add(
            _ name: String,
            signedBy signer: NKeyPair? = nil,
            user: NKeyPair? = nil,
            signs: Bool = true,
            _ change: (inout UserClaims) -> Void = { _ in }
        ) throws {
            let pair = try user ?? NKeyPair(kind: .user)
            var claims = UserClaims(subject: pair.publicKey.text, name: "joe")
            change(&claims)
            let jwt = try claims.encoded(signedBy: signer ?? plain, at: now)
            attempts.append(Attempt(name: name, jwt: jwt, account: claims.account, keys: signs ? pair : nil))
        }
        let scope: (inout UserClaims) -> Void = { claims in
            claims.limits = UserLimits()
            claims.issuerAccount = plain.publicKey.text
        }
        try add("plain")
        try add("expired") { $0.registered.expires = now - 10 }
        try add("expires later") { $0.registered.expires = now + 1000 }
        try add("not yet valid") { $0.registered.notBefore = now + 1000 }
        try add("valid already") { $0.registered.notBefore = now - 1000 }
        try add("no signature", signs: false)
        try add("bearer", signs: false) { $0.limits.bearerToken = true }
        try add("bearer where none may be", signedBy: noBearer, signs: false) { $0.limits.bearerToken = true }
        try add("no bearer", signedBy: noBearer)
        try add("signing key", signedBy: signing) { $0.issuerAccount = plain.publicKey.text }
        try add("signing key without its account", signedBy: signing)
        try add("signing key of another account", signedBy: signing) { $0.issuerAccount = noBearer.publicKey.text }
        try add("unknown account", signedBy: other)
        try add("unknown key", signedBy: other) { $0.issuerAccount = plain.publicKey.text }
        try add("scoped", signedBy: scoped, scope)
        try add("scoped with limits", signedBy: scoped) { $0.issuerAccount = plain.publicKey.text }
        try add("scoped with a list", signedBy: scoped) { claims in
            scope(&claims)
            claims.limits.permissions.publish.allow = ["x"]
        }
        try add("scoped with a tag", signedBy: scoped) { claims in
            scope(&claims)
            claims.tags = ["x:y"]
        }
        try add("template that cannot be filled in", signedBy: badTemplate) { claims in
            claims.limits = UserLimits()
            claims.issuerAccount = templates.publicKey.text
        }
        try add("template that can", signedBy: badTemplate) { claims in
            claims.limits = UserLimits()
            claims.issuerAccount = templates.publicKey.text
            claims.tags = ["none:x"]
        }
        try add("revoked", user: revoked)
        try add("revoked earlier", user: later)
        try add("all revoked", signedBy: allRevoked)
        try add("account expired", signedBy: expired)
        try add("from here") { $0.limits.sources = ["10.0.0.0/8", "127.0.0.0/8"] }
        try add("from elsewhere") { $0.limits.sources = ["10.0.0.0/8"] }
        try add("from nowhere") { $0.limits.sources = ["127.0.0.1"] }
        try add("from a mapped network") { $0.limits.sources = ["::ffff:127.0.0.0/104"] }
        try add("from all of IPv6") { $0.limits.sources = ["::/0"] }
        let clock = { (offset: Int64) -> String in
            let seconds = ((now + offset) % 86_400 + 86_400) % 86_400
            let parts = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
            return parts.joined(separator: ":")
        }
        try add("in time") { claims in
            claims.limits.times = [TimeRange(start: clock(-3600), end: clock(3600))]
            claims.limits.locale = "UTC"
        }
        try add("too late") { claims in
            claims.limits.times = [TimeRange(start: clock(-7200), end: clock(-3600))]
            claims.limits.locale = "UTC"
        }
        try add("too early, in a place far away") { claims in
            claims.limits.times = [TimeRange(start: clock(-3600), end: clock(3600))]
            claims.limits.locale = "Asia/Tokyo"
        }
        try add("in time, in a place far away") { claims in
            claims.limits.times = [TimeRange(start: clock(9 * 3600 - 3600), end: clock(9 * 3600 + 3600))]
            claims.limits.locale = "Asia/Tokyo"
        }
        try add("no time") { $0.limits.times = [TimeRange(start: "", end: "1:00:00")] }
        try add("no place") { $0.limits.locale = "No/Where" }
        try add("WebSocket only") { $0.limits.allowedConnectionTypes = ["WEBSOCKET"] }
        try add("also otherwise") { $0.limits.allowedConnectionTypes = ["X", "standard"] }
        try add("unknown type") { $0.limits.allowedConnectionTypes = ["X"] }
        try add("queue in a permission") { $0.limits.permissions.publish.allow = ["a b"] }
        try add("empty permission") { $0.limits.permissions.subscribe.deny = [""] }
        try add("wrong account key") { $0.issuerAccount = "A" }
        try add("audience") { $0.registered.audience = "x" }
        // The nonce is signed with another key.
        let stranger = try NKeyPair(kind: .user)
        attempts.append(
            Attempt(name: "stranger", jwt: attempts[0].jwt, account: attempts[0].account, keys: stranger)
        )
        var tampered = Array(attempts[0].jwt)
        tampered[60] = tampered[60] == "A" ? "B" : "A"
        attempts.append(
            Attempt(name: "tampered", jwt: String(tampered), account: "", keys: attempts[0].keys)
        )
        let admitted = try await self.compare(attempts, authority)
        #expect(admitted >= 15 && admitted <= attempts.count - 20)
    }

    @Test("accounts are taken and refused alike", .timeLimit(.minutes(5)))
    func accounts() async throws {
        var authority = try TestOperator()
        var attempts: [Attempt] = []
        let exporter = try authority.addAccount("exporter") { account in
            account.exports = [ExportClaim(.stream, "open.>"), ExportClaim(.service, "svc.*")]
        }
        let from = exporter.publicKey.text
        func add(
            _ name: String,
            signedBy signer: NKeyPair? = nil,
            _ change: (inout AccountClaims) throws -> Void = { _ in }
        ) throws {
            let keys = try NKeyPair(kind: .account)
            var account = AccountClaims(subject: keys.publicKey.text, name: name)
            try change(&account)
            try authority.add(account, signedBy: signer)
            let user = try NKeyPair(kind: .user)
            let jwt = try UserClaims(subject: user.publicKey.text).encoded(signedBy: keys, at: authority.now)
            attempts.append(Attempt(name: name, jwt: jwt, account: keys.publicKey.text, keys: user))
        }
        func export(_ type: ExchangeType, _ subject: String, _ change: (inout ExportClaim) -> Void) throws {
            try add("\(type) \(subject)") { account in
                var export = ExportClaim(type, subject)
                change(&export)
                account.exports = [export]
            }
        }
        func take(_ type: ExchangeType, _ subject: String, _ change: (inout ImportClaim) -> Void) throws {
            try add("import \(type) \(subject)") { account in
                var imported = ImportClaim(type, subject, from: from)
                change(&imported)
                account.imports = [imported]
            }
        }
        let now = authority.now
        try add("plain")
        try add("self-signed", signedBy: exporter)
        try add("another operator", signedBy: NKeyPair(kind: .operator))
        try add("expired") { $0.registered.expires = now - 5 }
        try add("not yet valid") { $0.registered.notBefore = now + 500 }
        try export(.stream, "a.>") { _ in }
        try export(.stream, "a..b") { _ in }
        try export(.stream, "") { _ in }
        try export(.service, "a") { $0.responseType = "Chunked" }
        try export(.service, "b") { $0.responseType = "Many" }
        try export(.stream, "b") { $0.responseType = "Stream" }
        try export(.stream, "c") { $0.allowTrace = true }
        try export(.service, "lat") { $0.latency = ExportClaim.Latency(sampling: 50, results: "results") }
        try export(.service, "lat.h") { $0.latency = ExportClaim.Latency(sampling: 0, results: "results") }
        try export(.service, "lat.w") { $0.latency = ExportClaim.Latency(sampling: 50, results: "results.*") }
        try export(.stream, "lat.s") { $0.latency = ExportClaim.Latency(sampling: 50, results: "results") }
        try export(.service, "position.*") { $0.accountTokenPosition = 2 }
        try export(.service, "position.x.*") { $0.accountTokenPosition = 2 }
        try export(.service, "position") { $0.accountTokenPosition = 9 }
        try export(.service, "threshold") { $0.responseThreshold = 1_000_000 }
        try export(.service, "threshold.n") { $0.responseThreshold = -1 }
        try export(.stream, "info") { $0.info.url = "http://host/path?query#fragment" }
        try export(.stream, "info.w") { $0.info.url = "host" }
        try export(.stream, "info.b") { $0.info.url = "http://ho st/" }
        try add("overlapping exports") {
            $0.exports = [ExportClaim(.service, "a.*"), ExportClaim(.service, "a.b")]
        }
        try add("exports of two types") {
            $0.exports = [ExportClaim(.service, "a.*"), ExportClaim(.stream, "a.b")]
        }
        try take(.stream, "open.a") { $0.localSubject = "mine" }
        try take(.stream, "open.*") { $0.localSubject = "mine.$1" }
        try take(.stream, "open.*") { $0.localSubject = "mine.$2" }
        try take(.stream, "open.>") { $0.localSubject = "mine" }
        try take(.service, "svc.a") { $0.share = true }
        try take(.stream, "open.a") { $0.share = true }
        try take(.service, "svc.a") { $0.allowTrace = true }
        try take(.service, "svc.a") { $0.account = "" }
        try take(.service, "svc.a") { $0.token = "x" }
        try take(.service, "svc.a") {
            $0.to = "x"
            $0.localSubject = "y"
        }
        try add("overlapping imports") { account in
            account.imports = ["svc.*", "svc.a"].map { ImportClaim(.service, $0, from: from) }
        }
        try add("too many imports") { account in
            account.limits.imports = 0
            account.imports = [ImportClaim(.stream, "open.a", from: from)]
        }
        try add("too many exports") { account in
            account.limits.exports = 0
            account.exports = [ExportClaim(.stream, "a")]
        }
        try add("wildcard exports") { account in
            account.limits.exports = 5
            account.limits.wildcardExports = false
            account.exports = [ExportClaim(.stream, "a.>")]
        }
        try add("mappings") {
            $0.mappings = ["a": [WeightedMapping("b", weight: 50), WeightedMapping("c", weight: 50)]]
        }
        try add("heavy mappings") {
            $0.mappings = ["a": [WeightedMapping("b", weight: 50), WeightedMapping("c", weight: 51)]]
        }
        try add("mappings by cluster") {
            $0.mappings = ["a": [WeightedMapping("b", weight: 70), WeightedMapping("c", weight: 70, cluster: "x")]]
        }
        try add("no signing key") { $0.signingKeys.add("x") }
        try add("tiers") { account in
            var tier = AccountLimits.JetStream()
            tier.diskStorage = 1000
            account.limits.jetStreamTiers = ["R1": tier]
        }
        try add("authorization without users") { $0.authorization.allowedAccounts = ["*"] }
        try add("trace") { $0.trace = AccountClaims.Trace(destination: "trace.here", sampling: 10) }
        try add("trace to many") { $0.trace = AccountClaims.Trace(destination: "trace.*") }
        try add("cluster traffic") { $0.clusterTraffic = "system" }
        try add("other cluster traffic") { $0.clusterTraffic = "mine" }
        try add("default permissions") { $0.defaultPermissions.publish.allow = ["a b"] }
        let admitted = try await self.compare(attempts, authority)
        #expect(admitted >= 15 && admitted <= attempts.count - 20)
    }

    @Test("odd texts in claims are taken and refused alike", .timeLimit(.minutes(5)))
    func oddTexts() async throws {
        var authority = try TestOperator()
        var attempts: [Attempt] = []
        let keys = try authority.addAccount("users")
        func addUser(_ name: String, _ change: (inout UserClaims) -> Void) throws {
            let user = try NKeyPair(kind: .user)
            var claims = UserClaims(subject: user.publicKey.text)
            change(&claims)
            let jwt = try claims.encoded(signedBy: keys, at: authority.now)
            attempts.append(Attempt(name: name, jwt: jwt, account: keys.publicKey.text, keys: user))
        }
        func addAccount(_ name: String, _ change: (inout AccountClaims) -> Void) throws {
            let keys = try NKeyPair(kind: .account)
            var account = AccountClaims(subject: keys.publicKey.text, name: name)
            change(&account)
            try authority.add(account)
            let user = try NKeyPair(kind: .user)
            let jwt = try UserClaims(subject: user.publicKey.text).encoded(signedBy: keys, at: authority.now)
            attempts.append(Attempt(name: name, jwt: jwt, account: keys.publicKey.text, keys: user))
        }
        for url in OddTexts.urls { try addAccount("URL \(url)") { $0.info.url = url } }
        for subject in OddTexts.subjects {
            try addAccount("trace \(subject)") { $0.trace = AccountClaims.Trace(destination: subject) }
            try addAccount("signing key \(subject)") { $0.signingKeys.add(subject) }
            try addUser("permission \(subject)") { $0.limits.permissions.publish.deny = [subject] }
            try addUser("subscribe \(subject)") { $0.limits.permissions.subscribe.deny = [subject] }
        }
        for network in OddTexts.networks { try addUser("network \(network)") { $0.limits.sources = [network] } }
        for time in OddTexts.times {
            try addUser("time \(time)") { claims in
                claims.limits.times = [
                    TimeRange(start: "00:00:00", end: "23:59:59"), TimeRange(start: time, end: time),
                ]
                claims.limits.locale = "UTC"
            }
        }
        for zone in OddTexts.zones { try addUser("zone \(zone)") { $0.limits.locale = zone } }
        let admitted = try await self.compare(attempts, authority)
        #expect(admitted >= 40 && admitted <= attempts.count - 40)
    }

    @Test("random accounts are taken and refused alike", .timeLimit(.minutes(5)))
    func randomAccounts() async throws {
        var authority = try TestOperator()
        var attempts: [Attempt] = []
        var generator = SeededGenerator(seed: 2151)
        let exporter = try authority.addAccount("exporter") { account in
            account.exports = [ExportClaim(.stream, "all.>"), ExportClaim(.service, "all.>")]
        }
        let subjects = ["a", "a.*", "a.b", "b.>", "*", ">", "a.*.c", "", "a b", "$1", "x.$1", "x.$1.$2", "x.*", "x.>"]
        for number in 0..<120 {
            let keys = try NKeyPair(kind: .account)
            var account = AccountClaims(subject: keys.publicKey.text, name: "\(number)")
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let type: ExchangeType = Bool.random(using: &generator) ? .stream : .service
                var export = ExportClaim(type, generator.pick("e", "e.*", "e.b", "f.>", "f.*.c", "g", "h"))
                switch Int.random(in: 0..<10, using: &generator) {
                case 0: export.accountTokenPosition = .random(in: 0...4, using: &generator)
                case 1: export.responseThreshold = .random(in: -1...1, using: &generator)
                case 2: export.responseType = generator.pick("Singleton", "Stream", "Chunked", "stream")
                case 3:
                    export.latency = ExportClaim.Latency(
                        sampling: .random(in: 0...100, using: &generator),
                        results: generator.pick("r", "r.*", "")
                    )
                default: break
                }
                account.exports.append(export)
            }
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let type: ExchangeType = Bool.random(using: &generator) ? .stream : .service
                let subject = subjects.randomElement(using: &generator) ?? ""
                var imported = ImportClaim(type, "all.\(subject)", from: exporter.publicKey.text)
                if Bool.random(using: &generator) {
                    imported.localSubject = subjects.randomElement(using: &generator) ?? ""
                } else if Int.random(in: 0..<4, using: &generator) == 0 {
                    imported.to = generator.pick("t", "t.u", "t v")
                }
                account.imports.append(imported)
            }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                account.limits.imports = .random(in: -1...2, using: &generator)
                account.limits.exports = .random(in: -1...2, using: &generator)
                account.limits.wildcardExports = .random(using: &generator)
            }
            try authority.add(account)
            let user = try NKeyPair(kind: .user)
            let jwt = try UserClaims(subject: user.publicKey.text).encoded(signedBy: keys, at: authority.now)
            let name = "\(number) \(account.exports) \(account.imports) \(account.limits)"
            attempts.append(Attempt(name: name, jwt: jwt, account: keys.publicKey.text, keys: user))
        }
        let admitted = try await self.compare(attempts, authority)
        #expect(admitted >= 20 && admitted <= attempts.count - 20)
    }

    @Test("templates are filled in alike", .timeLimit(.minutes(5)))
    func templates() async throws {
        var authority = try TestOperator()
        var scopes: [(key: NKeyPair, subjects: [String])] = []
        let keys = try NKeyPair(kind: .account)
        var account = AccountClaims(subject: keys.publicKey.text, name: "acme")
        account.tags = ["region:eu", "region:us", "x:"]
        for subjects in OddTexts.templates {
            let key = try NKeyPair(kind: .account)
            var scope = UserScope(key: key.publicKey.text)
            scope.template.permissions.subscribe.allow = subjects
            scope.template.permissions.subscribe.deny = subjects.count > 1 ? [subjects[1]] : []
            account.signingKeys.add(scope)
            scopes.append((key, subjects))
        }
        try authority.add(account)
        let server = try await OfficialServer.start(configurationText: authority.configurationText())
        // Answers about a user's permissions go to another one, whom nothing limits.
        let observer = try RawConnection.connect(port: server.port, answersPings: true)
        let observing = try NKeyPair(kind: .user)
        let observerJWT = try UserClaims(subject: observing.publicKey.text).encoded(signedBy: keys, at: authority.now)
        try await observer.connect(jwt: observerJWT, signedBy: observing)
        await observer.send("SUB answer 1\r\nPING\r\n")
        try await observer.expect("PONG\r\nPONG\r\n")
        var filled = 0
        for (key, subjects) in scopes {
            let user = try NKeyPair(kind: .user)
            var claims = UserClaims(subject: user.publicKey.text, name: "joe", limits: UserLimits())
            claims.issuerAccount = account.subject
            claims.tags = ["dept:sales", "dept:it", "Big:x", "dots:a.b", "bad:a b", "empty:"]
            let template = UserTemplate(user: claims, accountName: account.name, accountTags: account.tags)
            let scope = try #require(account.signingKeys.scope(of: key.publicKey.text))
            let ours = try? template.filled(scope.template).permissions.subscribe
            let connection = try RawConnection.connect(port: server.port, answersPings: true)
            let jwt = try claims.encoded(signedBy: key, at: authority.now)
            try await connection.connect(jwt: jwt, signedBy: user)
            guard let ours else {
                #expect(try await connection.readLine() == "-ERR 'Authorization Violation'", "\(subjects)")
                continue
            }
            #expect(try await connection.readLine() == "PONG", "\(subjects)")
            filled += 1
            await connection.send("PUB $SYS.REQ.USER.INFO answer 0\r\n\r\n")
            #expect(try await observer.readLine().hasPrefix("MSG answer 1 "))
            let told = try Self.subscribePermissions(inUserInfo: try await observer.readLine())
            #expect(told.allow == Set(ours.allow) && told.deny == Set(ours.deny), "\(subjects)")
            connection.close()
        }
        #expect(filled >= 15)
        await server.stop()
    }

    /// Subjects that a user may and may not subscribe to, from an answer of `$SYS.REQ.USER.INFO`.
    private static func subscribePermissions(
        inUserInfo text: String
    ) throws -> (allow: Set<String>, deny: Set<String>) {
        var allow: [String] = []
        var deny: [String] = []
        try JSONObjectReader(JSONValue.parse(Array(text.utf8))).readObject("data") { data throws(JSONError) in
            try data.readObject("permissions") { permissions throws(JSONError) in
                try permissions.readObject("subscribe") { list throws(JSONError) in
                    try list.read("allow", into: &allow)
                    try list.read("deny", into: &deny)
                }
            }
        }
        return (Set(allow), Set(deny))
    }

    @Test("strict operators want signing keys for accounts and users", .timeLimit(.minutes(5)))
    func strict() async throws {
        var authority = try TestOperator()
        let second = try NKeyPair(kind: .operator)
        authority.claims.strictSigningKeyUsage = true
        authority.claims.signingKeys = [second.publicKey.text]
        let system = AccountClaims(subject: authority.systemKeys.publicKey.text, name: "SYS")
        try authority.add(system, signedBy: second)
        var attempts: [Attempt] = []
        for (name, signer) in [("by signing key", second), ("by own key", authority.keys)] {
            let keys = try NKeyPair(kind: .account)
            let signing = try NKeyPair(kind: .account)
            var account = AccountClaims(subject: keys.publicKey.text)
            account.signingKeys.add(signing.publicKey.text)
            try authority.add(account, signedBy: signer)
            for userSigner in [keys, signing] {
                let user = try NKeyPair(kind: .user)
                var claims = UserClaims(subject: user.publicKey.text)
                claims.issuerAccount = account.subject
                let jwt = try claims.encoded(signedBy: userSigner, at: authority.now)
                attempts.append(Attempt(name: "\(name) \(userSigner)", jwt: jwt, account: account.subject, keys: user))
            }
        }
        #expect(try await self.compare(attempts, authority) == 1)
    }

    @Test("JWTs of the first version are read alike", .timeLimit(.minutes(5)))
    func firstVersion() async throws {
        var authority = try TestOperator()
        let keys = try authority.addAccount("old users")
        func attempt(_ name: String, _ members: String, _ nats: String, header: String = "ed25519") throws -> Attempt {
            let user = try NKeyPair(kind: .user)
            let jwt = try JWTDecodingTests.token(
                """
                {"jti":"x","iat":\(authority.now),"iss":"\(keys.publicKey)","sub":"\(user.publicKey)",\(members)\
                "type":"user","nats":\(nats)}
                """,
                header: "{\"typ\":\"jwt\",\"alg\":\"\(header)\"}",
                signer: keys,
                version: 1
            )
            return Attempt(name: name, jwt: jwt, account: keys.publicKey.text, keys: user)
        }
        let attempts = [
            try attempt("empty", "", "{}"),
            try attempt("permissions", "", "{\"pub\":{\"allow\":[\"a\"]}}"),
            try attempt("connection types did not count", "", "{\"allowed_connection_types\":[\"MQTT\"]}"),
            try attempt("networks in one text", "", "{\"src\":\"127.0.0.1/32, 10.0.0.0/8\"}"),
            try attempt("other networks in one text", "", "{\"src\":\"10.0.0.0/8\"}"),
            try attempt("expired", "\"exp\":5,", "{}"),
            try attempt("issuer", "\"issuer_account\":\"\(keys.publicKey)\",", "{}"),
            try attempt("wrong issuer", "\"issuer_account\":\"x\",", "{}"),
            try attempt("new algorithm", "", "{}", header: "ed25519-nkey"),
            try attempt("unknown algorithm", "", "{}", header: "hs256"),
            try attempt("wrong type", "", "{\"subs\":\"1\"}"),
        ]
        #expect(try await self.compare(attempts, authority) >= 5)
    }

    @Test("scopes, permissions, imports and limits of our JWTs work in the official server", .timeLimit(.minutes(5)))
    func working() async throws {
        var authority = try TestOperator()
        let scoped = try NKeyPair(kind: .account)
        let exporter = try authority.addAccount("exporter") { account in
            var secret = ExportClaim(.stream, "secret.*")
            secret.tokenRequired = true
            account.exports = [secret]
            account.defaultPermissions.publish.allow = ["secret.>"]
        }
        let importer = try NKeyPair(kind: .account)
        var account = AccountClaims(subject: importer.publicKey.text, name: "acme")
        var imported = ImportClaim(.stream, "secret.a", from: exporter.publicKey.text)
        imported.localSubject = "told"
        imported.token = try ActivationClaims(account: account.subject, importing: "secret.*", type: .stream)
            .encoded(signedBy: exporter, at: authority.now)
        account.imports = [imported]
        account.tags = ["region:eu"]
        var scope = UserScope(key: scoped.publicKey.text)
        scope.template.permissions.publish.allow = [
            "{{name()}}.{{account-name()}}.{{account-tag(region)}}.{{tag(dept)}}"
        ]
        scope.template.permissions.subscribe.allow = ["told", "{{subject()}}"]
        scope.template.traffic.subscriptions = 2
        account.signingKeys.add(scope)
        try authority.add(account)
        let server = try await OfficialServer.start(configurationText: authority.configurationText())

        let user = try NKeyPair(kind: .user)
        var claims = UserClaims(subject: user.publicKey.text, name: "joe", limits: UserLimits())
        claims.issuerAccount = account.subject
        claims.tags = ["dept:sales"]
        let receiver = try RawConnection.connect(port: server.port, answersPings: true)
        try await receiver.connect(jwt: claims.encoded(signedBy: scoped, at: authority.now), signedBy: user)
        try await receiver.expect("PONG\r\n")
        await receiver.send("SUB told 1\r\nSUB \(user.publicKey) 2\r\nPUB joe.acme.eu.sales 1\r\nx\r\nPING\r\n")
        try await receiver.expect("PONG\r\n")
        await receiver.send("PUB joe.acme.eu.other 1\r\nx\r\n")
        try await receiver.expect("-ERR 'Permissions Violation for Publish to \"joe.acme.eu.other\"'\r\n")

        let sending = try NKeyPair(kind: .user)
        let sender = try RawConnection.connect(port: server.port, answersPings: true)
        let jwt = try UserClaims(subject: sending.publicKey.text).encoded(signedBy: exporter, at: authority.now)
        try await sender.connect(jwt: jwt, signedBy: sending)
        try await sender.expect("PONG\r\n")
        await sender.send("PUB secret.a 5\r\nhello\r\nPUB secret.b 1\r\nx\r\nPUB open 1\r\nx\r\n")
        try await sender.expect("-ERR 'Permissions Violation for Publish to \"open\"'\r\n")
        try await receiver.expect("MSG told 1 5\r\nhello\r\n")
        await receiver.send("SUB told 3\r\n")
        try await receiver.expect("-ERR 'maximum subscriptions exceeded'\r\n")
        await server.stop()
    }

    @Test(
        "nats-py connects to the official server with a creds file of ours",
        .enabled(if: TestDependencies.canRun(TestDependencies.python, "Python with nats-py")),
        .timeLimit(.minutes(5))
    )
    func python() async throws {
        var authority = try TestOperator()
        let keys = try authority.addAccount("a")
        let user = try NKeyPair(kind: .user)
        let jwt = try UserClaims(subject: user.publicKey.text, name: "u").encoded(signedBy: keys, at: authority.now)
        let directory = try TemporaryDirectory()
        let path = try directory.write(CredentialsFile(jwt: jwt, keyPair: user).text, to: "u.creds")
        let server = try await OfficialServer.start(configurationText: authority.configurationText())
        let script = """
            import asyncio, sys, nats
            async def main():
                nc = await nats.connect(sys.argv[1], user_credentials=sys.argv[2], connect_timeout=60)
                sub = await nc.subscribe("a")
                await nc.publish("a", b"x")
                print((await sub.next_msg(timeout=60)).data.decode())
                await nc.close()
            asyncio.run(main())
            """
        let python = try #require(TestDependencies.python)
        let process = try ChildProcess(python, ["-c", script, server.url, path])
        #expect(await process.waitForExit(timeout: .seconds(90)) == .exited(0), "\(process.output)")
        #expect(process.output == "x\n")
        await server.stop()
    }
}
