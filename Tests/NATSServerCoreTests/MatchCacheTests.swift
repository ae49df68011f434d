import Logging
import NATSTestSupport
import NATSWire
import NIOEmbedded
import Testing

@testable import NATSServerCore

@Suite("Match cache")
struct MatchCacheTests {
    /// A loop without sockets, and some connections on it.
    private final class Fixture {
        let shared: ServerShared
        let loop: ServerLoop
        let connections: [ClientConnection]
        /// Those that are still there: some tests look who keeps them.
        private var subscriptions: [() -> Subscription?] = []

        init(connectionCount: Int) {
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            let shared = ServerShared(options: ServerOptions(logger: logger))
            let loop = ServerLoop(eventLoop: EmbeddedEventLoop(), index: 0, shared: shared)
            loop.siblings = [loop]
            self.shared = shared
            self.loop = loop
            self.connections = (0..<connectionCount).map { _ in
                ClientConnection(id: shared.nextClientID(), loop: loop)
            }
        }

        deinit {
            for connection in self.connections { connection.outlet.detach() }
            // Connections that close take their subscriptions along, which refer to them.
            self.shared.accounts.global.index.remove(contentsOf: self.subscriptions.compactMap { $0() })
            self.loop.dismantle()
        }

        func subscribe(_ subject: String, queue: String = "", sid: String, on connection: Int = 0) -> Subscription? {
            let subscription = Subscription(
                subject: Array(subject.utf8),
                queue: Array(queue.utf8),
                sid: Array(sid.utf8),
                connection: self.connections[connection],
                index: self.shared.accounts.global.index,
                echo: true,
                headers: true,
                loopCount: 1
            )
            self.subscriptions.append { [weak subscription] in subscription }
            return self.shared.accounts.global.index.insert(subscription) ? subscription : nil
        }

        /// The sids that the cache would deliver a subject to.
        func sids(_ subject: String) -> [String] {
            Array(subject.utf8).withUnsafeBufferPointer { bytes in
                guard let base = bytes.baseAddress else { return [] }
                let result = self.loop.router(for: self.shared.accounts.global).cache.pointee.lookUp(
                    base,
                    bytes.count,
                    generation: self.shared.accounts.global.index.generation,
                    loop: self.loop
                )
                return (0..<result.pointee.targetCount)
                    .map { String(decoding: result.pointee.subscription(at: $0).sid, as: UTF8.self) }
                    .sorted()
            }
        }
    }

    @Test("a result follows subscriptions as they come and go")
    func invalidation() throws {
        let fixture = Fixture(connectionCount: 1)
        #expect(fixture.sids("foo.bar") == [])
        let first = try #require(fixture.subscribe("foo.bar", sid: "1"))
        #expect(fixture.sids("foo.bar") == ["1"])
        let second = try #require(fixture.subscribe("foo.*", sid: "2"))
        #expect(fixture.sids("foo.bar") == ["1", "2"])
        _ = try #require(fixture.subscribe("other", sid: "3"))
        #expect(fixture.sids("foo.bar") == ["1", "2"])
        fixture.shared.accounts.global.index.remove(first)
        fixture.shared.accounts.global.index.remove(second)
        #expect(fixture.sids("foo.bar") == [])
        #expect(fixture.sids("other") == ["3"])
    }

    @Test("changes of other subjects leave a result in place, however it was reached")
    func unconcernedChanges() throws {
        let fixture = Fixture(connectionCount: 1)
        _ = try #require(fixture.subscribe("foo", sid: "1"))
        #expect(fixture.sids("foo") == ["1"])
        let epoch = fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.epoch
        for round in 0..<100 {
            let inbox = try #require(fixture.subscribe("_INBOX.\(round)", sid: "i\(round)"))
            #expect(fixture.sids("foo") == ["1"])
            fixture.shared.accounts.global.index.remove(inbox)
        }
        #expect(
            fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.epoch == epoch,
            "no result was thrown away"
        )
        // More changes than the log holds: matched again, with the same outcome.
        for round in 0..<1_000 { _ = try #require(fixture.subscribe("x.\(round)", sid: "x\(round)")) }
        #expect(fixture.sids("foo") == ["1"])
    }

    @Test("inboxes that are used once leave no trace, others do, and all are right")
    func inboxes() throws {
        let fixture = Fixture(connectionCount: 2)
        _ = try #require(fixture.subscribe("_INBOX.client.*", sid: "all"))
        let before = fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.count
        for round in 0..<10_000 {
            let extra = round % 10 == 0 ? fixture.subscribe("_INBOX.client.\(round)", sid: "x", on: 1) : nil
            #expect((extra == nil) == (round % 10 != 0))
            #expect(fixture.sids("_INBOX.client.\(round)") == (extra == nil ? ["all"] : ["all", "x"]))
            if let extra { fixture.shared.accounts.global.index.remove(extra) }
        }
        #expect(fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.count == before)
        for _ in 0..<3 { #expect(fixture.sids("_INBOX.client.again") == ["all"]) }
        #expect(fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.count == before + 1)
        #expect(fixture.sids("_INBOX.") == [] && fixture.sids("_INBOX.x") == [])
    }

    @Test("nothing is left of what is thrown away, a result that was only passing included")
    func clear() throws {
        let fixture = Fixture(connectionCount: 1)
        weak var kept: Subscription?
        weak var passing: Subscription?
        do {
            let subscriptions = [
                try #require(fixture.subscribe("a", sid: "1")), try #require(fixture.subscribe("_INBOX.a", sid: "2")),
            ]
            (kept, passing) = (subscriptions[0], subscriptions[1])
            #expect(fixture.sids("a") == ["1"])
            #expect(fixture.sids("_INBOX.a") == ["2"])
            for subscription in subscriptions { fixture.shared.accounts.global.index.remove(subscription) }
        }
        #expect(fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.count == 1)
        #expect(kept != nil && passing != nil, "the results keep them")
        let epoch = fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.epoch
        fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.clear()
        #expect(kept == nil && passing == nil)
        #expect(
            fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.epoch != epoch,
            "pointers to them are not used any more"
        )
        #expect(fixture.sids("_INBOX.a") == [] && fixture.sids("a") == [])
        fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.clear()
        #expect(fixture.loop.router(for: fixture.shared.accounts.global).cache.pointee.count == 0)
    }

    @Test("long and short sids, several connections, queue groups")
    func targets() throws {
        let fixture = Fixture(connectionCount: 2)
        let long = String(repeating: "9", count: 40)
        _ = try #require(fixture.subscribe("a.>", sid: long))
        _ = try #require(fixture.subscribe("a.b", queue: "q", sid: "15-byte-long-id", on: 1))
        #expect(fixture.sids("a.b") == [long, "15-byte-long-id"].sorted())
    }

    @Test("random subjects under churn are delivered as the grammar says", arguments: 0..<10)
    func churn(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let fixture = Fixture(connectionCount: 3)
        var present: [Subscription] = []
        let tokens = ["a", "b", "c", "*", ">", "longer-token"]
        func randomSubject() -> String {
            (0..<Int.random(in: 1...3, using: &generator))
                .map { _ in tokens[Int.random(in: 0..<tokens.count, using: &generator)] }
                .joined(separator: ".")
        }
        // Ten runs of ten thousand lookups.
        for round in 0..<10_000 {
            if present.count < 20 || Bool.random(using: &generator), present.count < 60 {
                let queue = Int.random(in: 0..<3, using: &generator) == 0 ? "q" : ""
                let connection = Int.random(in: 0..<3, using: &generator)
                if let new = fixture.subscribe(randomSubject(), queue: queue, sid: "\(round)", on: connection) {
                    present.append(new)
                }
            } else if Int.random(in: 0..<3, using: &generator) == 0 {
                let index = Int.random(in: 0..<present.count, using: &generator)
                fixture.shared.accounts.global.index.remove(present.remove(at: index))
            }
            let subject = randomSubject()
            let expected = present.filter { subscription in
                Array(subject.utf8).withUnsafeBytes { subject in
                    subscription.subject.withUnsafeBytes { SubjectGrammar.matches(subject: subject, pattern: $0) }
                }
            }
            #expect(fixture.sids(subject) == expected.map { String(decoding: $0.sid, as: UTF8.self) }.sorted())
        }
    }

    @Test("many more subjects than the cache holds stay right")
    func eviction() throws {
        let fixture = Fixture(connectionCount: 1)
        _ = try #require(fixture.subscribe("s.*.even", sid: "e"))
        _ = try #require(fixture.subscribe("s.>", sid: "all"))
        for number in 0..<50_000 {
            let isEven = number % 2 == 0
            let subject = "s.\(number).\(isEven ? "even" : "odd")"
            #expect(fixture.sids(subject) == (isEven ? ["all", "e"] : ["all"]))
        }
    }
}
