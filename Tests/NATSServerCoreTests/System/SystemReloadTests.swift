import NATSTestSupport
import Testing

/// What a reload does to the system account, of the official server and ours.
@Suite("reload and the system account", .timeLimit(.minutes(1)))
struct SystemReloadTests {
    private static let fence = "$SYS.REQ.SERVER.PING.IDZ"

    @Test("listeners stay, and new accounts may ask for themselves", arguments: ServerUnderTest.available)
    func newAccount(server: ServerUnderTest) async throws {
        let system = "SYS { users: [{user: sys, password: sys}] }\n"
        let first = "system_account: SYS\naccounts {\n\(system) A { users: [{user: a, password: a}] }\n}\n"
        let second =
            "system_account: SYS\naccounts {\n\(system) A { users: [{user: a, password: a}] }\n"
            + "B { users: [{user: b, password: b}] }\n}\n"
        try await ConfiguredServer.with(server, first) { server in
            let asks = try await SystemClient(server, "sys")
            let id = try await asks.serverID()
            let old = try await SystemClient(server, "a")
            try await server.reload(second)
            let listener = try await SystemClient(server, "sys")
            try await listener.connection.flush("SUB $SYS.ACCOUNT.B.CONNECT 1\r\n")
            #expect(try await asks.serverID() == id)
            let new = try await SystemClient(server, "b")
            #expect(try await listener.next().subject == "$SYS.ACCOUNT.B.CONNECT")
            for (client, account) in [(old, "A"), (new, "B")] {
                let answers = try await client.answers("$SYS.REQ.USER.INFO", fence: "$SYS.REQ.ACCOUNT.PING.STATZ")
                #expect(answers.count == 1)
                #expect(answers.first?.text.contains("\"account\":\"\(account)\"") == true)
            }
        }
    }

    @Test(
        "an account `$SYS` that is not defined any more is still there, without users",
        arguments: ServerUnderTest.available
    )
    func removedUsers(server: ServerUnderTest) async throws {
        let users = "authorization { users: [{user: g, password: g}] }\n"
        let system = "accounts { \"$SYS\" { users: [{user: sys, password: sys}] } }\n"
        try await ConfiguredServer.with(server, users + system) { server in
            let asks = try await SystemClient(server, "sys")
            _ = try await asks.serverID()
            let other = try await SystemClient(server, "g")
            try await server.reload(users)
            try await asks.connection.expectEnd()
            let answers = try await other.answers("$SYS.REQ.USER.INFO", fence: "$SYS.REQ.ACCOUNT.PING.STATZ")
            #expect(answers.count == 1)
            let refused = try await server.connect()
            await refused.send("CONNECT {\"user\":\"sys\",\"pass\":\"sys\"}\r\n")
            try await refused.expect("-ERR 'Authorization Violation'\r\n", thenEndWithin: .seconds(30))
        }
    }

    @Test("without a system account nobody answers", arguments: ServerUnderTest.available)
    func none(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, "no_system_account: true\nhttp: \"127.0.0.1:-1\"\n") { server in
            let client = try await SystemClient(server, "")
            await client.connection.send("SUB _INBOX.x 1\r\n")
            for subject in ["$SYS.REQ.USER.INFO", "$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.PING.STATZ"] {
                await client.send(subject, "", reply: "_INBOX.x")
                #expect(try await client.next().header == "NATS/1.0 503\r\nNats-Subject: \(subject)\r\n\r\n")
            }
            #expect(!(try await server.fetch("/varz").text.contains("system_account")))
        }
    }

    @Test("the system account may be anybody's, even `$G`", arguments: ServerUnderTest.available)
    func global(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, "system_account: \"$G\"\nhttp: \"127.0.0.1:-1\"\n") { server in
            let client = try await SystemClient(server, "")
            #expect(try await client.serverID().count == 56)
            #expect(try await server.fetch("/varz").text.contains("\"system_account\": \"$G\""))
            #expect(try await server.fetch("/accountz?acc=$G").text.contains("\"is_system\": true"))
        }
    }
}
