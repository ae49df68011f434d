import NATSTestServer
import NATSTestSupport
import Testing

/// What clients may do, on the official server and ours.
@Suite("permissions of clients", .serialized)
struct PermissionTests {
    private typealias Permissions = NATSTestServer.Permissions

    private func configuration(_ users: [(String, Permissions?)], default: Permissions? = nil) -> ServerConfiguration {
        ServerConfiguration(
            users: users.map { .init(name: $0.0, password: $0.0, permissions: $0.1) },
            defaultPermissions: `default`,
            authTimeout: .seconds(60)
        )
    }

    private func connect(_ user: String, _ server: RunningServer, _ more: String = "") async throws -> RawConnection {
        try await server.connect(
            options: "{\"verbose\":false,\"pedantic\":false,\"user\":\"\(user)\",\"pass\":\"\(user)\"\(more)}"
        )
    }

    private func denied(publish subject: String) -> String {
        "-ERR 'Permissions Violation for Publish to \"\(subject)\"'\r\n"
    }

    private func denied(subscribe subject: String, queue: String? = nil) -> String {
        let group = queue.map { " using queue \"\($0)\"" } ?? ""
        return "-ERR 'Permissions Violation for Subscription to \"\(subject)\"\(group)'\r\n"
    }

    @Test(
        "all white space of Unicode is between subject and queue group, for subscriptions only",
        arguments: ServerUnderTest.available
    )
    func whiteSpace(server: ServerUnderTest) async throws {
        let permissions = Permissions(
            publish: .init(allow: ["pa\u{b}q", "pb"]),
            subscribe: .init(
                allow: [
                    "foo\u{b}q", "bar\u{a0}q", "baz\u{c}q", "qux\u{2003}q", "mu\u{85} q", "three\u{b}a\u{b}b", "dd",
                    "z\u{200b}q",
                ],
                deny: ["dd\u{b}q"]
            )
        )
        try await server.withServer(self.configuration([("u", permissions)])) { server in
            let peer = try await self.connect("u", server)
            for (number, word) in ["foo", "bar", "baz", "qux", "mu"].enumerated() {
                await peer.send("SUB \(word) \(number)\r\n")
                try await peer.expect(self.denied(subscribe: word))
                await peer.send("SUB \(word) q \(number)\r\n")
                try await peer.expectNothing()
            }
            for (subject, shown) in [("foo\u{b}q", "foo\\vq"), ("baz\u{c}q", "baz\\fq"), ("bar\u{a0}q", "bar\\u00a0q")]
            {
                await peer.send("SUB \(subject) 10\r\n")
                try await peer.expect(self.denied(subscribe: shown))
            }
            // Three words are no entry at all, and this space is none.
            await peer.send("SUB three 11\r\nSUB three a 11\r\nSUB z\u{200b}q 12\r\nSUB dd 13\r\nSUB dd q 14\r\n")
            try await peer.expect(
                self.denied(subscribe: "three") + self.denied(subscribe: "three", queue: "a")
                    + self.denied(subscribe: "dd", queue: "q")
            )
            await peer.send("PUB pb 0\r\n\r\nPUB pa\u{b}q 0\r\n\r\nPUB pa 0\r\n\r\n")
            try await peer.expect(self.denied(publish: "pa"))
            try await peer.expectNothing()
        }
    }

    @Test("row 21: violations are answered and change nothing else", arguments: ServerUnderTest.available)
    func violations(server: ServerUnderTest) async throws {
        let permissions = Permissions(
            publish: .init(allow: ["foo", "a.*"], deny: ["a.no"]),
            subscribe: .init(allow: ["foo", "foo.9 v1"])
        )
        try await server.withServer(self.configuration([("u", permissions)])) { server in
            let peer = try await self.connect("u", server)
            await peer.send("PUB x 1\r\na\r\nSUB y 1\r\nSUB foo.9 q 3\r\n")
            try await peer.expect(
                self.denied(publish: "x") + self.denied(subscribe: "y") + self.denied(subscribe: "foo.9", queue: "q")
            )
            await peer.send("SUB foo 4\r\nSUB foo.9 v1 5\r\nPUB foo 1\r\na\r\nPUB a.no 1\r\na\r\nPUB a.b 1\r\na\r\n")
            try await peer.expect("MSG foo 4 1\r\na\r\n" + self.denied(publish: "a.no"))
            try await peer.expectNothing()
            // Again, now that the answers are known.
            await peer.send(
                "PUB a.no 1\r\na\r\nPUB foo 1\r\nb\r\nPUB x 1\r\na\r\nPUB foo 1\r\nc\r\nHPUB x 1 1\r\na\r\n"
            )
            try await peer.expect(
                self.denied(publish: "a.no") + "MSG foo 4 1\r\nb\r\n" + self.denied(publish: "x")
                    + "MSG foo 4 1\r\nc\r\n"
            )
            // No headers were negotiated.
            try await peer.expectEnd()
        }
    }

    @Test("a verbose client gets the error instead of +OK", arguments: ServerUnderTest.available)
    func verbose(server: ServerUnderTest) async throws {
        let permissions = Permissions(publish: .init(allow: ["a.*"]), subscribe: .init(deny: ["no"]))
        try await server.withServer(self.configuration([("u", permissions)])) { server in
            let peer = try await server.connect()
            await peer.send("CONNECT {\"user\":\"u\",\"pass\":\"u\"}\r\nSUB no 1\r\nSUB yes 2\r\nSUB x _sys_ 3\r\n")
            try await peer.expect(
                "+OK\r\n" + self.denied(subscribe: "no") + "+OK\r\n" + self.denied(subscribe: "x", queue: "_sys_")
            )
            await peer.send("PUB b 1\r\nx\r\nPUB a.b 1\r\nx\r\nPUB a.* 1\r\nx\r\nPUB b.* 1\r\nx\r\n")
            try await peer.expect(
                self.denied(publish: "b") + "+OK\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\n"
                    + "-ERR 'Invalid Publish Subject'\r\n" + self.denied(publish: "b.*")
            )
            try await peer.expectNothing()
        }
    }

    @Test("wildcards in what is subscribed", arguments: ServerUnderTest.available)
    func wildcards(server: ServerUnderTest) async throws {
        let permissions = Permissions(
            subscribe: .init(allow: ["foo.*", "q.> work", "d.>"], deny: ["d.x", "d.q v.*"])
        )
        try await server.withServer(self.configuration([("u", permissions)])) { server in
            let peer = try await self.connect("u", server)
            let answers: [(String, String)] = [
                ("foo.*", ""), ("foo.a x", ""), (">", self.denied(subscribe: ">")), ("*", self.denied(subscribe: "*")),
                ("foo", self.denied(subscribe: "foo")), ("foo.a.b", self.denied(subscribe: "foo.a.b")),
                ("foo..a", self.denied(subscribe: "foo..a")), ("q.a", self.denied(subscribe: "q.a")), ("q.a work", ""),
                ("q.a other", self.denied(subscribe: "q.a", queue: "other")), ("d.x", self.denied(subscribe: "d.x")),
                ("d.*", ""), ("d.>", ""), ("d.q v.1", self.denied(subscribe: "d.q", queue: "v.1")), ("d.q v", ""),
                ("d.q", ""), ("foo.>", ""),
            ]
            for (number, (subscription, answer)) in answers.enumerated() {
                await peer.send("SUB \(subscription) \(number)\r\nPING\r\n")
                try await peer.expect(answer + "PONG\r\n")
            }
        }
    }

    @Test("a subscription wider than a denial gets the rest", arguments: ServerUnderTest.available)
    func denialAtDelivery(server: ServerUnderTest) async throws {
        let permissions = Permissions(subscribe: .init(deny: ["a.no", "b.x q", "c.*.no"]))
        try await server.withServer(self.configuration([("u", permissions), ("all", nil)])) { server in
            let peer = try await self.connect("u", server)
            let other = try await self.connect("all", server, ",\"headers\":true,\"no_responders\":true")
            await peer.send("SUB a.* 1\r\nSUB b.* q 2\r\nSUB b.* 3\r\nSUB c.> p 4\r\n")
            try await peer.expectNothing()
            await other.send("SUB inbox 9\r\n")
            for (subject, sids) in [("a.yes", [1]), ("a.no", []), ("b.x", [3]), ("c.x.yes", [4]), ("c.x.no", [])] {
                for round in 0..<2 {
                    await other.send("PUB \(subject) inbox 1\r\n\(round)\r\n")
                    let missing = "NATS/1.0 503\r\nNats-Subject: \(subject)\r\n\r\n"
                    let size = missing.utf8.count
                    try await other.expect(sids.isEmpty ? "HMSG inbox 9 \(size) \(size)\r\n\(missing)\r\n" : "")
                    try await other.expectNothing()
                    for sid in sids { try await peer.expect("MSG \(subject) \(sid) inbox 1\r\n\(round)\r\n") }
                    try await peer.expectNothing()
                }
            }
        }
    }

    @Test("a queue group's message goes to a member that may have it", arguments: ServerUnderTest.available)
    func denialInQueueGroup(server: ServerUnderTest) async throws {
        let permissions = Permissions(subscribe: .init(deny: ["a.no"]))
        try await server.withServer(self.configuration([("u", permissions), ("all", nil)])) { server in
            let denied = try await self.connect("u", server)
            let allowed = try await self.connect("all", server)
            for peer in [denied, allowed] {
                await peer.send("SUB a.* q 1\r\n")
                try await peer.expectNothing()
            }
            for number in 100..<150 {
                await allowed.send("PUB a.no 3\r\n\(number)\r\n")
                try await allowed.expect("MSG a.no 1 3\r\n\(number)\r\n")
            }
            try await denied.expectNothing()
        }
    }

    @Test("permissions differ between clients on the same subject", arguments: ServerUnderTest.available)
    func manyUsers(server: ServerUnderTest) async throws {
        let users = (0..<7).map { number in
            ("u\(number)", Permissions(publish: .init(allow: (0...number).map { "s\($0)" })))
        }
        try await server.withServer(self.configuration(users)) { server in
            var peers: [RawConnection] = []
            for (name, _) in users { peers.append(try await self.connect(name, server)) }
            for _ in 0..<3 {
                for (number, peer) in peers.enumerated() {
                    for subject in 0..<7 {
                        await peer.send("PUB s\(subject) 1\r\nx\r\nPING\r\n")
                        try await peer.expect(
                            (subject <= number ? "" : self.denied(publish: "s\(subject)")) + "PONG\r\n"
                        )
                    }
                }
            }
        }
    }

    // MARK: allow_responses

    @Test("leave to answer a request, as often as allowed", arguments: ServerUnderTest.available)
    func responses(server: ServerUnderTest) async throws {
        let once = Permissions(subscribe: .init(allow: ["req.>"]), responses: .init())
        let thrice = Permissions(publish: .init(deny: ["x"]), responses: .init(maxMessages: 3))
        let named = Permissions(publish: .init(allow: ["ok", "in.free"]), responses: .init())
        let users: [(String, Permissions?)] = [("once", once), ("thrice", thrice), ("named", named), ("all", nil)]
        try await server.withServer(self.configuration(users)) { server in
            let requester = try await self.connect("all", server)
            await requester.send("SUB in.> 1\r\n")
            try await requester.expectNothing()
            for (user, count) in [("once", 1), ("thrice", 3), ("named", 1)] {
                let responder = try await self.connect(user, server)
                await responder.send("SUB req.\(user) 1\r\nPUB in.1 1\r\na\r\n")
                try await responder.expect(self.denied(publish: "in.1"))
                try await responder.expectNothing()
                for round in 1...2 {
                    await requester.send("PUB req.\(user) in.\(round) 1\r\nq\r\n")
                    try await responder.expect("MSG req.\(user) 1 in.\(round) 1\r\nq\r\n")
                    for _ in 0..<count {
                        await responder.send("PUB in.\(round) 1\r\na\r\n")
                        try await requester.expect("MSG in.\(round) 1 1\r\na\r\n")
                    }
                    await responder.send("PUB in.\(round) 1\r\na\r\n")
                    try await responder.expect(self.denied(publish: "in.\(round)"))
                }
                // A message without reply subject gives no leave, nor does one whose reply may be published to anyway.
                await requester.send("PUB req.\(user) 1\r\nq\r\nPUB req.\(user) in.free 1\r\nq\r\n")
                try await responder.expect("MSG req.\(user) 1 1\r\nq\r\nMSG req.\(user) 1 in.free 1\r\nq\r\n")
                await responder.send("PUB ok 1\r\na\r\n")
                if user != "named" { try await responder.expect(self.denied(publish: "ok")) }
                try await responder.expectNothing()
                await responder.send("UNSUB 1\r\n")
                try await responder.expectNothing()
                try await requester.expectNothing()
            }
        }
    }

    @Test("leave to answer ends after its time", arguments: ServerUnderTest.available)
    func responseExpiry(server: ServerUnderTest) async throws {
        let permissions = Permissions(responses: .init(maxMessages: -1, expires: .milliseconds(300)))
        try await server.withServer(self.configuration([("u", permissions), ("all", nil)])) { server in
            let requester = try await self.connect("all", server)
            let responder = try await self.connect("u", server)
            await responder.send("SUB req 1\r\n")
            try await responder.expectNothing()
            await requester.send("PUB req in 1\r\nq\r\n")
            try await responder.expect("MSG req 1 in 1\r\nq\r\n")
            try await eventually("the end of the leave to answer") {
                await responder.send("PUB in 1\r\na\r\nPING\r\n")
                let answer = try await responder.read(until: "PONG\r\n")
                return answer == Array((self.denied(publish: "in") + "PONG\r\n").utf8)
            }
        }
    }

    // MARK: Old documents

    @Test("old documents section 3: ADMIN, REQUESTOR, RESPONDER and the default", arguments: ServerUnderTest.available)
    func templates(server: ServerUnderTest) async throws {
        let admin = Permissions(publish: .init(allow: [">"]), subscribe: .init(allow: [">"]))
        let requestor = Permissions(
            publish: .init(allow: ["req.foo", "req.bar"]),
            subscribe: .init(allow: ["_INBOX.>"])
        )
        let responder = Permissions(
            publish: .init(allow: ["_INBOX.>"]),
            subscribe: .init(allow: ["req.foo", "req.bar"])
        )
        let standard = Permissions(
            publish: .init(allow: ["SANDBOX.*"]),
            subscribe: .init(allow: ["PUBLIC.>", "_INBOX.>"])
        )
        let configuration = self.configuration(
            [("joe", admin), ("alice", requestor), ("bob", responder), ("charlie", nil)],
            default: standard
        )
        try await server.withServer(configuration) { server in
            let joe = try await self.connect("joe", server)
            let alice = try await self.connect("alice", server)
            let bob = try await self.connect("bob", server)
            let charlie = try await self.connect("charlie", server)
            await joe.send("SUB > 1\r\n")
            try await joe.expectNothing()
            await bob.send("SUB req.foo 1\r\nSUB > 2\r\n")
            try await bob.expect(self.denied(subscribe: ">"))
            try await bob.expectNothing()
            await alice.send("SUB _INBOX.a.* 1\r\nSUB req.foo 2\r\nPUB req.foo _INBOX.a.1 4\r\nhelp\r\n")
            try await alice.expect(self.denied(subscribe: "req.foo"))
            try await bob.expect("MSG req.foo 1 _INBOX.a.1 4\r\nhelp\r\n")
            await bob.send("PUB _INBOX.a.1 2\r\nok\r\n")
            try await alice.expect("MSG _INBOX.a.1 1 2\r\nok\r\n")
            try await joe.expect("MSG req.foo 1 _INBOX.a.1 4\r\nhelp\r\nMSG _INBOX.a.1 1 2\r\nok\r\n")
            await charlie.send("SUB _INBOX.c 1\r\nSUB PUBLIC.x 2\r\nSUB SANDBOX.x 3\r\nPUB req.foo _INBOX.c 1\r\nx\r\n")
            try await charlie.expect(self.denied(subscribe: "SANDBOX.x") + self.denied(publish: "req.foo"))
            await charlie.send("PUB SANDBOX.x 1\r\nx\r\nPUB SANDBOX.x.y 1\r\nx\r\n")
            try await charlie.expect(self.denied(publish: "SANDBOX.x.y"))
            try await joe.expect("MSG SANDBOX.x 1 1\r\nx\r\n")
            for peer in [joe, alice, bob, charlie] { try await peer.expectNothing() }
        }
    }

    // MARK: Limits

    @Test("row 25: too many subscriptions", arguments: ServerUnderTest.available)
    func maxSubscriptions(server: ServerUnderTest) async throws {
        let tooMany = "-ERR 'maximum subscriptions exceeded'\r\n"
        try await server.withServer(.init(maxSubscriptions: 3)) { server in
            let peer = try await server.connect(options: "{\"verbose\":false,\"pedantic\":false}")
            await peer.send("SUB x 1\r\nSUB y 2\r\n")
            try await peer.expectNothing()
            await peer.send("SUB a 10\r\nSUB b 11\r\nSUB c 12\r\nPING\r\n")
            try await peer.expect(tooMany + tooMany + "PONG\r\n")
            // One that exists counts too, and so does a subject that is none.
            await peer.send("SUB a 10\r\nSUB .. 13\r\n")
            try await peer.expect(tooMany + tooMany)
            await peer.send("UNSUB 1\r\nSUB .. 14\r\nSUB b 11\r\nSUB c 12\r\nPUB b 1\r\nx\r\nPUB c 1\r\nx\r\n")
            try await peer.expect("-ERR 'Invalid Subject'\r\n" + tooMany + "MSG b 11 1\r\nx\r\n")
            try await peer.expectNothing()
            // The limit is that of a connection.
            let other = try await server.connect()
            await other.send("SUB a 1\r\nSUB a 2\r\nSUB a 3\r\nSUB a 4\r\n")
            try await other.expect("+OK\r\n+OK\r\n+OK\r\n" + tooMany)
        }
    }

    @Test(
        "a negative limit of subscriptions: -1 is none, below that nobody is within it",
        arguments: ServerUnderTest.available
    )
    func negativeMaxSubscriptions(server: ServerUnderTest) async throws {
        try await server.withServer(.init(maxSubscriptions: -1)) { server in
            let peer = try await server.connect(options: "{\"verbose\":false}")
            await peer.send((0..<100).map { "SUB a \($0)\r\n" }.joined())
            try await peer.expectNothing()
        }
        try await server.withServer(.init(maxSubscriptions: -5)) { server in
            let peer = try await server.connect()
            try await peer.expect("-ERR 'maximum subscriptions exceeded'\r\n")
            try await peer.expectEnd()
        }
    }

    @Test("too many tokens", arguments: ServerUnderTest.available)
    func maxTokens(server: ServerUnderTest) async throws {
        try await server.withServer(.init(maxSubscriptionTokens: 4)) { server in
            let peer = try await server.connect(options: "{\"verbose\":false,\"pedantic\":false}")
            await peer.send(
                "SUB a.b.c.d 1\r\nSUB a.b.c.d.e 2\r\nSUB *.*.*.*.> q 3\r\nSUB .... 4\r\nPUB a.b.c.d 1\r\nx\r\n"
            )
            try await peer.expect(
                ["a.b.c.d.e", "*.*.*.*.>", "...."].map {
                    "-ERR 'Permissions Violation for Subscription to \"\($0)\", too many tokens'\r\n"
                }.joined() + "MSG a.b.c.d 1 1\r\nx\r\n"
            )
            await peer.send("PUB a.b.c.d.e.f 1\r\nx\r\n")
            try await peer.expectNothing()
        }
    }
}
