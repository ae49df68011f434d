import NATSAuth
import NATSTestSupport
import Testing

@testable import NATSServerCore

/// JWTs in cookies, which pages have that cannot sign.
@Suite("JWTs of WebSocket clients", .timeLimit(.minutes(1))) struct WebSocketJWTTests {
    @Test("a JWT comes by cookie or by CONNECT, which counts more", arguments: ServerUnderTest.available)
    func cookie(server: ServerUnderTest) async throws {
        var authority = try TestOperator()
        let account = try authority.addAccount("pages")
        let stranger = try NKeyPair(kind: .account)
        func jwt(of signer: NKeyPair, _ change: (inout UserClaims) -> Void = { _ in }) throws -> String {
            try Tenant(of: signer, authority) { claims in
                claims.limits.bearerToken = true
                change(&claims)
            }.jwt
        }
        let bearer = try jwt(of: account)
        let now = authority.now
        let cases: [(name: String, cookie: String, members: String, isRight: Bool)] = [
            ("a bearer's in a cookie", "jwt=\(bearer)", "", true),
            ("a bearer's in CONNECT", "", ",\"jwt\":\"\(bearer)\"", true),
            ("one that has to be signed", "jwt=\(try jwt(of: account) { $0.limits.bearerToken = false })", "", false),
            ("of an unknown account", "jwt=\(try jwt(of: stranger))", "", false),
            ("expired", "jwt=\(try jwt(of: account) { $0.registered.expires = now - 10 })", "", false),
            ("no JWT", "jwt=x", "", false), ("nothing", "", "", false),
            ("in another cookie", "other=\(bearer)", "", false),
            ("wrong in CONNECT", "jwt=\(bearer)", ",\"jwt\":\"x\"", false),
            ("wrong in the cookie", "jwt=x", ",\"jwt\":\"\(bearer)\"", true),
            (
                "for other clients",
                "jwt=\(try jwt(of: account) { $0.limits.allowedConnectionTypes = ["STANDARD"] })", "", false
            ),
            (
                "for these clients",
                "jwt=\(try jwt(of: account) { $0.limits.allowedConnectionTypes = ["WEBSOCKET"] })", "", true
            ),
        ]
        let text =
            try authority.configurationText()
            + "websocket { host: \"127.0.0.1\", port: -1, no_tls: true, jwt_cookie: jwt }\n"
        try await ConfiguredServer.with(server, text) { server in
            for test in cases {
                let web = try RawConnection.connect(port: server.webSocketPort)
                _ = try await web.upgrade(WebSocketBytes.request("/", "Cookie: \(test.cookie)"))
                let info = try await web.readFrame().text
                #expect(info.contains("\"auth_required\":true") && info.contains("\"nonce\":\""))
                await web.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false\(test.members)}\r\nPING\r\n"))
                do {
                    if test.isRight {
                        #expect(try await web.readFrame().text == "PONG\r\n", "\(test.name)")
                    } else {
                        #expect(
                            try await web.readFrame().text == "-ERR 'Authorization Violation'\r\n",
                            "\(test.name)"
                        )
                        #expect(try await web.readClose() == "1008 Authentication Failure", "\(test.name)")
                    }
                } catch {
                    Issue.record("\(test.name): \(error)")
                }
                web.close()
            }
        }
    }
}
