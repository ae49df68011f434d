import NATSAuth
import NATSTestSupport

/// A client, and what the authorization service answers about it.
struct CalloutCase: Sendable {
    /// The user name with which the service knows it.
    let name: String
    /// More members of CONNECT.
    var members = ""
    /// What the client does once it has been let in.
    var then = ""
    let answers: @Sendable (CalloutService.Question) throws -> [CalloutService.Answer]

    init(
        _ name: String,
        members: String = "",
        then: String = "",
        _ answers: @escaping @Sendable (CalloutService.Question) throws -> [CalloutService.Answer]
    ) {
        self.name = name
        self.members = members
        self.then = then
        self.answers = answers
    }

    /// A case whose answer is a user of an account.
    static func user(
        _ name: String,
        in account: String = "APP",
        then: String = "",
        _ change: @escaping @Sendable (inout UserClaims) throws -> Void = { _ in }
    ) -> Self {
        CalloutCase(name, then: then) { question in
            var claims = CalloutService.user(question, account)
            try change(&claims)
            return [.user(claims)]
        }
    }

    /// A case whose answer is a response that is wrong in some way.
    static func response(
        _ name: String,
        _ change: @escaping @Sendable (inout AuthorizationResponseClaims) throws -> Void
    ) -> Self {
        CalloutCase(name) { question in
            var response = CalloutService.response(question)
            try change(&response)
            return [.response(response)]
        }
    }

    private static let stranger = (try? NKeyPair(kind: .account))?.publicKey.text ?? ""
    private static let somebody = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"

    /// Clients that are let in, and how.
    static let admitted: [CalloutCase] = [
        .user("plain", then: "PUB x 0\r\n\r\nSUB y 1\r\n"),
        .user("named") { $0.registered.name = "somebody else" },
        .user("global", in: "$G"),
        .user("publish", then: "PUB ok 0\r\n\r\nPUB no 0\r\n\r\nSUB no 1\r\n") {
            $0.limits.permissions.publish.allow = ["ok"]
        },
        .user("deny", then: "PUB ok 0\r\n\r\nPUB no.x 0\r\n\r\nSUB secret 1\r\nSUB open q 2\r\n") {
            $0.limits.permissions.publish.deny = ["no.>"]
            $0.limits.permissions.subscribe.deny = ["secret", "open q"]
        },
        .user("responses", then: "PUB x 0\r\n\r\nSUB y 1\r\n") {
            $0.limits.permissions.responses = .init(maximum: 1, expires: 1_000_000_000)
        },
        .user("service", in: "AUTH", then: "PUB $SYS.REQ.USER.AUTH r 2\r\nhi\r\nPUB x 0\r\n\r\n"),
        .user("serviceallow", in: "AUTH", then: "PUB $SYS.REQ.USER.AUTH r 2\r\nhi\r\nPUB x 0\r\n\r\n") {
            $0.limits.permissions.publish.allow = ["$SYS.>"]
        },
        .user("bearer") { $0.limits.bearerToken = true },
        // Neither is looked at.
        .user("source") { $0.limits.sources = ["192.0.2.0/24"] },
        .user("subscriptions", then: "SUB a 1\r\nSUB b 2\r\n") { $0.limits.traffic.subscriptions = 1 },
        .user("websocket") { $0.limits.allowedConnectionTypes = ["WEBSOCKET"] },
        .user("someknown") { $0.limits.allowedConnectionTypes = ["FOO", "STANDARD"] },
        .user("allday") { $0.limits.times = [.init(start: "00:00:00", end: "23:59:59.9")] },
        .user("tomorrow") { $0.registered.expires = CalloutService.now + 86_400 },
        CalloutCase("othersigner") { question in
            // Who signs a response matters only when it is not sealed, if the user's JWT is the issuer's.
            [.userSigned(CalloutService.user(question, "APP"), by: try NKeyPair(kind: .account))]
        },
        CalloutCase("open") { question in [.open(.user(CalloutService.user(question, "APP")))] },
        CalloutCase("nkeyname", members: #","nkey":"\#(Self.somebody)","sig":"x""#) { question in
            [.user(CalloutService.user(question, "APP", name: "by nkey"))]
        },
        // A user of the configuration, whose password the server itself would take.
        .user("known") { $0.registered.name = "known" },
    ]

    /// Clients that are not let in.
    static let refused: [CalloutCase] = [
        CalloutCase("error") { _ in [.error("not today")] },
        CalloutCase("oderror") { _ in [.error("ünfug \"x\"")] },
        CalloutCase("empty") { _ in [.raw([])] },
        CalloutCase("word") { _ in [.raw(Array("no".utf8))] },
        CalloutCase("onechunk") { _ in [.raw(Array("eyJ".utf8))] },
        CalloutCase("bytes") { _ in [.raw([UInt8](repeating: 0xff, count: 100))] },
        CalloutCase("version") { _ in [.raw(Array("xkv2".utf8) + [UInt8](repeating: 7, count: 100))] },
        CalloutCase("sealed") { _ in [.raw(Array("xkv1".utf8) + [UInt8](repeating: 7, count: 100))] },
        CalloutCase("large") { _ in [.raw(Array("eyJ".utf8) + [UInt8](repeating: 0x61, count: 900_000))] },
        CalloutCase("request") { question in [.open(.raw(Array(question.token.utf8)))] },
        .response("nothing") { _ in },
        .response("both") { response in
            response.jwt = "x"
            response.error = "y"
        },
        .response("notjwt") { $0.jwt = "x" },
        .response("subject") { response in
            response.registered.subject = Self.somebody
            response.error = "no"
        },
        .response("badsubject") { response in
            response.registered.subject = Self.stranger
            response.error = "no"
        },
        .response("audience") { response in
            response.registered.audience = NKeyPair.server().publicKey.text
            response.error = "no"
        },
        .response("noaudience") { response in
            response.registered.audience = ""
            response.error = "no"
        },
        .response("expiredresponse") { response in
            response.registered.expires = 1000
            response.error = "no"
        },
        .response("badissueraccount") { response in
            response.issuerAccount = Self.somebody
            response.error = "no"
        },
        .user("nowhere", in: "NOPE"),
        .user("noaccount", in: ""),
        .user("otheruser") { $0.registered.subject = Self.somebody },
        .user("issueraccount") { $0.issuerAccount = Self.stranger },
        .user("badissuer") { $0.issuerAccount = "x" },
        .user("expired") { $0.registered.expires = CalloutService.now - 10 },
        .user("notyet") { $0.registered.notBefore = CalloutService.now + 86_400 },
        .user("proxy") { $0.limits.proxyRequired = true },
        .user("types") { $0.limits.allowedConnectionTypes = ["FOO"] },
        .user("badsource") { $0.limits.sources = ["x"] },
        .user("badtime") { $0.limits.times = [.init(start: "x", end: "")] },
        .user("permission") { $0.limits.permissions.publish.allow = ["a b c"] },
        .user("queue") { $0.limits.permissions.publish.deny = ["a b"] },
        .user("emptysubject") { $0.limits.permissions.subscribe.allow = [""] },
        .user("locale") { claims in
            claims.limits.times = [.init(start: "00:00:00", end: "23:59:59")]
            claims.limits.locale = "Nowhere/At_All"
        },
        CalloutCase("wrongsigner") { question in
            let token = try CalloutService.user(question, "APP")
                .encoded(signedBy: NKeyPair(kind: .account), at: CalloutService.now)
            return [.token(token)]
        },
        CalloutCase("full") { question in [.user(CalloutService.user(question, "FULL"))] },
    ]
}
