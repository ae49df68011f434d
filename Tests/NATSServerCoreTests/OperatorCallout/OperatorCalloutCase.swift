import NATSAuth
import NATSTestSupport

/// A client, and what the service of its account answers about it.
struct OperatorCalloutCase: Sendable {
    typealias Question = CalloutService.Question
    typealias Answer = CalloutService.Answer

    /// The client's name, by which the service knows which case it is.
    let name: String
    /// More members of CONNECT.
    var members = ""
    /// What the client does once it has been let in.
    var then = ""
    let answers: @Sendable (Question, OperatorCalloutScene) throws -> [Answer]

    init(
        _ name: String,
        members: String = "",
        then: String = "",
        _ answers: @escaping @Sendable (Question, OperatorCalloutScene) throws -> [Answer]
    ) {
        self.name = name
        self.members = members
        self.then = then
        self.answers = answers
    }

    /// A case whose answer is a user that one of the scene's keys has signed for an account.
    private static func user(
        _ name: String,
        of account: (@Sendable (OperatorCalloutScene) -> NKeyPair)? = nil,
        by signer: @escaping @Sendable (OperatorCalloutScene) -> NKeyPair,
        members: String = "",
        limits: UserLimits = .unlimited,
        then: String = "",
        _ change: @escaping @Sendable (inout UserClaims) throws -> Void = { _ in }
    ) -> Self {
        Self(name, members: members, then: then) { question, scene in
            let jwt = try scene.user(
                question,
                of: account?(scene),
                signedBy: signer(scene),
                limits: limits,
                change
            )
            return [.token(jwt)]
        }
    }

    /// A case whose answer is a response that is wrong in some way.
    private static func response(
        _ name: String,
        _ change: @escaping @Sendable (inout AuthorizationResponseClaims) throws -> Void
    ) -> Self {
        Self(name) { question, _ in
            var response = CalloutService.response(question)
            try change(&response)
            return [.response(response)]
        }
    }

    /// A good user in a response that is signed in some way.
    private static func signed(
        _ name: String,
        by signer: @escaping @Sendable (OperatorCalloutScene) throws -> NKeyPair,
        _ change: @escaping @Sendable (inout AuthorizationResponseClaims, OperatorCalloutScene) -> Void = { _, _ in }
    ) -> Self {
        Self(name) { question, scene in
            var response = CalloutService.response(question)
            response.jwt = try scene.user(question, signedBy: scene.app)
            change(&response, scene)
            return [.signed(response, by: try signer(scene))]
        }
    }

    private static let somebody = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
    private static let question = "PUB $SYS.REQ.USER.AUTH r 2\r\nhi\r\nPUB x 0\r\n\r\n"

    /// Users that the service lets in, if it may.
    static let users: [OperatorCalloutCase] = [
        .user("own", by: \.auth, then: Self.question),
        .user("own signing key", of: \.auth, by: \.authSigner, then: Self.question) {
            $0.limits.permissions.publish.allow = ["$SYS.>"]
        },
        .user("own signing key without account", by: \.authSigner),
        .user("app", by: \.app, then: "PUB denied 0\r\n\r\nPUB ok 0\r\n\r\n" + Self.question),
        .user("app named", by: \.app) { claims in
            claims.registered.name = "somebody else"
            claims.tags = ["t:1"]
        },
        .user("app with audience", by: \.app) { $0.registered.audience = "x" },
        .user("app signing key", of: \.app, by: \.appSigner, then: "PUB denied 0\r\n\r\nPUB no 0\r\n\r\n") {
            $0.limits.permissions.publish.deny = ["no"]
        },
        .user("app signing key without account", by: \.appSigner),
        .user(
            "scoped",
            of: \.app,
            by: \.appScoped,
            limits: UserLimits(),
            then: "PUB ok.me 0\r\n\r\nPUB ok.you 0\r\n\r\nPUB denied 0\r\n\r\nSUB a 1\r\nSUB b 2\r\n"
        ) { $0.registered.name = "me" },
        .user("scoped without name", of: \.app, by: \.appScoped, limits: UserLimits(), then: "PUB ok.me 0\r\n\r\n"),
        .user("scoped with limits", of: \.app, by: \.appScoped),
        .user("scoped of nobody", by: \.appScoped, limits: UserLimits()),
        .user("app for own", of: \.auth, by: \.app),
        .user("own for app", of: \.app, by: \.auth),
        .user("own signer for app", of: \.app, by: \.authSigner),
        .user("out", by: \.out),
        .user("missing", by: \.missing),
        .user("full", by: \.full),
        .user("system", by: \.authority.systemKeys),
        .user("stranger", by: { _ in NKeyPair.anyAccount }),
        .user("other user", by: \.app) { $0.registered.subject = Self.somebody },
        .user("bad issuer account", by: \.app) { $0.issuerAccount = "x" },
        .user("bearer", by: \.app) { $0.limits.bearerToken = true },
        .user("source", by: \.app) { $0.limits.sources = ["192.0.2.0/24"] },
        .user("subscriptions", by: \.app, then: "SUB a 1\r\nSUB b 2\r\n") { $0.limits.traffic.subscriptions = 1 },
        .user("payload", by: \.app, then: "PUB a 2\r\nxx\r\n") { $0.limits.traffic.payload = 1 },
        .user("websocket", by: \.app) { $0.limits.allowedConnectionTypes = ["WEBSOCKET"] },
        .user("types", by: \.app) { $0.limits.allowedConnectionTypes = ["FOO"] },
        .user("expired", by: \.app) { $0.registered.expires = CalloutService.now - 10 },
        .user("tomorrow", by: \.app) { $0.registered.expires = CalloutService.now + 86_400 },
        .user("times", by: \.app) { claims in
            claims.limits.times = [.init(start: "00:00:00", end: "00:00:00")]
        },
        .user("proxy", by: \.app) { $0.limits.proxyRequired = true },
        .user("bad subject", by: \.app) { $0.limits.permissions.publish.allow = ["a b c"] },
        .user("responses", by: \.app, then: "PUB x 0\r\n\r\nSUB y 1\r\n") {
            $0.limits.permissions.responses = .init(maximum: 1, expires: 1_000_000_000)
        },
        .user("with user", by: \.app, members: #","user":"joe","pass":"secret""#),
        .user("with token", by: \.app, members: #","auth_token":"secret""#),
        .user("with nkey", by: \.app, members: #","nkey":"\#(Self.somebody)""#),
        .user("with user renamed", by: \.app, members: #","user":"joe","pass":"secret""#) {
            $0.registered.name = "jack"
        },
    ]

    /// Responses that are good or not.
    static let responses: [OperatorCalloutCase] = [
        Self("error") { _, _ in [.error("not today")] },
        Self("odd error") { _, _ in [.error("ünfug \"x\"")] },
        Self("empty") { _, _ in [.raw([])] },
        Self("word") { _, _ in [.raw(Array("no".utf8))] },
        Self("one chunk") { _, _ in [.raw(Array("eyJ".utf8))] },
        Self("bytes") { _, _ in [.raw([UInt8](repeating: 0xff, count: 100))] },
        Self("sealed") { _, _ in [.raw(Array("xkv1".utf8) + [UInt8](repeating: 7, count: 100))] },
        Self("large") { _, _ in [.raw(Array("eyJ".utf8) + [UInt8](repeating: 0x61, count: 900_000))] },
        Self("request") { question, _ in [.open(.raw(Array(question.token.utf8)))] },
        Self("guest") { _, scene in [.token(scene.guest.jwt)] },
        Self("account") { _, scene in [.token(scene.authority.accounts[scene.app.publicKey.text] ?? "")] },
        Self("own token") { question, _ in [.token(question.claims.options.jwt)] },
        .response("nothing") { _ in },
        .response("both") { response in
            response.jwt = "x"
            response.error = "y"
        },
        .response("no jwt") { $0.jwt = "x" },
        .response("subject") { response in
            response.registered.subject = Self.somebody
            response.error = "no"
        },
        .response("audience") { response in
            response.registered.audience = NKeyPair.server().publicKey.text
            response.error = "no"
        },
        .response("no audience") { response in
            response.registered.audience = ""
            response.error = "no"
        },
        .response("expired response") { response in
            response.registered.expires = 1000
            response.error = "no"
        },
        .response("bad issuer account of response") { response in
            response.issuerAccount = Self.somebody
            response.error = "no"
        },
        .signed("response by own", by: \.auth),
        .signed("response by own signer", by: \.authSigner),
        .signed("response by own signer for own", by: \.authSigner) { response, scene in
            response.issuerAccount = scene.auth.publicKey.text
        },
        .signed("response by app", by: \.app),
        .signed("response by app for own", by: \.app) { response, scene in
            response.issuerAccount = scene.auth.publicKey.text
        },
        .signed("response by own for app", by: \.auth) { response, scene in
            response.issuerAccount = scene.app.publicKey.text
        },
        .signed("response by own for own signer", by: \.auth) { response, scene in
            response.issuerAccount = scene.authSigner.publicKey.text
        },
        .signed("response by stranger", by: { _ in try NKeyPair(kind: .account) }),
        .signed("response by stranger for own", by: { _ in try NKeyPair(kind: .account) }) { response, scene in
            response.issuerAccount = scene.auth.publicKey.text
        },
        Self("error by stranger") { question, _ in
            var response = CalloutService.response(question)
            response.error = "whoever"
            return [.signed(response, by: try NKeyPair(kind: .account))]
        },
        Self("open") { question, scene in [.open(.token(try scene.user(question, signedBy: scene.app)))] },
    ]
}

extension NKeyPair {
    /// Of an account that nobody knows.
    fileprivate static let anyAccount = (try? NKeyPair(kind: .account)) ?? .server()
}
