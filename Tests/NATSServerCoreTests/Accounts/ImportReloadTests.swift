import NATSTestSupport
import NIOConcurrencyHelpers
import Testing

@testable import NATSServerCore

/// Imports that change while messages flow.
@Suite("imports that a reload changes", .timeLimit(.minutes(2)))
struct ImportReloadTests {
    private static func text(_ imports: String) -> String {
        """
        accounts {
          A { users: [{user: a, password: a}], exports: [{stream: "s.>"}, {stream: "t.>"}] }
          B { users: [{user: b, password: b}], imports: [\(imports)] }
        }

        """
    }

    private static let one = "{stream: {account: A, subject: \"s.>\"}}"
    private static let other = "{stream: {account: A, subject: \"t.>\"}}"

    /// The shadows of all subscriptions.
    private func shadows(_ server: ConfiguredServer) async -> Set<ObjectIdentifier> {
        let lists = await server.ours?.loops.answers { loop in
            loop.connections.values.flatMap { connection in
                connection.subscriptions.values.flatMap { $0.shadows.map(ObjectIdentifier.init) }
            }
        }
        return Set((lists ?? []).joined())
    }

    @Test("what stays imported is left alone")
    func kept() async throws {
        try await ConfiguredServer.with(.oursOnManyLoops, Self.text(Self.one)) { server in
            let subscriber = try await server.connect("b")
            try await subscriber.flush("SUB s.a 1\r\nSUB > 2\r\nSUB t.b 3\r\n")
            let before = await self.shadows(server)
            #expect(before.count == 2)
            try await server.reload(Self.text("\(Self.one), \(Self.other)"))
            let more = await self.shadows(server)
            #expect(before.isSubset(of: more) && more.count == 4)
            try await server.reload(Self.text(Self.one))
            #expect(await self.shadows(server) == before)
            let publisher = try await server.connect("a")
            try await publisher.flush("PUB s.a 1\r\nx\r\nPUB t.b 1\r\ny\r\n")
            var lines: [String] = []
            for _ in 0..<4 { lines.append(try await subscriber.readLine()) }
            #expect(Set(lines) == ["MSG s.a 1 1", "MSG s.a 2 1", "x"])
            try await subscriber.expectNothing()
        }
    }

    @Test("a message finds either what was there or what takes its place")
    func exchange() async throws {
        try await ConfiguredServer.with(.ours, Self.text(Self.one)) { server in
            let account = try #require(server.ours?.shared.accounts["A"])
            let index = account.index
            func make(_ subject: String) -> Subscription {
                Subscription(
                    subject: Array(subject.utf8),
                    sid: Array("1".utf8),
                    service: .answer(account.responses),
                    index: index
                )
            }
            let isOver = NIOLockedValueBox(false)
            let counts = Watched<Set<Int>>([])
            let looking = Task.detached {
                while !isOver.withLockedValue({ $0 }) {
                    let count = Array("s.a".utf8).withUnsafeBufferPointer {
                        index.withMatch($0) { match, _ in match.plain.count }
                    }
                    counts.update { _ = $0.insert(count) }
                    await Task.yield()
                }
            }
            var current = [make("s.*")]
            #expect(index.insert(current[0]))
            try await eventually("it is looked at") { counts.value.contains(1) }
            counts.update { $0 = [] }
            for round in 0..<20_000 {
                current = index.exchange(current, for: [make(round.isMultiple(of: 2) ? "s.>" : "s.*")])
                #expect(current.count == 1)
            }
            try await eventually("it is looked at") { !counts.value.isEmpty }
            isOver.withLockedValue { $0 = true }
            await looking.value
            #expect(counts.value == [1])
            #expect(index.exchange(current, for: [make("..")]).isEmpty)
        }
    }
}
