import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

/// An operator with accounts, of which one lets a service decide about its users.
struct OperatorCalloutScene: Sendable {
    /// What one server has done.
    struct Transcript: Sendable {
        var lines: [String] = []
        /// In any order.
        var log: [String] = []
    }

    var authority: TestOperator
    /// Whose users the service decides about.
    let auth: NKeyPair
    let authSigner: NKeyPair
    /// May be the service's answer.
    let app: NKeyPair
    let appSigner: NKeyPair
    let appScoped: NKeyPair
    /// There is no place in it.
    let full: NKeyPair
    /// Is not on the list of accounts.
    let out: NKeyPair
    /// Is on the list, but nowhere else.
    let missing: NKeyPair
    let service: CalloutService
    let serviceUser: Tenant
    /// Whoever has it may be asked about.
    let guest: Tenant
    var revoked: String

    /// - Parameters:
    ///   - isSealed: Whether questions and answers are.
    ///   - anyAccount: Whether the service may answer with any account.
    ///   - change: More about the account whose users the service decides about.
    /// - Throws: if there are no keys.
    init(
        isSealed: Bool = false,
        anyAccount: Bool = false,
        _ change: (inout AccountClaims) -> Void = { _ in }
    ) throws {
        self.authority = try TestOperator()
        let accounts = try (0..<7).map { _ in try NKeyPair(kind: .account) }
        self.auth = accounts[0]
        self.authSigner = accounts[1]
        self.appSigner = accounts[2]
        self.appScoped = accounts[3]
        self.missing = accounts[4]
        self.app = accounts[5]
        self.out = accounts[6]
        let service = CalloutService(issuer: self.auth, isSealed: isSealed)
        self.service = service
        let user = try NKeyPair(kind: .user)
        let revoked = try NKeyPair(kind: .user)
        self.revoked = ""
        let full = try NKeyPair(kind: .account)
        self.full = full
        let (authority, auth) = (self.authority, self.auth)
        self.serviceUser = try Tenant(of: auth, authority, user: user)
        self.guest = try Tenant(of: auth, authority) { claims in
            claims.limits.bearerToken = true
            claims.registered.name = "guest"
            claims.tags = ["a:b"]
        }
        self.revoked = try Tenant(of: auth, authority, user: revoked) { $0.limits.bearerToken = true }.jwt
        var claims = AccountClaims(subject: auth.publicKey.text, name: "AUTH")
        claims.signingKeys.add(self.authSigner.publicKey.text)
        claims.authorization.users = [user.publicKey.text]
        claims.authorization.allowedAccounts =
            anyAccount
            ? ["*"] : [self.app, self.full, self.missing].map(\.publicKey.text)
        claims.authorization.xkey = service.xkeys?.publicKey.text ?? ""
        claims.revocations.revoke(revoked.publicKey.text, upTo: authority.now)
        change(&claims)
        try self.authority.add(claims)
        claims = AccountClaims(subject: self.app.publicKey.text, name: "APP")
        claims.signingKeys.add(self.appSigner.publicKey.text)
        var template = UserLimits.unlimited
        template.permissions.publish.allow = ["ok.{{name()}}"]
        template.traffic.subscriptions = 1
        claims.signingKeys.add(UserScope(key: self.appScoped.publicKey.text, role: "role", template: template))
        claims.defaultPermissions.publish.deny = ["denied"]
        claims.tags = ["app"]
        try self.authority.add(claims)
        claims = AccountClaims(subject: full.publicKey.text, name: "FULL")
        claims.limits.connections = 0
        try self.authority.add(claims)
        try self.authority.add(AccountClaims(subject: self.out.publicKey.text, name: "OUT"))
    }

    /// What is configured.
    func configuration(timeout: String = "60", _ more: String = "") throws -> String {
        try self.authority.configurationText().replacing("timeout: 60", with: "timeout: \(timeout)")
            + "http: \"127.0.0.1:-1\"\ndebug: true\n\(more)\n"
    }

    /// Serves while something runs.
    func serve<Result: Sendable>(
        _ server: ConfiguredServer,
        rules: @escaping @Sendable (CalloutService.Question) throws -> [CalloutService.Answer],
        while body: () async throws -> Result
    ) async throws -> Result {
        let peer = try RawConnection.connect(port: server.port, answersPings: true)
        defer { peer.close() }
        let info = try await peer.readInfo()
        let nonce = info.split(separator: "\"nonce\":\"").dropFirst().first?.prefix { $0 != "\"" } ?? ""
        let signature = Base64.encodeURLSafe(try self.serviceUser.keys.sign(Array(nonce.utf8)))
        await peer.send(
            """
            CONNECT {"verbose":false,"pedantic":false,"headers":true,"name":"service","jwt":"\(self.serviceUser.jwt)",\
            "sig":"\(signature)"}\r\nPING\r\n
            """
        )
        try await peer.expect("PONG\r\n")
        return try await self.service.serve(over: peer, rules: rules, while: body)
    }

    // MARK: Answers

    /// A user JWT about whom a question is.
    func user(
        _ question: CalloutService.Question,
        of account: NKeyPair? = nil,
        signedBy signer: NKeyPair,
        limits: UserLimits = .unlimited,
        _ change: (inout UserClaims) throws -> Void = { _ in }
    ) throws -> String {
        var claims = UserClaims(subject: question.claims.userKey, name: "", limits: limits)
        if let account { claims.issuerAccount = account.publicKey.text }
        try change(&claims)
        return try claims.encoded(signedBy: signer, at: CalloutService.now)
    }

    // MARK: Transcripts

    /// Runs the same on all servers and compares what they did.
    @discardableResult
    static func compare(_ run: @Sendable (ServerUnderTest) async throws -> Transcript) async throws -> [String] {
        var transcripts: [(server: ServerUnderTest, transcript: Transcript)] = []
        for server in ServerUnderTest.available { transcripts.append((server, try await run(server))) }
        let first = try #require(transcripts.first).transcript
        for (server, transcript) in transcripts.dropFirst() {
            #expect(transcript.lines.count == first.lines.count)
            for (line, theirs) in zip(transcript.lines, first.lines) { #expect(line == theirs, "\(server)") }
            for line in first.log where !transcript.log.contains(line) { Issue.record("\(server) lacks \(line)") }
            for line in transcript.log where !first.log.contains(line) { Issue.record("\(server) says \(line)") }
        }
        return first.lines
    }

    /// The members of CONNECT of the one who is asked about.
    func guestMembers(_ more: String = "") -> String { ",\"jwt\":\"\(self.guest.jwt)\"\(more)" }

    /// What clients do and get, as text that is the same each time.
    static func outcome(_ peer: RawConnection, _ text: String) async -> String {
        await peer.send(text)
        guard
            await peer.wait(
                timeout: .seconds(60),
                until: { $0.end != nil || $0.bytes.suffix(6) == Array("PONG\r\n".utf8)[...] }
            )
        else { return "silence" }
        let end = peer.hasEnded ? " END" : ""
        return String(decoding: peer.takeAll(), as: UTF8.self).split(separator: "\r\n").joined(separator: " | ") + end
    }

    /// Connects, tells who that is for the server, and what it may do.
    func attempt(
        _ server: ConfiguredServer,
        _ members: String,
        signedBy keys: NKeyPair? = nil,
        then: String = ""
    ) async throws -> String {
        // The time of a connection whose CONNECT is a second on its way, on a busy machine, is over before anybody is
        // asked: that says nothing about the service.
        for _ in 0..<20 {
            let outcome = try await self.attemptOnce(server, members, signedBy: keys, then: then)
            if outcome != "-ERR 'Authentication Timeout' END" { return outcome }
        }
        return "always too late"
    }

    private func attemptOnce(
        _ server: ConfiguredServer,
        _ members: String,
        signedBy keys: NKeyPair?,
        then: String
    ) async throws -> String {
        let peer = try RawConnection.connect(port: server.port, answersPings: true)
        defer { peer.close() }
        let info = try await peer.readInfo()
        let client = String(info.split(separator: "\"client_id\":").last?.prefix { $0 != "," } ?? "")
        var members = members
        if let keys {
            let nonce = info.split(separator: "\"nonce\":\"").dropFirst().first?.prefix { $0 != "\"" } ?? ""
            members += ",\"sig\":\"\(Base64.encodeURLSafe(try keys.sign(Array(nonce.utf8))))\""
        }
        var lines = [
            await Self.outcome(peer, "CONNECT {\"verbose\":false,\"pedantic\":false\(members)}\r\nPING\r\n")
        ]
        if !peer.hasEnded {
            lines.append(try await self.identity(server, client))
            if !then.isEmpty { lines.append(await Self.outcome(peer, then + "PING\r\n")) }
        }
        return lines.joined(separator: " / ")
    }

    /// Who a connection is, as `/connz` tells.
    private func identity(_ server: ConfiguredServer, _ client: String) async throws -> String {
        let page = try await server.fetch("/connz?auth=1&cid=\(client)").text
        let fields = page.split(separator: "\n").compactMap { line -> String? in
            let line = line.drop { $0 == " " }
            for key in ["account", "authorized_user", "issuer_key", "name_tag", "jwt", "subscriptions"]
            where line.hasPrefix("\"\(key)\":") {
                let line = line.last == "," ? line.dropLast() : line
                return key == "jwt" ? "jwt" : String(line)
            }
            return nil
        }
        let tags = page.firstRange(of: "\"tags\":") == nil ? "" : " tagged"
        return self.stable(fields.joined(separator: " ")) + tags
    }

    /// A text without what is different each time; accounts by their names.
    func stable(_ text: String) -> String {
        var text = text
        let names: [(NKeyPair, String)] = [
            (self.auth, "AUTH"), (self.authSigner, "AUTHSIGNER"), (self.app, "APP"), (self.appSigner, "APPSIGNER"),
            (self.appScoped, "APPSCOPED"), (self.full, "FULL"), (self.out, "OUT"), (self.missing, "MISSING"),
            (self.authority.keys, "OPERATOR"), (self.authority.systemKeys, "SYS"), (self.guest.keys, "GUEST"),
            (self.serviceUser.keys, "SERVICE"),
        ]
        for (key, name) in names { text = text.replacing(key.publicKey.text, with: name) }
        var result = ""
        var word = ""
        func flush() {
            let isKey = word.count == 56 && word.allSatisfy { "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".contains($0) }
            result += isKey ? "\(word.prefix(1))…" : word
            word = ""
        }
        for character in text {
            if character.isLetter || character.isNumber {
                word.append(character)
            } else {
                flush()
                result.append(character)
            }
        }
        flush()
        return result
    }

    /// What the log says of clients, and what it warns of; each line once, and sorted.
    func stable(log: String) -> [String] {
        let lines = log.split(separator: "\n").compactMap { line -> String? in
            guard
                let range = line.firstRange(of: "[WRN]") ?? line.firstRange(of: "[ERR]") ?? line.firstRange(of: "[DBG]")
            else { return nil }
            var text = String(line[range.lowerBound...])
            // How fast something was.
            guard !text.contains("fetch took"), !text.contains("Plaintext"), !text.contains("Ping Timer"),
                !text.contains("Authentication Timeout"),
                !(text.contains("\"service\"") && text.contains("connection closed"))
            else { return nil }
            if let range = text.firstRange(of: " accused 0x") { text = String(text[..<range.lowerBound]) }
            guard let start = text.firstRange(of: "127.0.0.1:"),
                let end = text[start.upperBound...].firstRange(of: " - cid:")
            else {
                let isOfInterest = ["callout", "JWT", "uthoriz", "ccount"].contains { text.contains($0) }
                return text.hasPrefix("[DBG]") && !isOfInterest ? nil : self.stable(text)
            }
            let rest = text[end.upperBound...].drop { $0.isNumber }
            return self.stable("\(text[..<start.lowerBound])CLIENT\(rest)")
        }
        return Set(lines).sorted()
    }
}
