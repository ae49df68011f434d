import NATSTestServer
import NATSTestSupport
import Testing

/// What a reload of users and permissions does to clients that are there, on the official server and ours.
@Suite("reload of users and permissions", .serialized)
struct AuthorizationReloadTests {
    private func configuration(_ users: [NATSTestServer.User], noAuthUser: String? = nil) -> ServerConfiguration {
        ServerConfiguration(users: users, noAuthUser: noAuthUser, authTimeout: .seconds(60))
    }

    private func connect(_ user: String, _ server: RunningServer) async throws -> RawConnection {
        try await server.connect(
            options: "{\"verbose\":false,\"pedantic\":false,\"user\":\"\(user)\",\"pass\":\"\(user)\"}"
        )
    }

    @Test("row 32: subscriptions and passwords that are not right any more", arguments: ServerUnderTest.available)
    func changes(server: ServerUnderTest) async throws {
        let before = ["stays", "loses", "changed", "gone"].map { NATSTestServer.User(name: $0, password: $0) }
        let after = [
            before[0],
            NATSTestServer.User(
                name: "loses",
                password: "loses",
                permissions: .init(publish: .init(allow: ["p"]), subscribe: .init(deny: ["foo", "bar q"]))
            ), NATSTestServer.User(name: "changed", password: "other"),
        ]
        try await server.withServer(self.configuration(before)) { server in
            let stays = try await self.connect("stays", server)
            let loses = try await self.connect("loses", server)
            let changed = try await self.connect("changed", server)
            let gone = try await self.connect("gone", server)
            let silent = try await server.connect()
            await stays.send("SUB foo 1\r\n")
            await loses.send("SUB foo 1\r\nSUB bar q 2\r\nSUB bar 3\r\nSUB f* 4\r\nSUB * 5\r\nPUB x 1\r\nx\r\n")
            try await loses.expect("MSG x 5 1\r\nx\r\n")
            for peer in [stays, loses, changed, gone] { try await peer.expectNothing() }
            try await server.reload(self.configuration(after))
            let first = "-ERR 'Permissions Violation for Subscription to \"foo\" (sid \"1\")'\r\n"
            let second = "-ERR 'Permissions Violation for Subscription to \"bar\" using queue \"q\" (sid \"2\")'\r\n"
            // In any order: the official server walks a hash table.
            let lines = [try await loses.readLine() + "\r\n", try await loses.readLine() + "\r\n"]
            #expect(lines.sorted() == [first, second].sorted())
            try await changed.expect(authorizationViolation)
            try await changed.expectEnd()
            try await gone.expectEnd()
            try await silent.expect(authorizationViolation)
            try await silent.expectEnd()
            await loses.send("PUB x 1\r\nx\r\nSUB foo 6\r\n")
            try await loses.expect(
                "-ERR 'Permissions Violation for Publish to \"x\"'\r\n"
                    + "-ERR 'Permissions Violation for Subscription to \"foo\"'\r\n"
            )
            // The wider subscription stays, and does not get what is denied now.
            await stays.send("PUB foo 1\r\na\r\nPUB bar 1\r\nb\r\nPUB baz 1\r\nc\r\n")
            try await stays.expect("MSG foo 1 1\r\na\r\n")
            var received: [String] = []
            for _ in 0..<3 {
                received.append(try await loses.readLine())
                received.append(try await loses.readLine())
            }
            #expect(received.sorted() == ["MSG bar 3 1", "MSG bar 5 1", "MSG baz 5 1", "b", "b", "c"])
            try await loses.expectNothing()
            // And back again.
            try await server.reload(self.configuration(before))
            await stays.send("PUB foo 1\r\nd\r\n")
            try await stays.expect("MSG foo 1 1\r\nd\r\n")
            try await loses.expect("MSG foo 5 1\r\nd\r\n")
            await loses.send("PUB x 1\r\nx\r\n")
            try await loses.expect("MSG x 5 1\r\nx\r\n")
            _ = try await self.connect("gone", server)
            _ = try await self.connect("changed", server)
        }
    }

    @Test("credentials become needed", arguments: ServerUnderTest.available)
    func authorizationAppears(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let known = try await self.connect("a", server)
            let anonymous = try await server.connect(options: "{\"verbose\":false}")
            try await server.reload(self.configuration([.init(name: "a", password: "a")]))
            try await anonymous.expect(authorizationViolation)
            try await anonymous.expectEnd()
            try await known.expectNothing()
            let peer = try server.rawConnection()
            #expect(try JSONText(try await peer.readInfo()).bool("auth_required"))
            await peer.send("PING\r\n")
            try await peer.expect(authorizationViolation)
            try await peer.expectEnd()
        }
    }

    @Test("a token changes", arguments: ServerUnderTest.available)
    func token(server: ServerUnderTest) async throws {
        let before = ServerConfiguration(token: "t", authTimeout: .seconds(60))
        try await server.withServer(before) { server in
            let peer = try await server.connect(options: "{\"verbose\":false,\"auth_token\":\"t\"}")
            await peer.send("SUB a 1\r\n")
            try await server.reload(before)
            try await peer.expectNothing()
            try await server.reload(.init(token: "u", authTimeout: .seconds(60)))
            try await peer.expect(authorizationViolation)
            try await peer.expectEnd()
        }
    }

    @Test("what clients without credentials are changes", arguments: ServerUnderTest.available)
    func noAuthUser(server: ServerUnderTest) async throws {
        let guest = NATSTestServer.User(name: "guest", password: "g")
        let restricted = NATSTestServer.User(
            name: "guest",
            password: "g",
            permissions: .init(publish: .init(allow: ["ok"]))
        )
        try await server.withServer(self.configuration([guest], noAuthUser: "guest")) { server in
            let peer = try await server.connect(options: "{\"verbose\":false,\"pedantic\":false}")
            await peer.send("SUB > 1\r\nPUB x 1\r\nx\r\n")
            try await peer.expect("MSG x 1 1\r\nx\r\n")
            try await server.reload(self.configuration([restricted], noAuthUser: "guest"))
            await peer.send("PUB x 1\r\nx\r\nPUB ok 1\r\nx\r\n")
            try await peer.expect("-ERR 'Permissions Violation for Publish to \"x\"'\r\nMSG ok 1 1\r\nx\r\n")
        }
    }

    @Test("/varz tells the time for authentication that is in force", arguments: ServerUnderTest.available)
    func timeout(server: ServerUnderTest) async throws {
        func configuration(_ timeout: Duration) -> ServerConfiguration {
            var configuration = ServerConfiguration(user: "u", password: "p", authTimeout: timeout)
            configuration.monitoring = true
            return configuration
        }
        try await server.withServer(configuration(.seconds(50))) { server in
            let port = try #require(server.monitoringPort)
            #expect(try await fetch("/varz", port: port).text.contains("\n  \"auth_timeout\": 50,\n"))
            try await server.reload(configuration(.milliseconds(70_500)))
            // The official server's page follows when it has told the log of the reload.
            try await eventually("the new time is shown") {
                try await fetch("/varz", port: port).text.contains("\n  \"auth_timeout\": 70.5,\n")
            }
        }
    }

    @Test("a hash takes the place of a password", arguments: ServerUnderTest.available)
    func hash(server: ServerUnderTest) async throws {
        let plain = [
            NATSTestServer.User(name: "secret", password: "secret"),
            NATSTestServer.User(name: "other", password: "other"),
        ]
        let hash = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
        let hashed = plain.map { user -> NATSTestServer.User in
            guard case .password(let name, _) = user.credentials else { return user }
            return NATSTestServer.User(name: name, password: hash)
        }
        try await server.withServer(self.configuration(plain)) { server in
            let right = try await self.connect("secret", server)
            let wrong = try await self.connect("other", server)
            try await server.reload(self.configuration(hashed))
            try await wrong.expect(authorizationViolation)
            try await wrong.expectEnd()
            try await right.expectNothing()
            try await server.reload(self.configuration(hashed))
            try await right.expectNothing()
            _ = try await self.connect("secret", server)
        }
    }
}

/// Reloads of our server only.
@Suite("reload of users and permissions on our server")
struct OwnReloadTests {
    @Test("many reloads drop no client whose credentials stay right")
    func healthyClients() async throws {
        var options = NATSTestServer.Options()
        options.eventLoopCount = 2
        options.users = [.init(name: "a", password: "a")]
        try await NATSTestServer.withServer(options) { server in
            let running = RunningServer.ours(server)
            var peers: [RawConnection] = []
            for _ in 0..<50 {
                let peer = try await running.connect(
                    options: "{\"verbose\":false,\"pedantic\":false,\"user\":\"a\",\"pass\":\"a\"}"
                )
                await peer.send("SUB x.* 1\r\n")
                peers.append(peer)
            }
            for round in 0..<100 {
                var next = options
                let permissions = NATSTestServer.Permissions(subscribe: .init(deny: ["x.\(round)"]))
                next.users = [.init(name: "a", password: "a", permissions: round % 2 == 0 ? permissions : nil)]
                try await server.reloadAuthorization(next)
            }
            await peers[0].send("PUB x.98 1\r\nx\r\n")
            for peer in peers {
                try await peer.expect("MSG x.98 1 1\r\nx\r\n")
                try await peer.expectNothing()
            }
            #expect(await server.statistics().connections == 50)
        }
    }

    @Test("a client of the only user stays while its credentials are right")
    func singleUser() async throws {
        var options = NATSTestServer.Options()
        options.user = "a"
        options.password = "a"
        try await NATSTestServer.withServer(options) { server in
            let peer = try await RunningServer.ours(server).connect(
                options: "{\"verbose\":false,\"user\":\"a\",\"pass\":\"a\"}"
            )
            try await server.reloadAuthorization(options)
            try await peer.expectNothing()
            var changed = options
            changed.password = "b"
            try await server.reloadAuthorization(changed)
            try await peer.expectEnd()
        }
    }

    @Test("options that cannot be used change nothing")
    func refused() async throws {
        var options = NATSTestServer.Options()
        options.users = [.init(name: "a", password: "a")]
        try await NATSTestServer.withServer(options) { server in
            let peer = try await RunningServer.ours(server).connect(
                options: "{\"verbose\":false,\"user\":\"a\",\"pass\":\"a\"}"
            )
            var wrong = options
            wrong.users = [
                .init(name: "a", password: "b", permissions: .init(publish: .init(allow: ["a..b"])))
            ]
            await #expect(throws: NATSTestServerError.self) { try await server.reloadAuthorization(wrong) }
            wrong.users = [.init(nkey: "UNSENSE")]
            await #expect(throws: NATSTestServerError.self) { try await server.reloadAuthorization(wrong) }
            try await peer.expectNothing()
        }
        await #expect(throws: NATSTestServerError.self) {
            var wrong = NATSTestServer.Options()
            wrong.users = []
            wrong.noAuthUser = "x"
            _ = try await NATSTestServer.start(wrong)
        }
    }
}
