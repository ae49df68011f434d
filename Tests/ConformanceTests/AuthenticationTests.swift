import NATSAuth
import NATSTestServer
import NATSTestSupport
import NATSWire
import Testing

/// Who gets in, on the official server and ours.
@Suite("authentication of clients", .serialized)
struct AuthenticationTests {
    /// Long enough for a bcrypt hash on a busy machine.
    private static let patient = Duration.seconds(60)

    private func connect(_ members: String) -> String { "CONNECT {\"verbose\":false,\(members)}\r\nPING\r\n" }

    private func expect(
        _ accepted: Bool,
        _ members: String,
        _ server: RunningServer,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws {
        let peer = try await server.connect(fileID: fileID, line: line)
        await peer.send(self.connect(members))
        try await peer.expect(accepted ? "PONG\r\n" : authorizationViolation, fileID: fileID, line: line)
        if !accepted { try await peer.expectEnd(fileID: fileID, line: line) }
        peer.close()
    }

    // MARK: Users

    @Test("a list of users", arguments: ServerUnderTest.available)
    func users(server: ServerUnderTest) async throws {
        let configuration = ServerConfiguration(
            users: [
                .init(name: "alice", password: "foo"), .init(name: "bob", password: "bar"),
                .init(name: "e", password: ""),
            ],
            authTimeout: Self.patient
        )
        try await server.withServer(configuration) { server in
            try await self.expect(true, #""user":"alice","pass":"foo""#, server)
            try await self.expect(true, #""user":"bob","pass":"bar","auth_token":"x","nkey":"x""#, server)
            try await self.expect(true, #""user":"e""#, server)
            try await self.expect(false, #""user":"alice","pass":"bar""#, server)
            try await self.expect(false, #""user":"alice""#, server)
            try await self.expect(false, #""user":"carol","pass":"foo""#, server)
            try await self.expect(false, #""pass":"foo""#, server)
            try await self.expect(false, #""auth_token":"foo""#, server)
            try await self.expect(false, #""name":"x""#, server)
        }
    }

    @Test("old documents section 3: passwords and tokens as bcrypt hashes", arguments: ServerUnderTest.available)
    func bcrypt(server: ServerUnderTest) async throws {
        let documented = [
            ("T0pS3cr3t", "$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG"),
            ("T0pS3cr3tT00!", "$2a$11$xH8dkGrty1cBNtZjhPeWJewu/YPbSU.rXJWmS6SFilOBXzmZoMk9m"),
            ("password", "$2a$11$1oJy/wZYNTxr9jNwMNwS3eUGhBpHT3On8CL9o7ey89mpgo88VG6ba"),
            ("#IclkRPHUpsTmACWzmIGXr", "$2a$11$3kIDaCxw.Glsl1.u5nKa6eUnNDLV5HV9tIuUp7EHhMt6Nm9myW1aS"),
            ("secret", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"),
            ("secret", "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"),
        ]
        let users = documented.enumerated().map { NATSTestServer.User(name: "u\($0)", password: $1.1) }
        try await server.withServer(.init(users: users, authTimeout: Self.patient)) { server in
            for (index, pair) in documented.enumerated() {
                try await self.expect(true, "\"user\":\"u\(index)\",\"pass\":\"\(pair.0)\"", server)
            }
            try await self.expect(false, "\"user\":\"u0\",\"pass\":\"t0pS3cr3t\"", server)
            try await self.expect(false, "\"user\":\"u0\",\"pass\":\"\(documented[0].1)\"", server)
            try await self.expect(false, "\"user\":\"u0\"", server)
            // The second time it is known.
            try await self.expect(true, "\"user\":\"u0\",\"pass\":\"T0pS3cr3t\"", server)
        }
        try await server.withServer(.init(token: documented[0].1, authTimeout: Self.patient)) { server in
            try await self.expect(true, "\"auth_token\":\"T0pS3cr3t\"", server)
            try await self.expect(false, "\"auth_token\":\"\(documented[0].1)\"", server)
        }
        try await server.withServer(.init(user: "derek", password: documented[2].1, authTimeout: Self.patient)) {
            server in
            try await self.expect(true, "\"user\":\"derek\",\"pass\":\"password\"", server)
            try await self.expect(false, "\"user\":\"erik\",\"pass\":\"password\"", server)
        }
    }

    @Test("what follows a CONNECT waits for its password", arguments: ServerUnderTest.available)
    func orderBehindHash(server: ServerUnderTest) async throws {
        let hash = "$2a$11$xH8dkGrty1cBNtZjhPeWJewu/YPbSU.rXJWmS6SFilOBXzmZoMk9m"
        let users = [
            NATSTestServer.User(name: "slow", password: "$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG"),
            NATSTestServer.User(name: "other", password: hash), NATSTestServer.User(name: "fast", password: "f"),
        ]
        try await server.withServer(.init(users: users, authTimeout: Self.patient)) { server in
            let slow = try await server.connect()
            let fast = try await server.connect()
            await slow.send(
                "CONNECT {\"verbose\":true,\"pedantic\":false,\"user\":\"slow\",\"pass\":\"T0pS3cr3t\"}\r\nSUB a 1\r\n"
            )
            for piece in ["PUB a", " 1\r\n", "x\r\nPI", "NG\r\n"] { await slow.send(piece) }
            await fast.send("CONNECT {\"verbose\":false,\"user\":\"fast\",\"pass\":\"f\"}\r\nPING\r\n")
            try await fast.expect("PONG\r\n")
            try await slow.expect("+OK\r\n+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\nPONG\r\n")
            // One that leaves in the middle of its check, and one whose answer is no.
            let leaving = try await server.connect()
            await leaving.send("CONNECT {\"user\":\"other\",\"pass\":\"x\"}\r\nSUB a 1\r\n")
            leaving.close()
            let wrong = try await server.connect()
            await wrong.send("CONNECT {\"user\":\"other\",\"pass\":\"y\"}\r\nSUB a 1\r\nPUB a 1\r\nx\r\n")
            try await wrong.expect(authorizationViolation)
            try await wrong.expectEnd()
            try await slow.expectNothing()
        }
    }

    @Test("a second CONNECT is looked at like the first", arguments: ServerUnderTest.available)
    func secondConnect(server: ServerUnderTest) async throws {
        let users = [
            NATSTestServer.User(name: "a", password: "a", permissions: .init(publish: .init(allow: ["a"]))),
            NATSTestServer.User(name: "b", password: "b", permissions: .init(publish: .init(allow: ["b"]))),
        ]
        try await server.withServer(.init(users: users, authTimeout: Self.patient)) { server in
            let peer = try await server.connect()
            await peer.send(
                "CONNECT {\"verbose\":false,\"pedantic\":false,\"user\":\"a\",\"pass\":\"a\"}\r\nSUB > 1\r\n"
            )
            await peer.send("PUB a 1\r\nx\r\nPUB b 1\r\nx\r\n")
            try await peer.expect("MSG a 1 1\r\nx\r\n-ERR 'Permissions Violation for Publish to \"b\"'\r\n")
            await peer.send("CONNECT {\"user\":\"b\",\"pass\":\"b\"}\r\nPUB a 1\r\nx\r\nSUB b 2\r\nPUB b 1\r\nx\r\n")
            try await peer.expect("-ERR 'Permissions Violation for Publish to \"a\"'\r\nMSG b 2 1\r\nx\r\n")
            await peer.send("CONNECT {\"user\":\"b\",\"pass\":\"a\"}\r\n")
            try await peer.expect(authorizationViolation)
            try await peer.expectEnd()
        }
    }

    // MARK: No credentials

    @Test("no_auth_user", arguments: ServerUnderTest.available)
    func noAuthUser(server: ServerUnderTest) async throws {
        let users = [
            NATSTestServer.User(
                name: "guest",
                password: "g",
                permissions: .init(subscribe: .init(allow: ["public.>"]))
            ),
            NATSTestServer.User(name: "admin", password: "a"),
        ]
        let configuration = ServerConfiguration(users: users, noAuthUser: "guest", authTimeout: .seconds(3))
        try await server.withServer(configuration) { server in
            let peer = try server.rawConnection()
            let info = try JSONText(try await peer.readInfo())
            #expect(!info.keys.contains("auth_required"))
            await peer.send("CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n")
            try await peer.expect("PONG\r\n")
            #expect(try JSONText(try await peer.readInfo()).bool("auth_required"))
            await peer.send("SUB private 1\r\nSUB public.x 2\r\n")
            try await peer.expect("-ERR 'Permissions Violation for Subscription to \"private\"'\r\n")
            try await peer.expectNothing()
            try await self.expect(true, #""user":"admin","pass":"a""#, server)
            try await self.expect(false, #""user":"admin","pass":"x""#, server)
            try await self.expect(false, #""auth_token":"x""#, server)
            // Without CONNECT, as from telnet.
            let telnet = try await server.connect()
            await telnet.send("SUB public.y 1\r\nSUB private 2\r\nPUB public.y 1\r\nx\r\n")
            try await telnet.expect(
                "+OK\r\n-ERR 'Permissions Violation for Subscription to \"private\"'\r\n+OK\r\nMSG public.y 1 1\r\nx\r\n"
            )
            // A silent client has to become somebody all the same.
            let silent = try await server.connect()
            try await silent.expect("-ERR 'Authentication Timeout'\r\n")
            try await silent.expectEnd()
        }
    }

    @Test("a no_auth_user whose password is a hash is nobody", arguments: ServerUnderTest.available)
    func noAuthUserWithHash(server: ServerUnderTest) async throws {
        let hash = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
        let configuration = ServerConfiguration(
            users: [.init(name: "guest", password: hash)],
            noAuthUser: "guest",
            authTimeout: Self.patient
        )
        try await server.withServer(configuration) { server in
            try await self.expect(false, #""name":"x""#, server)
            try await self.expect(true, #""user":"guest","pass":"secret""#, server)
            let telnet = try await server.connect()
            await telnet.send("PING\r\n")
            try await telnet.expect(authorizationViolation)
            try await telnet.expectEnd()
        }
    }

    // MARK: NKeys

    @Test("users with nkeys sign the nonce of INFO", arguments: ServerUnderTest.available)
    func nkeys(server: ServerUnderTest) async throws {
        let pair = try NKeyPair(kind: .user)
        let other = try NKeyPair(kind: .user)
        let users = [
            NATSTestServer.User(nkey: pair.publicKey.text, permissions: .init(publish: .init(allow: ["ok"]))),
            NATSTestServer.User(name: "derek", password: "d"),
        ]
        try await server.withServer(.init(users: users, authTimeout: Self.patient)) { server in
            func attempt(_ key: String, _ sign: ([UInt8]) throws -> String) async throws -> RawConnection {
                let peer = try server.rawConnection()
                let info = try JSONText(try await peer.readInfo())
                let nonce = try #require(info.string("nonce"))
                #expect(nonce.utf8.count == 15 && info.bool("auth_required"))
                let signature = try sign(Array(nonce.utf8))
                await peer.send(self.connect("\"nkey\":\"\(key)\",\"sig\":\"\(signature)\""))
                return peer
            }
            let text = pair.publicKey.text
            for encode in [Base64.encodeURLSafe, Base64.encode] as [([UInt8]) -> String] {
                let peer = try await attempt(text) { encode(try pair.sign($0)) }
                try await peer.expect("PONG\r\n")
                await peer.send("PUB no 1\r\nx\r\nPUB ok 1\r\nx\r\n")
                try await peer.expect("-ERR 'Permissions Violation for Publish to \"no\"'\r\n")
                try await peer.expectNothing()
            }
            let signers: [(String, ([UInt8]) throws -> String)] = [
                (text, { Base64.encodeURLSafe(try other.sign($0)) }),
                (other.publicKey.text, { Base64.encodeURLSafe(try other.sign($0)) }),
                (text, { Base64.encodeURLSafe(try pair.sign($0 + [0])) }), (text, { _ in "" }), (text, { _ in "%%" }),
                (text, { _ in "AAAA" }), ("", { Base64.encodeURLSafe(try pair.sign($0)) }),
            ]
            for (key, sign) in signers {
                let peer = try await attempt(key, sign)
                try await peer.expect(authorizationViolation)
                try await peer.expectEnd()
            }
            try await self.expect(true, #""user":"derek","pass":"d""#, server)
        }
    }

    @Test("an nkey may be what clients without credentials are", arguments: ServerUnderTest.available)
    func anonymousNKey(server: ServerUnderTest) async throws {
        let key = try NKeyPair(kind: .user).publicKey.text
        let configuration = ServerConfiguration(
            users: [.init(nkey: key, permissions: .init(publish: .init(deny: ["no"])))],
            noAuthUser: key,
            authTimeout: Self.patient
        )
        try await server.withServer(configuration) { server in
            let peer = try await server.connect(options: "{\"verbose\":false}")
            await peer.send("PUB no 1\r\nx\r\n")
            try await peer.expect("-ERR 'Permissions Violation for Publish to \"no\"'\r\n")
            // Only a user with a name lets clients in without CONNECT.
            let telnet = try await server.connect()
            await telnet.send("PING\r\n")
            try await telnet.expect(authorizationViolation)
            try await telnet.expectEnd()
        }
    }
}
