import NATSAuth
import Testing

@Suite("Validation of claims")
struct ClaimsValidationTests {
    private func account(_ change: (inout AccountClaims) throws -> Void) throws -> [String] {
        var claims = AccountClaims(subject: try TestKeys.text(.account), name: "a")
        try change(&claims)
        return claims.errors()
    }

    private func user(_ change: (inout UserClaims) -> Void) throws -> [String] {
        var claims = UserClaims(subject: try TestKeys.text(.user))
        change(&claims)
        return claims.errors()
    }

    private func operatorErrors(_ change: (inout OperatorClaims) -> Void) throws -> [String] {
        var claims = OperatorClaims(subject: try TestKeys.text(.operator))
        change(&claims)
        return claims.errors()
    }

    @Test("times", arguments: [(0, 0, []), (99, 0, ["claim is expired"]), (100, 0, []), (0, 100, [])] + laterTimes)
    func times(expires: Int64, notBefore: Int64, issues: [String]) throws {
        var claims = UserClaims(subject: try TestKeys.text(.user))
        claims.registered.expires = expires
        claims.registered.notBefore = notBefore
        let report = claims.validate(ValidationContext(now: 100))
        #expect(report.issues.map(\.description) == issues)
        #expect(report.isBlocking(includingTimes: true) == !issues.isEmpty)
        #expect(!report.isBlocking(includingTimes: false))
    }

    private static let laterTimes: [(Int64, Int64, [String])] = [
        (0, 101, ["claim is not yet valid"]), (1, 101, ["claim is expired", "claim is not yet valid"]),
        (-5, -5, []), (.max, .min, []),
    ]

    @Test("operators")
    func operators() throws {
        #expect(try self.operatorErrors { $0.accountServerURL = "https://h:1/jwt/v1/accounts" } == [])
        #expect(
            try self.operatorErrors { $0.accountServerURL = "host" }
                == ["account server url \"host\" requires a protocol"]
        )
        #expect(
            try self.operatorErrors { $0.accountServerURL = ":x" }
                == ["error parsing account server url: parse \":x\": missing protocol scheme"]
        )
        #expect(
            try self.operatorErrors { $0.accountServerURL = "http://h:port" }
                == ["error parsing account server url: parse \"http://h:port\": invalid port \":port\" after host"]
        )
        let services = [
            ("nats://h:4222", nil), ("TLS://h", nil), ("ws://[::1]:80", nil), ("wss://h", nil), ("", nil),
            ("nats://u:p@h", "credentials are not supported"), ("nats://h/", "paths are not supported"),
            ("http://h", "protocol not supported (only 'nats', 'tls', 'ws', 'wss' only)"),
        ]
        for (url, words) in services {
            let expected = words.map { ["operator service url \"\(url)\" - \($0)"] } ?? []
            #expect(try self.operatorErrors { $0.operatorServiceURLs = [url] } == expected, "\(url)")
        }
        #expect(try self.operatorErrors { $0.signingKeys = ["x"] } == ["x is not an operator public key"])
        #expect(try self.operatorErrors { $0.systemAccount = "y" } == ["y is not an account public key"])
        let versions = [
            ("2.1.0", nil), ("2.1", "asserted server version must be of the form <major>.<minor>.<update>"),
            ("2.x.0", "asserted server version cant parse x to int"),
            ("2.-1.0", "asserted server version can'b contain negative values: 2.-1.0"),
        ]
        for (version, words) in versions {
            let expected = words.map { ["assert server version error: \($0)"] } ?? []
            #expect(try self.operatorErrors { $0.assertServerVersion = version } == expected)
        }
    }

    @Test("who signs for an operator and an account")
    func signers() throws {
        let (main, second) = (try TestKeys.pair(.operator), try TestKeys.pair(.operator, 2))
        var claims = OperatorClaims(subject: main.publicKey.text)
        var account = AccountClaims(subject: try TestKeys.text(.account))
        account.registered.issuer = main.publicKey.text
        #expect(claims.didSign(account))
        claims.strictSigningKeyUsage = true
        #expect(!claims.didSign(account))
        account.registered.issuer = second.publicKey.text
        #expect(!claims.didSign(account))
        claims.signingKeys = [second.publicKey.text]
        #expect(claims.didSign(account))
        claims.registered.issuer = main.publicKey.text
        #expect(claims.didSign(claims))

        var user = UserClaims(subject: try TestKeys.text(.user))
        user.registered.issuer = account.subject
        #expect(account.didSign(user))
        user.registered.issuer = try TestKeys.text(.account, 2)
        #expect(!account.didSign(user))
        account.signingKeys.add(user.issuer)
        #expect(!account.didSign(user))
        user.issuerAccount = account.subject
        #expect(account.didSign(user))
    }

    @Test("revocations count up to their second")
    func revocations() throws {
        var list = RevocationList()
        var user = UserClaims(subject: "U")
        #expect(list.isRevoked(user))
        user.registered.issuedAt = 10
        #expect(!list.isRevoked(user))
        list.revoke("U", upTo: 9)
        #expect(!list.isRevoked(user))
        list.revoke("U", upTo: 10)
        #expect(list.isRevoked(user))
        list.revoke("U", upTo: 3)
        #expect(list.isRevoked(user))
        list = RevocationList()
        list.revoke("*", upTo: 11)
        #expect(list.isRevoked(user))
    }

    @Test("exports")
    func exports() throws {
        func errors(
            _ type: ExchangeType,
            _ subject: String,
            _ change: (inout ExportClaim) -> Void = { _ in }
        ) throws
            -> [String]
        {
            try self.account { claims in
                var export = ExportClaim(type, subject)
                change(&export)
                claims.exports = [export]
            }
        }
        #expect(try errors(.stream, "a.>") == [])
        #expect(try errors(.stream, "") == ["subject cannot be empty"])
        #expect(try errors(.stream, "a b") == ["subject \"a b\" cannot have spaces"])
        #expect(
            try errors(.stream, ".a..") == [
                "subject \".a..\" cannot start or end with a `.`", "subject \".a..\" cannot contain consecutive `.`",
            ]
        )
        #expect(try errors(.service, "a") { $0.type = nil } == ["invalid export type: \"unknown\""])
        #expect(
            try errors(.service, "a") { $0.responseType = "x" } == ["invalid response type for service: \"x\""]
        )
        #expect(
            try errors(.stream, "a") { $0.responseType = "Stream" } == ["invalid response type for stream: \"Stream\""]
        )
        #expect(try errors(.stream, "a") { $0.allowTrace = true } == ["AllowTrace only valid for service export"])
        #expect(
            try errors(.stream, "a") { $0.latency = ExportClaim.Latency(sampling: 101, results: "*") } == [
                "latency tracking only permitted for services", "sampling percentage needs to be between 1-100",
                "results subject can not contain wildcards",
            ]
        )
        #expect(
            try errors(.service, "a") { $0.responseThreshold = -1 } == ["negative response threshold is invalid"]
        )
        #expect(
            try errors(.stream, "a") { $0.responseThreshold = 1 } == ["response threshold only valid for services"]
        )
        #expect(try errors(.service, "a.*") { $0.accountTokenPosition = 2 } == [])
        #expect(
            try errors(.service, "a") { $0.accountTokenPosition = 2 }
                == ["Account Token Position can only be used with wildcard subjects: a"]
        )
        #expect(
            try errors(.service, "a.*") { $0.accountTokenPosition = .max }
                == ["Account Token Position \(UInt64.max) exceeds length of subject 'a.*'"]
        )
        #expect(
            try errors(.service, "a.*") { $0.accountTokenPosition = 1 }
                == ["Account Token Position 1 matches 'a' but must match a * in: a.*"]
        )
        #expect(
            try errors(.stream, "a") { $0.info.url = "x" } == ["error parsing info url: no hostname or scheme"]
        )
        #expect(
            try errors(.stream, "a") { $0.info.description = String(repeating: "d", count: 8193) }
                == ["Description is too long"]
        )
        #expect(
            try self.account {
                $0.exports = [
                    ExportClaim(.service, "a.*"), ExportClaim(.service, "a.b"), ExportClaim(.stream, "a.b"),
                ]
            } == ["service export subject \"a.*\" already exports \"a.b\""]
        )
    }

    @Test("imports")
    func imports() throws {
        let other = try TestKeys.text(.account, 2)
        func errors(
            _ type: ExchangeType,
            _ subject: String,
            _ change: (inout ImportClaim) throws -> Void
        ) throws
            -> [String]
        {
            try self.account { claims in
                var imported = ImportClaim(type, subject, from: other)
                try change(&imported)
                claims.imports = [imported]
            }
        }
        #expect(try errors(.stream, "a.*.b.>") { $0.localSubject = "x.$1.y.>" } == [])
        #expect(try errors(.stream, "a") { $0.to = "b" } == [])
        #expect(try errors(.stream, "a") { $0.account = "" } == ["account to import from is not specified"])
        #expect(try errors(.service, "a") { $0.allowTrace = true } == ["AllowTrace only valid for stream import"])
        #expect(
            try errors(.stream, "a.*") { $0.localSubject = "x" }
                == ["subject does not contain enough * or reference wildcards $[0-9]"]
        )
        #expect(
            try errors(.stream, "a.*") { $0.localSubject = "x.$2" } == [
                "Reference $2 in \"x.$2\" reference * in \"a.*\" that do not exist",
                "subject does not contain enough * or reference wildcards $[0-9]",
            ]
        )
        #expect(
            try errors(.stream, "a.>") { $0.localSubject = "x" }
                == ["both, renaming subject and subject, need to end or not end in >"]
        )
        #expect(
            try errors(.stream, "a") {
                $0.localSubject = "x"
                $0.to = "y"
            } == ["Local Subject replaces To"]
        )
        #expect(
            try errors(.stream, "a") { $0.share = true }
                == ["sharing information (for latency tracking) is only valid for services: \"a\""]
        )
        #expect(try errors(.stream, "a") { $0.token = "x" } == ["import \"a\" contains an invalid activation token"])
        let me = try TestKeys.text(.account)
        let exporter = try TestKeys.pair(.account, 2)
        func token(_ account: String, _ subject: String, _ type: ExchangeType, _ signer: NKeyPair) throws -> String {
            try ActivationClaims(account: account, importing: subject, type: type).encoded(signedBy: signer, at: 1)
        }
        #expect(try errors(.stream, "a.b") { $0.token = try token(me, "a.*", .stream, exporter) } == [])
        #expect(
            try errors(.stream, "a.b") { $0.token = try token(other, "c", .service, TestKeys.pair(.account, 3)) } == [
                "activation token doesn't match account for import \"a.b\"",
                "activation token doesn't match account it is being included in, \"a.b\"",
                "mismatch between token import type service and type of import stream",
                "activation token import subject \"c\" doesn't match import \"a.b\"",
            ]
        )
        let overlapping = try self.account {
            $0.imports = ["a.*", "a.b", "a.b", "c"].map { ImportClaim(.service, $0, from: other) }
        }
        #expect(
            overlapping == [
                "overlapping subject namespace for \"a.b\" and \"a.*\" in same account \"\(other)\"",
                "overlapping subject namespace for \"a.b\" and \"a.*\" in same account \"\(other)\"",
                "overlapping subject namespace for \"a.b\" and \"a.b\" in same account \"\(other)\"",
                "overlapping subject namespace for \"a.b\" in account \"\(other)\"",
            ]
        )
    }

    @Test("limits, mappings, signing keys and the rest of accounts")
    func accounts() throws {
        let other = try TestKeys.text(.account, 2)
        #expect(
            try self.account {
                $0.limits.imports = 0
                $0.imports = [ImportClaim(.stream, "a", from: other)]
            } == [String](repeating: "the account contains more imports than allowed by the operator", count: 2)
        )
        #expect(
            try self.account {
                $0.limits.exports = 1
                $0.limits.wildcardExports = false
                $0.exports = [ExportClaim(.stream, "a.*"), ExportClaim(.stream, "b")]
            } == [
                "the account contains more exports than allowed by the operator",
                "the account contains wildcard exports that are not allowed by the operator",
            ]
        )
        #expect(
            try self.account {
                $0.limits.jetStream.diskStorage = 1
                $0.limits.jetStreamTiers = ["": AccountLimits.JetStream()]
            } == [
                "JetStream Limits and tiered JetStream Limits are mutually exclusive",
                "Tiered JetStream Limits can not contain a blank \"\" tier name",
            ]
        )
        #expect(
            try self.account {
                $0.mappings = ["a": [WeightedMapping("b", weight: 60), WeightedMapping("c", weight: 50)]]
            }
                == ["Mapping \"a\" exceeds 100% among all of it's weighted to mappings"]
        )
        #expect(
            try self.account { $0.mappings = ["a": [WeightedMapping("b", weight: 101, cluster: "x")]] } == [
                "Mapping \"a\" has a weight 101 that exceeds 100",
                "Mapping \"a\" in cluster \"x\" exceeds 100% among all of it's weighted to mappings",
            ]
        )
        #expect(
            try self.account {
                $0.signingKeys.add("x")
                $0.signingKeys.add(UserScope(key: "y"))
            } == ["\"x\" is not a valid account signing key", "y is not an account public key"]
        )
        #expect(
            try self.account {
                $0.authorization.users = ["u"]
                $0.authorization.allowedAccounts = ["*", "a"]
                $0.authorization.xkey = "k"
            } == [
                "AuthUser \"u\" is not a valid user public key",
                "AllowedAccounts can only be a list of accounts or \"*\"",
                "Account \"a\" is not a valid account public key", "XKey \"k\" is not a valid public xkey",
            ]
        )
        #expect(
            try self.account { $0.trace = AccountClaims.Trace(destination: "a. *.", sampling: 101) } == [
                "the account Trace.Destination subject \"a. *.\" cannot have spaces",
                "the account Trace.Sampling value '101' is not valid, should be in the range [1..100]",
            ]
        )
        #expect(
            try self.account { $0.trace = AccountClaims.Trace(destination: "a.*") }
                == ["the account Trace.Destination subject \"a.*\" is not a valid publish subject"]
        )
        #expect(
            try self.account { $0.clusterTraffic = "x" } == ["unknown cluster traffic option: \"x\""]
        )
        var selfSigned = AccountClaims(subject: try TestKeys.text(.account))
        selfSigned.registered.issuer = selfSigned.subject
        #expect(
            selfSigned.validate(ValidationContext(now: 1)).issues.map(\.description)
                == ["self-signed account JWTs shouldn't contain operator limits"]
        )
        #expect(!selfSigned.validate(ValidationContext(now: 1)).isBlocking(includingTimes: true))
    }

    @Test("users")
    func users() throws {
        #expect(
            try self.user {
                $0.limits.permissions.subscribe.allow = ["a q", "a b c", ".a"]
                $0.limits.permissions.publish.deny = ["a q"]
                $0.limits.sources = ["10.0.0.0/8", "10.0.0.0", "x"]
            } == [
                "Permission Subject \"a b c\" contains too many spaces",
                "subject \".a\" cannot start or end with a `.`",
                "Permission Subject \"a q\" is not allowed to contain queue",
                "invalid cidr \"10.0.0.0\" in user src limits",
                "invalid cidr \"x\" in user src limits",
            ]
        )
        #expect(
            try self.user {
                $0.limits.times = [TimeRange(start: "", end: ""), TimeRange(start: "1", end: "24:00:00")]
                $0.issuerAccount = "x"
            } == [
                "time ranges start must contain a start", "time ranges end must contain an end",
                "start in time range is invalid \"1\"", "end in time range is invalid \"24:00:00\"",
                "account_id is not an account public key",
            ]
        )
        for (locale, words) in [("../etc", "time: invalid location name"), ("No/Where", "unknown time zone No/Where")] {
            #expect(
                try self.user { $0.limits.locale = locale } == ["could not parse iana time zone by name: \(words)"]
            )
        }
    }

    @Test("a list of what is wrong does not grow without bound")
    func bounds() throws {
        let errors = try self.account { claims in
            claims.exports = [ExportClaim](repeating: ExportClaim(.stream, ""), count: 5000)
        }
        #expect(errors.count == 1000)
        // Warnings do not hide an error behind them.
        let hidden = try self.account { claims in
            var old = ImportClaim(.stream, "a", from: claims.subject)
            old.to = "b"
            claims.imports = [ImportClaim](repeating: old, count: 2000)
            claims.clusterTraffic = "x"
        }
        #expect(hidden == ["unknown cluster traffic option: \"x\""])
    }

    @Test("operators are checked against each other and the server")
    func trustedOperators() throws {
        let version = try ServerVersionRequirement("2.15.1")
        func trusted(
            _ operators: [OperatorClaims],
            _ system: String? = nil,
            _ needs: Bool = false
        ) throws
            -> TrustedOperators
        {
            try TrustedOperators(operators, systemAccount: system, needsSystemAccount: needs, version: version)
        }
        func words(_ body: () throws -> TrustedOperators) -> String? {
            do {
                _ = try body()
                return nil
            } catch {
                return "\(error)"
            }
        }
        var first = OperatorClaims(subject: try TestKeys.text(.operator))
        #expect(try trusted([first]).keys == [first.subject])
        #expect(try trusted([first]).systemAccount == nil)
        first.systemAccount = "S"
        #expect(try trusted([first]).systemAccount == "S")
        #expect(try trusted([first, first]).systemAccount == nil)
        #expect(
            words { try trusted([first], "T") } == "system_account in config and operator JWT must be identical"
        )
        first.systemAccount = ""
        #expect(
            words { try trusted([first], nil, true) }
                == "using nats based account resolver - the system account needs to be specified in configuration or the "
                + "operator jwt"
        )
        for (wanted, part) in [
            ("3.0.0", "major version 3 > server major version 2"),
            ("2.16.0", "minor version 16 > server minor version 15"),
            ("2.15.2", "update version 2 > server update version 1"),
        ] {
            first.assertServerVersion = wanted
            #expect(words { try trusted([first]) } == "operator \(first.subject) expected \(part)")
        }
        for wanted in ["2.15.1", "2.15.0", "2.14.9", "1.99.99", ""] {
            first.assertServerVersion = wanted
            #expect(words { try trusted([first]) } == nil)
        }
        first.strictSigningKeyUsage = true
        first.signingKeys = [try TestKeys.text(.operator, 2)]
        let strict = try trusted([first])
        #expect(!strict.trusts(issuer: first.subject) && strict.trusts(issuer: first.signingKeys[0]))
        #expect(strict.isStrict(issuer: first.signingKeys[0]))
        first.signingKeys = ["x"]
        #expect(
            words { try trusted([first]) } == "trusted Keys \"x\" are required to be a valid public operator nkey"
        )
    }
}
