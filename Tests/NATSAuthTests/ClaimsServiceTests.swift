import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

@Suite("Requests about accounts' JWTs")
struct ClaimsServiceTests {
    private let directory: TemporaryDirectory
    private let authority: TestOperator

    init() throws {
        self.directory = try TemporaryDirectory()
        self.authority = try TestOperator()
    }

    private func service(
        _ kind: ClaimsService.Kind = .full,
        deletion: Bool = true,
        strict: Bool = false
    ) throws -> ClaimsService {
        var claims = self.authority.claims
        claims.strictSigningKeyUsage = strict
        return ClaimsService(
            directory: try JWTDirectory(
                path: self.directory.path + "/ours",
                deletion: deletion ? .renames : .refused,
                limit: 0,
                evicts: kind == .cache,
                timeToLive: 0,
                at: 0
            ),
            kind: kind,
            allowsDeletion: deletion,
            operatorClaims: claims,
            systemAccount: self.authority.systemKeys.publicKey.text
        )
    }

    /// What to ask, in order: subject and payload.
    private func requests() throws -> [(subject: String, payload: String)] {
        let keys = try (1...3).map { try TestKeys.text(.account, $0) }
        let now = self.authority.now
        func account(
            _ key: String,
            signer: NKeyPair? = nil,
            _ change: (inout AccountClaims) -> Void = { _ in }
        ) throws
            -> String
        {
            var claims = AccountClaims(subject: key, name: "a")
            change(&claims)
            return try claims.encoded(signedBy: signer ?? self.authority.keys, at: now)
        }
        func deletion(_ accounts: String, signer: NKeyPair, subject: String? = nil) throws -> String {
            let subject = subject ?? signer.publicKey.text
            return try JWTDecodingTests.token(
                """
                {"jti":"x","iat":\(now),"iss":"\(signer.publicKey)","sub":"\(subject)",\
                "nats":{"accounts":\(accounts),"type":"generic","version":2}}
                """,
                signer: signer
            )
        }
        let update = "$SYS.REQ.CLAIMS.UPDATE"
        let delete = "$SYS.REQ.CLAIMS.DELETE"
        let list = ("$SYS.REQ.CLAIMS.LIST", "")
        let invalid = try account(keys[1]) { $0.exports = [ExportClaim(.stream, "a..b"), ExportClaim(.stream, "")] }
        let stranger = try NKeyPair(kind: .operator)
        let user = try UserClaims(subject: TestKeys.text(.user)).encoded(signedBy: TestKeys.pair(.account), at: now)
        let system = self.authority.systemKeys.publicKey.text
        return [
            (update, try account(keys[0])), (update, try account(keys[1])), list, (update, "x"), (update, user),
            (update, invalid), ("$SYS.REQ.ACCOUNT.\(keys[2]).CLAIMS.UPDATE", try account(keys[2])),
            ("$SYS.REQ.ACCOUNT.\(keys[1]).CLAIMS.UPDATE", try account(keys[2])),
            ("$SYS.REQ.ACCOUNT.\(keys[1]).CLAIMS.UPDATE", "x"), ("$SYS.REQ.ACCOUNT.\(keys[2]).CLAIMS.UPDATE", invalid),
            (update, try account(keys[0]) { $0.registered.expires = now - 5 }), list,
            (update, try account(keys[0])), list, ("$SYS.REQ.ACCOUNT.\(keys[0]).CLAIMS.LOOKUP", ""),
            (delete, "x"), (delete, try deletion("[\"\(keys[0])\"]", signer: stranger)),
            (delete, try deletion("[\"\(keys[0])\"]", signer: self.authority.keys, subject: stranger.publicKey.text)),
            (delete, try deletion("{}", signer: self.authority.keys)),
            (delete, try deletion("[1]", signer: self.authority.keys)),
            (delete, try deletion("[\"x\"]", signer: self.authority.keys)),
            (delete, try deletion("[\"\(system)\"]", signer: self.authority.keys)), list,
            (delete, try deletion("[\"\(keys[0])\",\"\(keys[0])\"]", signer: self.authority.keys)), list,
            (delete, try deletion("[]", signer: self.authority.keys)),
        ]
    }

    /// Our answer in the official form, without `server`.
    private func answer(_ request: (subject: String, payload: String), _ service: inout ClaimsService) -> JSONValue? {
        let now = self.authority.now * 1_000_000_000
        let tokens = request.subject.split(separator: ".").map(String.init)
        let answer: ClaimsService.Answer
        switch tokens.last {
        case "LIST": return service.list(at: now).map { .array($0.map { .string($0) }) }
        case "LOOKUP":
            guard case .found(let jwt) = service.lookUp(tokens[3], at: now) else { return nil }
            return .string(jwt)
        case "DELETE": answer = service.delete(request.payload)
        default:
            let key = tokens.count > 4 ? tokens[3] : nil
            answer = service.update(request.payload, of: key, at: now) { _ in true }
        }
        return try? JSONValue.parse(answer.member.json)
    }

    @Test(
        "the same answers as the official server's",
        .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server")),
        .timeLimit(.minutes(5))
    )
    func official() async throws {
        let text = """
            operator: \(try self.authority.claims.encoded(signedBy: self.authority.keys, at: self.authority.now))
            authorization { timeout: 60 }
            resolver: { type: full, dir: "\(self.directory.path)/theirs", allow_delete: true }
            resolver_preload: {
            \(self.authority.accounts.map { "\($0.key): \($0.value)" }.joined(separator: "\n"))
            }

            """
        let server = try await OfficialServer.start(configurationText: text)
        let user = try NKeyPair(kind: .user)
        let jwt = try UserClaims(subject: user.publicKey.text)
            .encoded(signedBy: self.authority.systemKeys, at: self.authority.now)
        let connection = try RawConnection.connect(port: server.port, answersPings: true)
        try await connection.connect(jwt: jwt, signedBy: user)
        await connection.send("SUB answer 1\r\nPING\r\n")
        try await connection.expect("PONG\r\nPONG\r\n")
        var service = try self.service()
        let now = self.authority.now * 1_000_000_000
        for (key, jwt) in self.authority.accounts { try service.directory.save(key, jwt, at: now) }
        for request in try self.requests() {
            await connection.send(
                "PUB \(request.subject) answer \(request.payload.utf8.count)\r\n\(request.payload)\r\n"
            )
            #expect(try await connection.readLine().hasPrefix("MSG answer 1 "))
            let line = try await connection.readLine()
            let ours = self.answer(request, &service)
            if request.subject.hasSuffix("LOOKUP") {
                #expect(ours == .string(line))
                continue
            }
            guard case .object(let members) = try JSONValue.parse(Array(line.utf8)) else {
                Issue.record("\(request.subject): \(line)")
                continue
            }
            let theirs = members.first { $0.key != "server" }
            #expect(theirs?.value == ours, "\(request.subject) \(line)")
        }
        #expect(service.directory.count == 3)
        let files = self.directory.names(in: "theirs").sorted()
        #expect(self.directory.names(in: "ours").sorted() == files)
        connection.close()
        await server.stop()
        // Either can take over the other's directory.
        let theirs = try JWTDirectory(
            path: self.directory.path + "/theirs",
            deletion: .refused,
            limit: 0,
            evicts: false,
            timeToLive: 0,
            at: now
        )
        #expect(theirs.hash == service.directory.hash)
    }

    @Test("a cache keeps only what is in use")
    func cache() throws {
        var service = try self.service(.cache)
        let key = try TestKeys.text(.account)
        let jwt = try AccountClaims(subject: key).encoded(signedBy: self.authority.keys, at: 1)
        let skipped = service.update(jwt, at: 0) { _ in false }
        #expect(skipped == ClaimsService.Answer(account: key, message: "jwt update cache skipped"))
        let kept = service.update(jwt, of: key, at: 0) { $0 == key }
        #expect(kept == ClaimsService.Answer(account: key, message: "jwt updated cache", changed: [key]))
        #expect(service.update(jwt, at: 0) { _ in true }.changed == [])
        let wrong = service.update("x", of: key, at: 0) { _ in true }
        #expect(wrong.logLine == "jwt update cache resulted in error - \(key) - expected 3 chunks")
        #expect(service.pack(for: service.directory.hash, at: 0) == [""])
        #expect(service.pack(for: [], at: 0) == ["\(key)|\(jwt)", ""])
        #expect(
            service.lookUp("x", at: 0) == .failed("DirResolver - Error looking up account \"x\": invalid public key")
        )
        #expect(try service.lookUp(TestKeys.text(.account, 9), at: 0) == .missing)
    }

    @Test("strict operators sign with their signing keys, deletion has to be allowed")
    func refusals() throws {
        var service = try self.service(deletion: false, strict: true)
        let key = try TestKeys.text(.account)
        let jwt = try AccountClaims(subject: key).encoded(signedBy: self.authority.keys, at: 1)
        #expect(
            service.update(jwt, at: 0) { _ in true }
                == ClaimsService.Answer(
                    account: key,
                    message: "jwt update resulted in error",
                    error: "operator requires issuer to be a signing key"
                )
        )
        #expect(service.delete(jwt).error == "delete must be enabled in server config")
    }
}
