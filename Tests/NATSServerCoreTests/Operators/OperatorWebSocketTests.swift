import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

@Suite("JWTs over WebSocket", .serialized)
struct OperatorWebSocketTests {
    @Test(
        "a JWT comes with CONNECT or in a cookie, for the kinds of connections that it allows",
        .timeLimit(.minutes(2)),
        arguments: ServerUnderTest.available
    )
    func cookies(_ server: ServerUnderTest) async throws {
        var authority = try TestOperator()
        let account = try authority.addAccount("web")
        func user(_ types: [String] = [], isBearer: Bool = false) throws -> Tenant {
            try Tenant(of: account, authority) { claims in
                claims.limits.allowedConnectionTypes = types
                claims.limits.bearerToken = isBearer
            }
        }
        let bearer = try user(isBearer: true)
        let signing = try user(["WEBSOCKET"])
        let standard = try user(["STANDARD"])
        let text =
            try authority.configurationText()
            + "websocket { host: \"127.0.0.1\", port: -1, no_tls: true, jwt_cookie: \"j\" }\n"
        try await ConfiguredServer.with(server, text) { running in
            for (cookie, given, isAllowed) in [
                (bearer, nil, true), (signing, nil, true), (standard, nil, false), (nil, signing, true),
                (standard, signing, true), (nil, standard, false), (nil, nil, false),
            ] as [(Tenant?, Tenant?, Bool)] {
                let web = try RawConnection.connect(port: running.webSocketPort)
                _ = try await web.upgrade(
                    cookie.map { WebSocketBytes.request("/", "Cookie: j=\($0.jwt)") } ?? WebSocketBytes.request()
                )
                let info = try await web.readFrame().text
                let nonce = info.split(separator: "\"nonce\":\"").dropFirst().first?.prefix { $0 != "\"" } ?? ""
                var members = "\"verbose\":false"
                if let given { members += ",\"jwt\":\"\(given.jwt)\"" }
                if let keys = (given ?? cookie)?.keys {
                    members += ",\"sig\":\"\(Base64.encodeURLSafe(try keys.sign(Array(nonce.utf8))))\""
                }
                await web.send(WebSocketBytes.frame(2, "CONNECT {\(members)}\r\nPING\r\n"))
                let answer = try await web.readFrame().text
                #expect(answer == (isAllowed ? "PONG\r\n" : "-ERR 'Authorization Violation'\r\n"))
                web.close()
            }
            #expect(try await signing.attempt(running).answer == "-ERR 'Authorization Violation'")
            #expect(try await standard.attempt(running).answer == "PONG")
        }
    }

    @Test("a reload takes over files that somebody has changed", .timeLimit(.minutes(2)))
    func files() async throws {
        let authority = try TestOperator()
        let directory = try TemporaryDirectory()
        let account = try NKeyPair(kind: .account)
        let users = try (0..<2).map { _ in try Tenant(of: account, authority) }
        let text = """
            operator: \(try authority.claims.encoded(signedBy: authority.keys, at: authority.now))
            authorization { timeout: 60 }
            resolver: { type: full, dir: "\(directory.path)" }
            resolver_preload: { \(authority.accounts.map { "\($0.key): \($0.value)" }.joined()) }

            """
        var claims = AccountClaims(subject: account.publicKey.text, name: "one")
        // The official server opens its directory anew, and forgets to look at the accounts that it has.
        try await ConfiguredServer.with(.ours, text) { running in
            let file = "\(account.publicKey.text).jwt"
            _ = try directory.write(claims.encoded(signedBy: authority.keys, at: authority.now), to: file)
            let kept = try await users[0].connect(to: running)
            let cut = try await users[1].connect(to: running)
            claims.revocations.revoke(users[1].keys.publicKey.text, upTo: authority.now)
            _ = try directory.write(claims.encoded(signedBy: authority.keys, at: authority.now), to: file)
            try await running.reload(text)
            try await cut.expect("-ERR 'User Authentication Revoked'\r\n", thenEndWithin: .seconds(30))
            try await kept.expectNothing()
        }
    }
}
