import NATSTestSupport
import NATSWire
import NIOCore
import Testing

@testable import NATSServerCore

/// Long pages over NATS: whole, bounded, and not made by the event loops that deliver messages.
@Suite("long pages of the system account", .timeLimit(.minutes(2)))
struct SystemPageTests {
    private static func text(maxPending: Int = 64 << 20) -> String {
        """
        max_pending: \(maxPending)
        accounts {
          SYS { users: [{user: sys, password: sys}] }
          A { users: [{user: a, password: a}] }
        }
        system_account: SYS

        """
    }

    private static let page = "$SYS.REQ.ACCOUNT.PING.CONNZ"
    /// Answered in its turn by the official server too.
    private static let fence = page

    private func member(_ key: String, of value: JSONValue?) -> JSONValue? {
        guard case .object(let members) = value else { return nil }
        return members.last { $0.key == key }?.value
    }

    private func elements(_ value: JSONValue?) -> [JSONValue] {
        if case .array(let elements) = value { return elements }
        return []
    }

    private func subscribe(_ client: RawConnection, _ count: Int, to subject: (Int) -> String) async throws {
        try await client.flush((0..<count).map { "SUB \(subject($0)) \($0)\r\n" }.joined())
    }

    @Test("all of many subscriptions of a connection are listed once", arguments: ServerUnderTest.available)
    func manySubscriptions(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.text()) { server in
            let asks = try await SystemClient(server, "a", name: "asks")
            let many = try await server.connect("a", ",\"name\":\"many\"")
            // Half of them with the same subject.
            try await self.subscribe(many, 5000) { $0.isMultiple(of: 2) ? "same" : "other.\($0)" }
            let few = try await server.connect("a", ",\"name\":\"few\"")
            try await self.subscribe(few, 3) { "few.\($0)" }
            for detail in ["subscriptions", "subscriptions_detail"] {
                let answers = try await asks.answers(Self.page, "{\"\(detail)\":true}", fence: Self.fence)
                let answer = try #require(answers.first.flatMap { try? JSONValue.parse($0.payload) })
                let connections = self.elements(self.member("connections", of: self.member("data", of: answer)))
                let key = detail == "subscriptions" ? "subscriptions_list" : "subscriptions_list_detail"
                let lists = connections.map { connection in
                    self.elements(self.member(key, of: connection)).map { element in
                        "\(self.member("sid", of: element) ?? element)"
                    }
                }
                #expect(lists.map(\.count).sorted().suffix(2) == [3, 5000])
                let longest = lists.max { $0.count < $1.count } ?? []
                #expect(Set(longest).count == (detail == "subscriptions" ? 2501 : 5000))
            }
        }
    }

    @Test("connections are found by one of many subscriptions", arguments: ServerUnderTest.available)
    func filter(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.text()) { server in
            let asks = try await SystemClient(server, "sys", name: "asks")
            var clients: [RawConnection] = []
            for index in 0..<2 {
                let many = try await server.connect("a", ",\"name\":\"many\(index)\"")
                try await self.subscribe(many, 2000) { "of.\(index).\($0)" }
                clients.append(many)
            }
            defer { for client in clients { client.close() } }
            for (subject, count) in [("of.1.1999", 1), ("of.*.7", 2), ("of.1.2000", 0)] {
                let payload = "{\"filter_subject\":\"\(subject)\",\"acc\":\"A\"}"
                let answers = try await asks.answers(
                    "$SYS.REQ.SERVER.PING.CONNZ",
                    payload,
                    fence: "$SYS.REQ.SERVER.PING.IDZ"
                )
                let text = answers.first?.text ?? ""
                #expect(text.contains("\"num_connections\":\(count),"), "\(subject): \(text.prefix(500))")
            }
        }
    }

    @Test(
        "a page that nobody could take is refused, and nobody is cut off",
        arguments: [ServerUnderTest.ours, .oursOnManyLoops]
    )
    func tooLarge(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.text(maxPending: 1 << 20)) { server in
            let asks = try await SystemClient(server, "a", name: "asks")
            var clients: [RawConnection] = []
            for _ in 0..<8 {
                let client = try await server.connect("a")
                try await self.subscribe(client, 1000) { "\(String(repeating: "n", count: 200)).\($0)" }
                clients.append(client)
            }
            let all = "{\"subscriptions_detail\":true,\"limit\":1000000000}"
            let refused = try await asks.answers(Self.page, all, fence: Self.fence)
            #expect(
                refused.map(\.text).joined().contains("the answer is too large"),
                "\(refused.first?.text.prefix(300) ?? "")"
            )
            let one = try await asks.answers(
                Self.page,
                "{\"subscriptions_detail\":true,\"limit\":2}",
                fence: Self.fence
            )
            #expect(one.map(\.text).joined().contains("\"num_connections\":2,"))
            let system = try await SystemClient(server, "sys")
            let fence = "$SYS.REQ.SERVER.PING.IDZ"
            let subscriptions = "$SYS.REQ.ACCOUNT.A.SUBSZ"
            let list = try await system.answers(subscriptions, "{\"limit\":100000}", fence: fence)
            #expect(list.map(\.text).joined().contains("the answer is too large"))
            let part = try await system.answers(subscriptions, "{\"limit\":10}", fence: fence)
            #expect(part.map(\.text).joined().contains("\"limit\":10,"))
        }
    }

    @Test("pages are not put together on the event loops of the clients")
    func thread() async throws {
        try await ConfiguredServer.with(.ours, Self.text()) { running in
            let system = try #require(running.ours?.shared.system)
            let eventLoop = try #require(system.pageThread.eventLoop)
            let loops = running.ours?.loops.all ?? []
            #expect(!loops.isEmpty && loops.allSatisfy { $0.eventLoop !== eventLoop })
            // Nothing is answered while that thread is busy, and clients are served.
            let asks = try await SystemClient(running, "a")
            let promise = eventLoop.makePromise(of: Void.self)
            let isBusy = Watched(true)
            defer { isBusy.update { $0 = false } }
            eventLoop.execute {
                while isBusy.value {}
                promise.succeed()
            }
            await asks.connection.send("SUB answer 1\r\nSUB own 2\r\n")
            await asks.send(Self.page, "", reply: "answer")
            await asks.connection.send("PUB own 0\r\n\r\nPING\r\n")
            try await asks.connection.expect("MSG own 2 0\r\n\r\nPONG\r\n")
            isBusy.update { $0 = false }
            try await promise.futureResult.get()
            #expect(try await asks.next().subject == "answer")
        }
    }
}
