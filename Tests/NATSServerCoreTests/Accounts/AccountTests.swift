import NATSTestSupport
import NATSWire
import Testing

/// Accounts, on the official server and ours.
@Suite("accounts")
struct AccountTests {
    private static let two = """
        accounts {
          A { users: [{user: a, password: a}, {user: a2, password: a2}] }
          B { users: [{user: b, password: b}] }
        }

        """

    @Test("what one account publishes no other sees", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func isolation(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.two) { server in
            let first = try await server.connect("a")
            let second = try await server.connect("a2")
            let other = try await server.connect("b")
            for peer in [first, second, other] {
                try await peer.flush("SUB > 1\r\nSUB foo 2\r\nSUB foo q 3\r\nSUB *.* 4\r\nUNSUB 1\r\n")
            }
            try await other.flush("SUB $SYS.> 5\r\nSUB _INBOX.> 6\r\nSUB > 7\r\n")
            await first.send("PUB foo.bar _INBOX.x 2\r\nhi\r\nPUB $SYS.REQ.SERVER.PING _INBOX.x 0\r\n\r\n")
            try await first.expect("MSG foo.bar 4 _INBOX.x 2\r\nhi\r\n")
            try await second.expect("MSG foo.bar 4 _INBOX.x 2\r\nhi\r\n")
            try await first.expectNothing()
            try await second.expectNothing()
            try await other.expectNothing()
            await other.send("PUB foo 1\r\nb\r\n")
            let frames = try await other.read(until: "b\r\n") + other.read(until: "b\r\n") + other.read(until: "b\r\n")
            let text = String(decoding: frames, as: UTF8.self)
            #expect(text.contains("MSG foo 2 1") && text.contains("MSG foo 3 1") && text.contains("MSG foo 7 1"))
            try await first.expectNothing()
        }
    }

    @Test(
        "nobody listens in this account though somebody does in another",
        .timeLimit(.minutes(1)),
        arguments: ServerUnderTest.available
    )
    func noResponders(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.two) { server in
            let first = try await server.connect("a", ",\"headers\":true,\"no_responders\":true")
            let other = try await server.connect("b")
            try await other.flush("SUB svc 1\r\nSUB r 2\r\n")
            await first.send("SUB r 1\r\nPUB svc r 2\r\nhi\r\n")
            try await first.expect("HMSG r 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: svc\r\n\r\n\r\n")
            try await other.expectNothing()
        }
    }

    @Test("a further CONNECT moves to another account", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func moving(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.two) { server in
            let peer = try await server.connect("a")
            let second = try await server.connect("a2")
            let other = try await server.connect("b")
            try await peer.flush("SUB foo 1\r\n")
            try await other.flush("SUB foo 1\r\n")
            try await second.flush("SUB foo 1\r\n")
            // In one piece: the subjects behind the CONNECT are those of the other account.
            await peer.send(
                "PUB foo 1\r\na\r\nCONNECT {\"user\":\"b\",\"pass\":\"b\"}\r\nPUB foo 1\r\nb\r\nSUB foo 9\r\nPUB foo 1\r\nc\r\nPING\r\n"
            )
            try await peer.expect("MSG foo 1 1\r\na\r\nMSG foo 9 1\r\nc\r\nPONG\r\n")
            try await second.expect("MSG foo 1 1\r\na\r\n")
            try await other.expect("MSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nc\r\n")
            await second.send("PUB foo 1\r\nd\r\n")
            try await second.expect("MSG foo 1 1\r\nd\r\n")
            try await peer.expectNothing()
        }
    }

    @Test("CONNECT may not name an account", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func accountInConnect(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.two) { server in
            for more in [",\"account\":\"A\"", ",\"new_account\":true"] {
                let peer = try await server.connect()
                await peer.send("CONNECT {\"user\":\"a\",\"pass\":\"a\"\(more)}\r\n")
                try await peer.expect("-ERR 'Authorization Violation'\r\n")
                try await peer.expectEnd()
            }
        }
    }

    @Test(
        "clients without credentials are of the account of the no_auth_user, and of $G where nobody has users",
        .timeLimit(.minutes(1)),
        arguments: ServerUnderTest.available
    )
    func anonymous(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.two + "no_auth_user: b\nauthorization { timeout: 60 }\n") {
            server in
            let anonymous = try await server.connect("")
            let silent = try await server.connect()
            let other = try await server.connect("b")
            try await anonymous.flush("SUB foo 1\r\n")
            // Without any CONNECT.
            await silent.send("SUB foo 2\r\nPUB foo 1\r\nx\r\n")
            // Whoever has sent none is verbose.
            try await silent.expect("+OK\r\n+OK\r\nMSG foo 2 1\r\nx\r\n")
            try await anonymous.expect("MSG foo 1 1\r\nx\r\n")
            await other.send("PUB foo 1\r\ny\r\n")
            try await silent.expect("MSG foo 2 1\r\ny\r\n")
            try await anonymous.expect("MSG foo 1 1\r\ny\r\n")
        }
        try await ConfiguredServer.with(server, "accounts: [A, B]\n") { server in
            let first = try await server.connect("")
            let second = try await server.connect("x", ",\"protocol\":1")
            try await first.flush("SUB foo 1\r\n")
            let info = try await second.readInfo()
            #expect(info.contains("\"remote_account\":\"$G\""))
            await second.send("PUB foo 1\r\nx\r\n")
            try await first.expect("MSG foo 1 1\r\nx\r\n")
        }
    }

    @Test("permissions and default permissions", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func permissions(server: ServerUnderTest) async throws {
        let text = """
            accounts {
              A {
                default_permissions { publish: [ok], subscribe: { deny: [secret] } }
                users: [{user: a, password: a}, {user: own, password: own, permissions: {publish: [other]}}]
              }
              B { users: [{user: b, password: b}] }
            }

            """
        try await ConfiguredServer.with(server, text) { server in
            let first = try await server.connect("a")
            let own = try await server.connect("own")
            let other = try await server.connect("b")
            try await own.flush("SUB > 1\r\n")
            await first.send("PUB ok 1\r\nx\r\nPUB no 1\r\nx\r\nSUB secret 1\r\n")
            try await first.expect(
                "-ERR 'Permissions Violation for Publish to \"no\"'\r\n"
                    + "-ERR 'Permissions Violation for Subscription to \"secret\"'\r\n"
            )
            try await own.expect("MSG ok 1 1\r\nx\r\n")
            await own.send("PUB ok 1\r\nx\r\nPUB other 1\r\ny\r\n")
            try await own.expect("-ERR 'Permissions Violation for Publish to \"ok\"'\r\nMSG other 1 1\r\ny\r\n")
            try await other.flush("SUB secret 1\r\nSUB no 2\r\n")
            await other.send("PUB no 1\r\nz\r\n")
            try await other.expect("MSG no 2 1\r\nz\r\n")
        }
    }

    // MARK: Limits

    private static let limits = """
        max_subscriptions: 5
        max_payload: 1000
        accounts {
          A {
            users: [{user: a, password: a}]
            limits: { max_conn: 2, max_subs: 2, max_payload: 10 }
          }
          B { users: [{user: b, password: b}], limits: { max_subs: 10, max_payload: 5000 } }
          N { users: [{user: n, password: n}], limits: { max_conn: 0 } }
          S { users: [{user: s, password: s}], limits: { max_subs: 0 } }
        }

        """

    @Test("limits of an account", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func accountLimits(server: ServerUnderTest) async throws {
        let tooMany = "-ERR 'maximum account active connections exceeded'\r\n"
        try await ConfiguredServer.with(server, Self.limits) { server in
            let first = try await server.connect("a", ",\"protocol\":1")
            let info = try await first.readInfo()
            #expect(info.contains("\"max_payload\":10,"), "\(info)")
            #expect(info.contains("\"remote_account\":\"A\""), "\(info)")
            let second = try await server.connect("a")
            for user in ["a", "n"] {
                let third = try await server.connect()
                await third.send("CONNECT {\"verbose\":false,\"user\":\"\(user)\",\"pass\":\"\(user)\"}\r\nPING\r\n")
                try await third.expect(tooMany)
                try await third.expectEnd()
            }
            await first.send("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nUNSUB 1\r\nSUB d 4\r\n")
            try await first.expect("-ERR 'maximum subscriptions exceeded'\r\n")
            try await first.expectNothing()
            await second.send("PUB b 10\r\n0123456789\r\nPUB b 11\r\n")
            try await second.expect("-ERR 'Maximum Payload Violation'\r\n")
            try await second.expectEnd()
            try await first.expect("MSG b 2 10\r\n0123456789\r\n")
            // There is room again.
            try await eventually("room in the account") {
                let peer = try await server.connect()
                await peer.send("CONNECT {\"verbose\":false,\"user\":\"a\",\"pass\":\"a\"}\r\nPING\r\n")
                let answer = try await peer.readLine()
                return answer == "PONG"
            }
            // The server's limits are less.
            let other = try await server.connect("b")
            await other.send((1...6).map { "SUB s \($0)\r\n" }.joined())
            try await other.expect("-ERR 'maximum subscriptions exceeded'\r\n")
            await other.send("PUB x 1001\r\n")
            try await other.expect("-ERR 'Maximum Payload Violation'\r\n")
            try await other.expectEnd()
            let none = try await server.connect()
            await none.send("CONNECT {\"verbose\":false,\"user\":\"s\",\"pass\":\"s\"}\r\n")
            try await none.expect("-ERR 'maximum subscriptions exceeded'\r\n")
            try await none.expectEnd()
        }
    }

    // MARK: Log

    @Test("the log names account and user", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func logSuffix(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.limits + "debug: true\n") { server in
            let first = try await server.connect("a", ",\"lang\":\"l\",\"version\":\"1\",\"name\":\"n\"")
            first.close()
            try await eventually("the line about its end") {
                server.log.contains(" - \"v1:l:n\" - \"A/user:a\" - Client connection closed: Client Closed")
            }
            _ = try await server.connect("b")
            try await eventually("lines about limits") {
                server.log.contains("Max Payload set to 1000 from server overrides account or user config")
                    && server.log.contains("Max Subscriptions set to 5 from server overrides account or user config")
            }
        }
    }

    // MARK: Reload

    @Test("connections stay, move or end with a reload", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func reload(server: ServerUnderTest) async throws {
        let before = """
            accounts {
              A { users: [{user: stays, password: stays}, {user: moves, password: moves}, {user: gone, password: gone}] }
              B { users: [{user: lost, password: lost}, {user: rescued, password: rescued}] }
            }

            """
        let after = """
            accounts {
              C { users: [{user: moves, password: moves}, {user: rescued, password: rescued}] }
              A { users: [{user: stays, password: stays}, {user: new, password: new}] }
            }

            """
        try await ConfiguredServer.with(server, before) { server in
            let stays = try await server.connect("stays")
            try await stays.flush("SUB foo 1\r\n")
            var ending: [RawConnection] = []
            for user in ["moves", "gone", "lost", "rescued"] {
                let peer = try await server.connect(user)
                try await peer.flush("SUB foo 1\r\n")
                ending.append(peer)
            }
            try await server.reload(after)
            for peer in ending { try await peer.expectEnd() }
            let moved = try await server.connect("moves")
            let rescued = try await server.connect("rescued")
            let new = try await server.connect("new")
            try await rescued.flush("SUB foo 1\r\n")
            await moved.send("PUB foo 1\r\nm\r\n")
            try await rescued.expect("MSG foo 1 1\r\nm\r\n")
            await new.send("PUB foo 1\r\nn\r\n")
            try await stays.expect("MSG foo 1 1\r\nn\r\n")
            try await stays.expectNothing()
            try await rescued.expectNothing()
            // And without accounts at all.
            try await server.reload("authorization { users: [{user: stays, password: stays}] }\n")
            try await stays.expectEnd()
            try await rescued.expectEnd()
            let free = try await server.connect("stays")
            try await free.flush("SUB foo 1\r\n")
            await free.send("PUB foo 1\r\nf\r\n")
            try await free.expect("MSG foo 1 1\r\nf\r\n")
        }
    }
}
