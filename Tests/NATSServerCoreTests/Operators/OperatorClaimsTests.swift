import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

/// JWTs of accounts over `$SYS`, and what they do to users that are connected; the same of the official server and ours.
@Suite("claims over $SYS", .serialized)
struct OperatorClaimsTests {
    private struct Scene {
        let directory: TemporaryDirectory
        var authority: TestOperator
        let account: NKeyPair
        var claims: AccountClaims

        init() throws {
            self.directory = try TemporaryDirectory()
            self.authority = try TestOperator()
            self.account = try NKeyPair(kind: .account)
            self.claims = AccountClaims(subject: self.account.publicKey.text, name: "changing")
        }

        func text(_ resolver: String) throws -> String {
            let preload = self.authority.accounts.map { "\($0.key): \($0.value)" }
            return """
                operator: \(try self.authority.claims.encoded(signedBy: self.authority.keys, at: self.authority.now))
                authorization { timeout: 60 }
                resolver: \(resolver)
                resolver_preload: {
                \(preload.joined(separator: "\n"))
                }

                """
        }

        var full: String { "{ type: full, dir: \"\(self.directory.path)/jwt\", allow_delete: true }" }

        /// Another JWT of the account than the last.
        mutating func jwt(_ change: (inout AccountClaims) -> Void = { _ in }) throws -> String {
            change(&self.claims)
            return try self.claims.encoded(signedBy: self.authority.keys, at: self.authority.now)
        }

        /// A request to delete accounts.
        func deletion(_ accounts: [String]) throws -> String {
            let keys = self.authority.keys
            let list = accounts.map { "\"\($0)\"" }.joined(separator: ",")
            let claims = """
                {"jti":"x","iat":\(self.authority.now),"iss":"\(keys.publicKey)","sub":"\(keys.publicKey)",\
                "nats":{"accounts":[\(list)],"type":"generic","version":2}}
                """
            let header = #"{"typ":"JWT","alg":"ed25519-nkey"}"#
            let text = [header, claims].map { Base64.encodeURLSafe(Array($0.utf8)) }.joined(separator: ".")
            return text + "." + Base64.encodeURLSafe(try keys.sign(Array(text.utf8)))
        }
    }

    /// Somebody of the system account.
    private struct Operator {
        let connection: RawConnection

        init(_ scene: Scene, _ server: ConfiguredServer) async throws {
            self.connection = try await Tenant(of: scene.authority.systemKeys, scene.authority).connect(to: server)
            await self.connection.send("SUB answer 1\r\n")
            try await self.connection.expectNothing()
        }

        /// The answer, without `server`.
        func ask(_ subject: String, _ payload: String = "") async throws -> String {
            await self.connection.send("PUB \(subject) answer \(payload.utf8.count)\r\n\(payload)\r\n")
            let head = try await self.connection.readLine().split(separator: " ")
            let body = try await self.connection.read(count: Int(head.last ?? "") ?? 0)
            _ = try await self.connection.read(count: 2)
            guard case .object(let members) = try? JSONValue.parse(body) else {
                return String(decoding: body, as: UTF8.self)
            }
            return members.map { $0.key == "server" ? "server" : "\($0.key): \(Self.text($0.value))" }
                .joined(separator: ", ")
        }

        private static func text(_ value: JSONValue) -> String {
            switch value {
            case .null: "null"
            case .bool(let value): "\(value)"
            case .number(let value), .string(let value): value
            case .array(let elements): "[\(elements.map(Self.text).joined(separator: " "))]"
            case .object(let members): members.map { "\($0.key)=\(Self.text($0.value))" }.joined(separator: " ")
            }
        }
    }

    @Test("a directory is kept up to date", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func directory(_ server: ServerUnderTest) async throws {
        var scene = try Scene()
        let account = scene.account.publicKey.text
        let now = scene.authority.now
        let update = "$SYS.REQ.CLAIMS.UPDATE"
        let users = try (0..<3).map { _ in try Tenant(of: scene.account, scene.authority) }
        try await ConfiguredServer.with(server, scene.text(scene.full)) { running in
            let chief = try await Operator(scene, running)
            #expect(try await users[0].attempt(running).answer == "-ERR 'Authorization Violation'")
            #expect(
                try await chief.ask(update, scene.jwt())
                    == "server, data: account=\(account) code=200 message=jwt updated"
            )
            let kept = try await users[0].connect(to: running)
            let cut = try await users[1].connect(to: running)
            let jwt = try scene.jwt { $0.revocations.revoke(users[1].keys.publicKey.text, upTo: now) }
            #expect(
                try await chief.ask("$SYS.REQ.ACCOUNT.\(account).CLAIMS.UPDATE", jwt)
                    == "server, data: account=\(account) code=200 message=jwt updated"
            )
            try await cut.expect("-ERR 'User Authentication Revoked'\r\n", thenEndWithin: .seconds(30))
            try await kept.expectNothing()
            #expect(try await chief.ask("$SYS.REQ.ACCOUNT.\(account).CLAIMS.LOOKUP") == jwt)
            let stranger = try NKeyPair(kind: .account).publicKey.text
            #expect(try await chief.ask("$SYS.REQ.ACCOUNT.\(stranger).CLAIMS.LOOKUP").isEmpty)
            #expect(
                try await chief.ask("$SYS.REQ.ACCOUNT.\(stranger).CLAIMS.UPDATE", jwt)
                    == "server, error: account=\(stranger) code=500 "
                    + "description=jwt update resulted in error - subject does not match jwt content"
            )
            #expect(
                try await chief.ask(update, "x")
                    == "server, error: account=n/a code=500 description=jwt update resulted in error - expected 3 chunks"
            )
            let keys = [account, scene.authority.systemKeys.publicKey.text].sorted().joined(separator: " ")
            #expect(try await chief.ask("$SYS.REQ.CLAIMS.LIST") == "data: [\(keys)], server")
            #expect(
                try await chief.ask("$SYS.REQ.CLAIMS.DELETE", scene.deletion([account]))
                    == "server, data: code=200 message=deleted 1 accounts"
            )
            try await kept.expect("-ERR 'Account Authentication Expired'\r\n", thenEndWithin: .seconds(30))
            #expect(try await users[2].attempt(running).answer == "-ERR 'Authorization Violation'")
            let system = scene.authority.systemKeys.publicKey.text
            #expect(try await chief.ask("$SYS.REQ.CLAIMS.LIST") == "data: [\(system)], server")
            #expect(
                try await chief.ask("$SYS.REQ.CLAIMS.DELETE", scene.deletion([system]))
                    == "server, error: code=500 description=delete accounts request by \(scene.authority.keys.publicKey) "
                    + "failed - not allowed to delete system account"
            )
            // It comes back; with the very same JWT it would not.
            let renamed = try scene.jwt { $0.registered.name = "renamed" }
            #expect(
                try await chief.ask(update, renamed) == "server, data: account=\(account) code=200 message=jwt updated"
            )
            #expect(try await users[2].attempt(running).answer == "PONG")
        }
        #expect(scene.directory.names(in: "jwt").contains("\(account).jwt"))
    }

    @Test("what is only in memory changes too", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func memory(_ server: ServerUnderTest) async throws {
        var scene = try Scene()
        let account = scene.account.publicKey.text
        try scene.authority.add(scene.claims)
        let users = try (0..<2).map { _ in try Tenant(of: scene.account, scene.authority) }
        try await ConfiguredServer.with(server, scene.text("MEMORY")) { running in
            let chief = try await Operator(scene, running)
            let subject = "$SYS.REQ.ACCOUNT.\(account).CLAIMS.UPDATE"
            let jwt = try scene.jwt { $0.limits.traffic.payload = 3 }
            #expect(
                try await chief.ask(subject, jwt)
                    == "server, data: account=\(account) code=200 message=jwt update skipped"
            )
            let user = try await users[0].connect(to: running)
            #expect(
                try await chief.ask(subject, jwt) == "server, data: account=\(account) code=200 message=jwt updated"
            )
            #expect(
                try await chief.ask(subject, "")
                    == "server, error: account=\(account) code=500 description=jwt update error - request body is empty"
            )
            await user.send("PUB a 4\r\n")
            try await user.expect("-ERR 'Maximum Payload Violation'\r\n", thenEndWithin: .seconds(30))
        }
    }

    @Test("a system account that is brought later", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func bootstrap(_ server: ServerUnderTest) async throws {
        var scene = try Scene()
        let system = scene.authority.systemKeys.publicKey.text
        let jwt = try #require(scene.authority.accounts[system])
        scene.authority.accounts[system] = nil
        try await ConfiguredServer.with(server, scene.text(scene.full)) { running in
            let chief = try await Operator(scene, running)
            #expect(
                try await chief.ask("$SYS.REQ.CLAIMS.UPDATE", jwt)
                    == "server, data: account=\(system) code=200 message=jwt updated"
            )
            #expect(try await Operator(scene, running).ask("$SYS.REQ.CLAIMS.LIST") == "data: [\(system)], server")
        }
    }

    @Test("a cache keeps what is in use", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func cache(_ server: ServerUnderTest) async throws {
        var scene = try Scene()
        let account = scene.account.publicKey.text
        try scene.authority.add(scene.claims)
        let now = scene.authority.now
        let user = try Tenant(of: scene.account, scene.authority)
        let resolver = "{ type: cache, dir: \"\(scene.directory.path)/jwt\", ttl: \"1h\" }"
        try await ConfiguredServer.with(server, scene.text(resolver)) { running in
            let chief = try await Operator(scene, running)
            let update = "$SYS.REQ.CLAIMS.UPDATE"
            #expect(
                try await chief.ask(update, scene.jwt())
                    == "server, data: account=\(account) code=200 message=jwt update cache skipped"
            )
            let connection = try await user.connect(to: running)
            let jwt = try scene.jwt { $0.revocations.revoke("*", upTo: now) }
            #expect(
                try await chief.ask(update, jwt)
                    == "server, data: account=\(account) code=200 message=jwt updated cache"
            )
            try await connection.expect("-ERR 'User Authentication Revoked'\r\n", thenEndWithin: .seconds(30))
        }
    }
}
