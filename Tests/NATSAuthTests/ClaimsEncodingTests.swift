import NATSAuth
import NATSText
import NATSWire
import Testing

@Suite("Encoding of claims")
struct ClaimsEncodingTests {
    private func json(_ token: String) -> String {
        let parts = token.split(separator: ".")
        return String(decoding: Base64.decode(String(parts.dropFirst().first ?? "")) ?? [], as: UTF8.self)
    }

    /// The JSON under `nats`.
    private func nats(_ token: String) -> String {
        let json = self.json(token)
        guard let range = json.firstRange(of: "\"nats\":") else { return json }
        return String(json[range.upperBound...].dropLast())
    }

    @Test("the hash behind `jti` has the values of FIPS 180-4")
    func hash() {
        #expect(
            SHA512Truncated.hash(Array("abc".utf8)).map { String($0, radix: 16) }.joined(separator: " ")
                == "53 4 8e 26 81 94 1e f9 9b 2e 29 b7 6b 4c 7d ab e4 c2 d0 c6 34 fc 6d 46 e0 e2 f1 31 7 e7 af 23"
        )
        #expect(SHA512Truncated.hash([]).prefix(4) == [0xc6, 0x72, 0xb8, 0xd1])
        #expect(SHA512Truncated.hash([UInt8](repeating: 0x61, count: 112)).prefix(4) == Self.hashOf112)
    }

    /// sha512_256 of 112 times `a`, where the length needs a block of its own.
    private static let hashOf112: ArraySlice<UInt8> = [0x92, 0x16, 0xb5, 0x30]

    @Test("header and registered claims are written as the official library does")
    func registered() throws {
        var user = UserClaims(subject: try TestKeys.text(.user), name: "a<b>")
        user.registered.expires = 20
        user.registered.notBefore = 10
        user.registered.audience = "aud"
        let account = try TestKeys.pair(.account)
        let token = try user.encoded(signedBy: account, at: 15)
        #expect(token.hasPrefix("eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ."))
        let claims =
            "\"iat\":15,\"iss\":\"\(account.publicKey)\",\"name\":\"a\\u003cb\\u003e\",\"nbf\":10,\"sub\":\"\(user.subject)\""
        let hash = Base32.encode(SHA512Truncated.hash(Array("{\"aud\":\"aud\",\"exp\":20,\(claims)}".utf8)))
        #expect(
            self.json(token)
                == "{\"aud\":\"aud\",\"exp\":20,\"jti\":\"\(hash)\",\(claims),\"nats\":{\"pub\":{},\"sub\":{},\"subs\":-1,"
                + "\"data\":-1,\"payload\":-1,\"type\":\"user\",\"version\":2}}"
        )
        #expect(hash.utf8.count == 52)
    }

    @Test("operators keep everything")
    func operators() throws {
        let keys = try TestKeys.pair(.operator)
        var claims = OperatorClaims(subject: keys.publicKey.text, name: "op")
        claims.signingKeys = [try TestKeys.text(.operator, 2)]
        claims.accountServerURL = "https://host/jwt/v1"
        claims.operatorServiceURLs = ["nats://host:4222"]
        claims.systemAccount = try TestKeys.text(.account)
        claims.assertServerVersion = "2.10.0"
        claims.strictSigningKeyUsage = true
        claims.tags = ["a:b"]
        let token = try claims.encoded(signedBy: keys, at: 1)
        #expect(
            self.nats(token)
                == "{\"signing_keys\":[\"\(claims.signingKeys[0])\"],\"account_server_url\":\"https://host/jwt/v1\","
                + "\"operator_service_urls\":[\"nats://host:4222\"],\"system_account\":\"\(claims.systemAccount)\","
                + "\"assert_server_version\":\"2.10.0\",\"strict_signing_key_usage\":true,\"tags\":[\"a:b\"],"
                + "\"type\":\"operator\",\"version\":2}"
        )
        let decoded = try JWT.decode(OperatorClaims.self, from: token)
        claims.registered = decoded.registered
        #expect(decoded == claims)
        #expect(decoded.registered.isSelfSigned)
        #expect(decoded.trustedKeys == claims.signingKeys)
        #expect(decoded.errors().isEmpty)
    }

    @Test("accounts keep everything")
    func accounts() throws {
        let other = try TestKeys.text(.account, 2)
        var claims = AccountClaims(subject: try TestKeys.text(.account), name: "acc")
        var export = ExportClaim(.service, "svc.*", name: "e")
        export.tokenRequired = true
        export.revocations.revoke(other, upTo: 7)
        export.responseType = "Stream"
        export.responseThreshold = 5_000_000_000
        export.latency = ExportClaim.Latency(sampling: 0, results: "lat")
        export.accountTokenPosition = 2
        export.advertise = true
        export.allowTrace = true
        export.info.description = "d"
        export.info.url = "https://x.org/y"
        claims.exports = [export, ExportClaim(.stream, "a.>")]
        var imported = ImportClaim(.stream, "in.*", from: other, name: "i")
        imported.localSubject = "local.$1"
        imported.allowTrace = true
        claims.imports = [imported]
        claims.limits.traffic = TrafficLimits(subscriptions: 1, data: 2, payload: 3)
        claims.limits.disallowBearer = true
        var tier = AccountLimits.JetStream()
        tier.diskStorage = 100
        tier.maxBytesRequired = true
        claims.limits.jetStreamTiers = ["R3": tier, "R1": tier]
        claims.signingKeys.add(try TestKeys.text(.account, 3))
        claims.signingKeys.add(UserScope(key: try TestKeys.text(.account, 4), role: "r", description: "s"))
        claims.revocations.revoke("*", upTo: 9)
        claims.defaultPermissions.publish.deny = ["no"]
        claims.defaultPermissions.responses = ClaimPermissions.Responses(maximum: 1, expires: 2)
        claims.mappings = ["b": [WeightedMapping("c", weight: 40, cluster: "x"), WeightedMapping("d")], "a": []]
        claims.authorization.users = [try TestKeys.text(.user)]
        claims.authorization.allowedAccounts = ["*"]
        claims.authorization.xkey = try XKeyPair(seed: NKey.encodeSeed([UInt8](repeating: 1, count: 32), kind: .curve))
            .publicKey.text
        claims.trace = AccountClaims.Trace(destination: "t", sampling: 50)
        claims.clusterTraffic = "owner"
        claims.info.description = "about"
        claims.tags = ["t:1"]
        let token = try claims.encoded(signedBy: TestKeys.pair(.operator), at: 1)
        let keys = claims.signingKeys.keys
        let scopeJSON =
            "{\"kind\":\"user_scope\",\"key\":\"\(try TestKeys.text(.account, 4))\",\"role\":\"r\",\"template\":{\"pub\":{},"
            + "\"sub\":{},\"subs\":-1,\"data\":-1,\"payload\":-1},\"description\":\"s\"}"
        let keysJSON = keys.map { claims.signingKeys.scope(of: $0) == nil ? "\"\($0)\"" : scopeJSON }
        #expect(
            self.nats(token)
                == "{\"imports\":[{\"name\":\"i\",\"subject\":\"in.*\",\"account\":\"\(other)\",\"local_subject\":\"local.$1\","
                + "\"type\":\"stream\",\"allow_trace\":true}],\"exports\":[{\"subject\":\"a.\\u003e\",\"type\":\"stream\"},"
                + "{\"name\":\"e\",\"subject\":\"svc.*\",\"type\":\"service\",\"token_req\":true,\"revocations\":{\"\(other)\":7},"
                + "\"response_type\":\"Stream\",\"response_threshold\":5000000000,\"service_latency\":{\"sampling\":\"headers\","
                + "\"results\":\"lat\"},\"account_token_position\":2,\"advertise\":true,\"allow_trace\":true,"
                + "\"description\":\"d\",\"info_url\":\"https://x.org/y\"}],\"limits\":{\"subs\":1,\"data\":2,\"payload\":3,"
                + "\"imports\":-1,\"exports\":-1,\"wildcards\":true,\"disallow_bearer\":true,\"conn\":-1,\"leaf\":-1,"
                + "\"tiered_limits\":{\"R1\":{\"disk_storage\":100,\"max_bytes_required\":true},\"R3\":{\"disk_storage\":100,"
                + "\"max_bytes_required\":true}}},\"signing_keys\":[\(keysJSON.joined(separator: ","))],\"revocations\":{\"*\":9},"
                + "\"default_permissions\":{\"pub\":{\"deny\":[\"no\"]},\"sub\":{},\"resp\":{\"max\":1,\"ttl\":2}},"
                + "\"mappings\":{\"a\":[],\"b\":[{\"subject\":\"c\",\"weight\":40,\"cluster\":\"x\"},{\"subject\":\"d\"}]},"
                + "\"authorization\":{\"auth_users\":[\"\(try TestKeys.text(.user))\"],\"allowed_accounts\":[\"*\"],"
                + "\"xkey\":\"\(claims.authorization.xkey)\"},\"trace\":{\"dest\":\"t\",\"sampling\":50},"
                + "\"cluster_traffic\":\"owner\",\"description\":\"about\",\"tags\":[\"t:1\"],\"type\":\"account\",\"version\":2}"
        )
        let decoded = try JWT.decode(AccountClaims.self, from: token)
        claims.registered = decoded.registered
        claims.exports.reverse()
        #expect(decoded == claims)
        #expect(decoded.errors() == [])
    }

    @Test("users, activations and the messages of auth callout keep everything")
    func others() throws {
        let account = try TestKeys.pair(.account)
        var user = UserClaims(subject: try TestKeys.text(.user), name: "u")
        user.issuerAccount = try TestKeys.text(.account, 2)
        user.limits.sources = ["10.0.0.0/8"]
        user.limits.times = [TimeRange(start: "08:00:00", end: "09:00:00")]
        user.limits.locale = "Europe/Berlin"
        user.limits.bearerToken = true
        user.limits.proxyRequired = true
        user.limits.allowedConnectionTypes = ["STANDARD"]
        user.limits.permissions.subscribe.allow = ["a q"]
        user.tags = ["x:y"]
        let userBack = try JWT.decode(UserClaims.self, from: user.encoded(signedBy: account, at: 3))
        user.registered = userBack.registered
        #expect(userBack == user)
        #expect(userBack.account == user.issuerAccount)

        var activation = ActivationClaims(account: try TestKeys.text(.account, 3), importing: "a.*.b", type: .service)
        activation.issuerAccount = try TestKeys.text(.account, 2)
        let activationBack = try JWT.decode(
            ActivationClaims.self,
            from: activation.encoded(signedBy: account, at: 3)
        )
        activation.registered = activationBack.registered
        #expect(activationBack == activation)
        #expect(activation.content == activationBack.content)

        var request = AuthorizationRequestClaims(subject: try TestKeys.text(.server), userKey: user.subject)
        request.server.name = "s"
        request.server.tags = ["a"]
        request.client.id = 7
        request.client.mqttID = "m"
        request.options.password = "p"
        request.options.proto = 1
        var tls = AuthorizationRequestClaims.TLS()
        tls.version = "1.3"
        tls.verifiedChains = [["a", "b"], []]
        request.tls = tls
        request.requestNonce = "n"
        let requestBack = try JWT.decode(
            AuthorizationRequestClaims.self,
            from: request.encoded(signedBy: TestKeys.pair(.server), at: 3)
        )
        request.registered = requestBack.registered
        #expect(requestBack == request)
        #expect(requestBack.errors().isEmpty)

        var response = AuthorizationResponseClaims(subject: user.subject, audience: try TestKeys.text(.server))
        response.jwt = "x"
        let responseBack = try JWT.decode(
            AuthorizationResponseClaims.self,
            from: response.encoded(signedBy: account, at: 3)
        )
        response.registered = responseBack.registered
        #expect(responseBack == response)
        #expect(responseBack.errors().isEmpty)
        response.error = "no"
        #expect(response.errors() == ["Only Error or Jwt can be set"])
    }

    @Test("keys that may not sign such claims, and wrong subjects, are refused")
    func refusals() throws {
        let user = UserClaims(subject: try TestKeys.text(.user))
        #expect(throws: JWTError.wrongIssuer(expected: [.account])) {
            try user.encoded(signedBy: TestKeys.pair(.operator), at: 1)
        }
        #expect(throws: JWTError.wrongSubject("expected subject to be user public key")) {
            try UserClaims(subject: TestKeys.text(.account)).encoded(signedBy: TestKeys.pair(.account), at: 1)
        }
        #expect(throws: JWTError.wrongSubject("expected subject to be account public key")) {
            try AccountClaims(subject: "A").encoded(signedBy: TestKeys.pair(.operator), at: 1)
        }
        #expect(throws: JWTError.noSubject) {
            try AuthorizationRequestClaims(subject: "", userKey: "").encoded(signedBy: TestKeys.pair(.server), at: 1)
        }
    }

    @Test("what the first version left out means what it meant then")
    func firstVersion() throws {
        let account = try TestKeys.pair(.account)
        let operatorKeys = try TestKeys.pair(.operator)
        func decode<Claims: ClaimSet>(_ type: Claims.Type, _ json: String, _ signer: NKeyPair) throws -> Claims {
            let token = try JWTDecodingTests.token(
                json,
                header: #"{"typ":"jwt","alg":"ed25519"}"#,
                signer: signer,
                version: 1
            )
            return try JWT.decode(type, from: token)
        }
        let user = try decode(
            UserClaims.self,
            """
            {"iss":"\(account.publicKey)","sub":"\(try TestKeys.text(.user))","type":"user","tags":["a"],\
            "issuer_account":"X","nats":{"pub":{"allow":["p"]},"src":" 10.0.0.0/8,1.2.3.4/32,10.0.0.0/8","max":3,\
            "allowed_connection_types":["MQTT"],"issuer_account":"Y","bearer_token":true}}
            """,
            account
        )
        #expect(user.version == 1 && user.tags == ["a"] && user.issuerAccount == "X")
        #expect(user.limits.traffic == .unlimited && user.limits.allowedConnectionTypes == [])
        #expect(user.limits.sources == ["10.0.0.0/8", "1.2.3.4/32"] && user.limits.bearerToken)
        #expect(user.limits.permissions.publish.allow == ["p"])
        let claims = try decode(
            AccountClaims.self,
            """
            {"iss":"\(operatorKeys.publicKey)","sub":"\(account.publicKey)","type":"account",\
            "nats":{"limits":{"subs":5,"mem_storage":7,"conn":-1},"signing_keys":["K"],"mappings":1,\
            "exports":[{"subject":"a","type":"stream"}]}}
            """,
            operatorKeys
        )
        #expect(
            claims.version == 1 && claims.limits.traffic.subscriptions == 5
                && claims.limits.jetStream.memoryStorage == 0
        )
        #expect(claims.signingKeys.contains("K") && claims.exports.count == 1 && claims.limits.imports == 0)
        let activation = try decode(
            ActivationClaims.self,
            """
            {"iss":"\(account.publicKey)","sub":"\(try TestKeys.text(.account, 2))","type":"activation",\
            "issuer_account":"I","nats":{"subject":"a","type":"service","kind":"stream"}}
            """,
            account
        )
        #expect(activation.importType == .service && activation.issuerAccount == "I")
        let op = try decode(
            OperatorClaims.self,
            """
            {"iss":"\(operatorKeys.publicKey)","sub":"\(operatorKeys.publicKey)","type":"operator",\
            "nats":{"signing_keys":["S"],"strict_signing_key_usage":true}}
            """,
            operatorKeys
        )
        #expect(op.signingKeys == ["S"] && !op.strictSigningKeyUsage)
    }
}
