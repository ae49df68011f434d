import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

@testable import NATSServerCore

/// What the system account is told, by the official server and ours: the same events, field by field.
@Suite("events of the system account", .timeLimit(.minutes(2)))
struct SystemEventTests {
    private static let text = """
        server_name: systems
        accounts {
          SYS { users: [{user: sys, password: sys}] }
          A { users: [{user: a, password: a}] }
        }
        system_account: SYS
        authorization { users: [{user: g, password: g}] }

        """

    /// Listens to everything but the figures that come by themselves.
    private func listener(_ server: ConfiguredServer, _ user: String = "sys") async throws -> SystemClient {
        let client = try await SystemClient(server, user, name: "listener")
        try await client.connection.flush("SUB $SYS.ACCOUNT.> 1\r\nSUB $SYS.SERVER.*.CLIENT.> 2\r\n")
        try await client.connection.flush("SUB $SYS.SERVER.*.SHUTDOWN 3\r\nSUB $SYS.SERVER.ACCOUNT.> 4\r\n")
        return client
    }

    /// So many events, sorted, since some of them come in any order.
    private func events(_ count: Int, for client: SystemClient, id: String) async throws -> [String] {
        var events: [String] = []
        for _ in 0..<count {
            let event = try await client.next()
            events.append("\(event.subject.replacing(id, with: "ID")) \(SystemJSON.normal(event.payload, id: id))")
        }
        return events.sorted()
    }

    private func compare(_ results: [ServerUnderTest: [String]]) {
        guard let expected = results[.official] else { return }
        for (server, own) in results where server != .official {
            #expect(own.count == expected.count, "\(server)")
            for (index, event) in expected.enumerated() where index < own.count {
                #expect(SystemJSON.difference(own[index], event).isEmpty, "\(server)")
            }
        }
    }

    @Test("clients that come, go, are refused and are sent away")
    func connections() async throws {
        var results: [ServerUnderTest: [String]] = [:]
        for server in ServerUnderTest.available {
            results[server] = try await ConfiguredServer.with(server, Self.text) { server in
                let asks = try await SystemClient(server, "sys", name: "asks")
                let id = try await asks.serverID()
                let listener = try await self.listener(server)
                // The listener's own coming may be told or not.
                _ = try await listener.answers("$SYS.REQ.USER.INFO", fence: "$SYS.REQ.SERVER.PING.IDZ")
                var events: [String] = []

                let first = try await server.connect("a", ",\"name\":\"first\",\"lang\":\"l\",\"version\":\"2\"")
                events += try await self.events(3, for: listener, id: id)
                await first.send("SUB foo 1\r\nPUB foo 2\r\nhi\r\nPUB bar 3\r\nabc\r\n")
                try await first.expect("MSG foo 1 2\r\nhi\r\n")
                try await first.expectNothing()
                first.close()
                events += try await self.events(3, for: listener, id: id)

                let nobody = try await server.connect()
                await nobody.send("CONNECT {\"user\":\"nobody\",\"pass\":\"x\",\"name\":\"n\"}\r\n")
                events += try await self.events(2, for: listener, id: id)
                _ = try await nobody.readToEnd()

                let other = try await server.connect("g", ",\"name\":\"global\"")
                events += try await self.events(1, for: listener, id: id)
                let list = try await asks.answers(
                    "$SYS.REQ.SERVER.PING.CONNZ",
                    "{\"user\":\"g\"}",
                    fence: "$SYS.REQ.SERVER.PING.IDZ"
                )
                let cid = list.first?.text.split(separator: "\"cid\":").last?.prefix { $0.isNumber } ?? ""
                let kicked = try await asks.answers(
                    "$SYS.REQ.SERVER.\(id).KICK",
                    "{\"cid\":\(cid)}",
                    fence: "$SYS.REQ.SERVER.PING.IDZ"
                )
                events += kicked.map { SystemJSON.normal($0.payload, id: id) }
                events += try await self.events(1, for: listener, id: id)
                _ = try await other.readToEnd()
                return events
            }
        }
        self.compare(results)
    }

    @Test("users with nkeys: who vouches for them")
    func nkeys() async throws {
        let key = try NKeyPair(kind: .user)
        let text =
            "accounts { A { users: [{nkey: \(key.publicKey)}] } }\nsystem_account: \"$G\"\n"
            + "authorization { users: [{user: g, password: g}] }\n"
        var results: [ServerUnderTest: [String]] = [:]
        for server in ServerUnderTest.available {
            results[server] = try await ConfiguredServer.with(server, text) { server in
                let asks = try await SystemClient(server, "g")
                let id = try await asks.serverID()
                try await asks.connection.flush("SUB $SYS.ACCOUNT.A.* 1\r\n")
                let client = try RawConnection.connect(port: server.port, answersPings: true)
                let info = try await client.readInfo()
                let nonce = info.split(separator: "\"nonce\":\"").last?.prefix { $0 != "\"" } ?? ""
                let signature = Base64.encodeURLSafe(try key.sign(Array(nonce.utf8)))
                let connect = "CONNECT {\"verbose\":false,\"nkey\":\"\(key.publicKey)\",\"sig\":\"\(signature)\"}\r\n"
                try await client.flush(connect)
                var events = try await self.events(1, for: asks, id: id)
                let list = try await asks.answers(
                    "$SYS.REQ.ACCOUNT.A.CONNZ",
                    "{\"auth\":true}",
                    fence: "$SYS.REQ.SERVER.PING.IDZ"
                )
                events += list.map { SystemJSON.normal($0.payload, id: id) }
                client.close()
                events += try await self.events(1, for: asks, id: id)
                #expect(events.allSatisfy { $0.contains("issuer_key:\"A\"") })
                return events
            }
        }
        self.compare(results)
    }

    @Test("an account is told whom it has refused, and how many clients it has")
    func ownAccount() async throws {
        var results: [ServerUnderTest: [String]] = [:]
        for server in ServerUnderTest.available {
            results[server] = try await ConfiguredServer.with(server, Self.text) { server in
                let asks = try await SystemClient(server, "sys", name: "asks")
                let id = try await asks.serverID()
                let global = try await SystemClient(server, "g")
                try await global.connection.flush("SUB $SYS.ACCOUNT.> 1\r\nSUB $SYS.> 2\r\n")
                let nobody = try await server.connect()
                await nobody.send("CONNECT {\"user\":\"nobody\",\"pass\":\"x\"}\r\n")
                _ = try await nobody.readToEnd()
                let events = try await self.events(2, for: global, id: id)
                // Nothing else of `$SYS.>` reaches other accounts.
                try await global.connection.expectNothing()
                return events
            }
        }
        self.compare(results)
    }

    @Test("the figures come by themselves, and at once when somebody asks without a reply subject")
    func statistics() async throws {
        var results: [ServerUnderTest: [String]] = [:]
        for server in ServerUnderTest.available {
            results[server] = try await ConfiguredServer.with(server, Self.text) { server in
                let asks = try await SystemClient(server, "sys", name: "asks")
                let id = try await asks.serverID()
                await asks.connection.send("SUB $SYS.SERVER.*.STATSZ 1\r\n")
                let first = try await self.events(1, for: asks, id: id)
                await asks.connection.send("PUB $SYS.REQ.SERVER.PING 0\r\n\r\n")
                return first + (try await self.events(1, for: asks, id: id))
            }
        }
        self.compare(results)
    }

    @Test("the end of the server is the last thing that is told")
    func shutdown() async throws {
        var results: [ServerUnderTest: [String]] = [:]
        for server in ServerUnderTest.available {
            let (client, id) = try await ConfiguredServer.with(server, Self.text) { server in
                let client = try await SystemClient(server, "sys")
                let id = try await client.serverID()
                try await client.connection.flush("SUB $SYS.SERVER.*.SHUTDOWN 3\r\nSUB $SYS.ACCOUNT.*.DISCONNECT 4\r\n")
                return (client, id)
            }
            results[server] = try await self.events(1, for: client, id: id)
            try await client.connection.expectEnd()
        }
        self.compare(results)
    }

    @Test("lame duck mode is told, and questions are answered meanwhile")
    func lameDuck() async throws {
        var options = ServerOptions(logger: CollectedLog().logger)
        options.host = "127.0.0.1"
        options.port = 0
        options.lameDuckGracePeriod = .seconds(60)
        options.authorization.systemAccount = "$G"
        let server = Server(options: options)
        try await server.start()
        let client = SystemClient(try RawConnection.connect(port: server.boundPort, answersPings: true))
        try await client.connection.readInfo()
        try await client.connection.flush("CONNECT {\"verbose\":false}\r\nSUB $SYS.SERVER.*.LAMEDUCK 1\r\n")
        let mode = Task { await server.enterLameDuckMode() }
        let event = try await client.next()
        #expect(event.subject == "$SYS.SERVER.\(server.serverID).LAMEDUCK")
        #expect(event.text.hasPrefix("{\"name\":\"\(server.serverID)\",\"host\":\"127.0.0.1\","))
        #expect(try await client.serverID() == server.serverID)
        await server.shutdown()
        _ = await mode.value
        client.connection.close()
    }

    @Test("a client is told to look for another server")
    func lameDuckMode() async throws {
        var lines: [ServerUnderTest: String] = [:]
        for server in ServerUnderTest.available {
            lines[server] = try await ConfiguredServer.with(server, Self.text) { server in
                let asks = try await SystemClient(server, "sys")
                let id = try await asks.serverID()
                let client = try await server.connect("a", ",\"protocol\":1")
                _ = try await client.readInfo()
                let list = try await asks.answers("$SYS.REQ.ACCOUNT.A.CONNZ", fence: "$SYS.REQ.SERVER.PING.IDZ")
                let cid = list.first?.text.split(separator: "\"cid\":").last?.prefix { $0.isNumber } ?? ""
                let answers = try await asks.answers(
                    "$SYS.REQ.SERVER.\(id).LDM",
                    "{\"cid\":\(cid)}",
                    fence: "$SYS.REQ.SERVER.PING.IDZ"
                )
                let info = try await client.readInfo()
                #expect(info.contains("\"ldm\":true"))
                return answers.map { SystemJSON.normal($0.payload, id: id) }.joined()
            }
        }
        for (server, line) in lines { #expect(line == lines[.official] ?? line, "\(server)") }
    }
}
