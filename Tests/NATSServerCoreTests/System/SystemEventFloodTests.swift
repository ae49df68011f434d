import Logging
import NATSTestSupport
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import NATSServerCore

/// Clients that come and go faster than anybody can be told.
@Suite("floods of events of the system account", .timeLimit(.minutes(2)))
struct SystemEventFloodTests {
    private static let text = """
        accounts {
          SYS { users: [{user: sys, password: sys}] }
          A { users: [{user: a, password: a}] }
          B { users: [{user: b, password: b}] }
        }
        system_account: SYS

        """

    /// Lets the first event loop wait while the body runs; whatever is told meanwhile waits too.
    private func whileBusy(_ server: Server, _ body: () -> Void) {
        let lock = NIOLock()
        lock.lock()
        server.loops.onLoop(0) { _ in lock.withLock {} }
        body()
        lock.unlock()
    }

    private func withServer(_ body: (Server, ConfiguredServer, SystemService) async throws -> Void) async throws {
        try await ConfiguredServer.with(.ours, Self.text) { running in
            let server = try #require(running.ours)
            try await body(server, running, try #require(server.shared.system))
        }
    }

    @Test("numbers of clients are not made for nobody")
    func nobodyListens() async throws {
        try await self.withServer { server, _, system in
            let account = try #require(server.shared.accounts["A"])
            self.whileBusy(server) {
                for count in 0..<1000 { system.connectionsChanged(of: account, connections: count) }
                #expect(system.events.count == 0)
            }
        }
    }

    @Test("of a flood the last number of each account is told, and nothing else is lost")
    func coalesced() async throws {
        try await self.withServer { server, running, system in
            let listener = try await SystemClient(running, "sys")
            try await listener.connection.flush("SUB $SYS.ACCOUNT.*.SERVER.CONNS 1\r\nSUB other 2\r\n")
            let first = try #require(server.shared.accounts["A"])
            let second = try #require(server.shared.accounts["B"])
            let client = try await running.connect("b")
            _ = try await listener.next()
            self.whileBusy(server) {
                for count in 1...40_000 {
                    system.connectionsChanged(of: first, connections: count)
                    if count == 20_000 { system.connectionsChanged(of: second, connections: 1) }
                }
                system.publish("other") { _ in [0x21] }
                #expect(system.events.count < 2 * InternalQueue.congested)
            }
            var last: [String: String] = [:]
            var count = 0
            while last["other"] == nil {
                let message = try await listener.next()
                last[message.subject] = message.text
                count += 1
            }
            #expect(count < 2 * InternalQueue.congested)
            // What holds by then, not what was counted when it was queued.
            #expect(last["$SYS.ACCOUNT.A.SERVER.CONNS"]?.contains("\"conns\":0,") == true)
            #expect(last["$SYS.ACCOUNT.B.SERVER.CONNS"]?.contains("\"conns\":1,") == true)
            client.close()
        }
    }

    @Test("events that cannot be kept are counted and logged, and leave room for numbers of clients")
    func losses() async throws {
        try await self.withServer { server, running, system in
            let listener = try await SystemClient(running, "sys")
            try await listener.connection.flush("SUB $SYS.ACCOUNT.A.SERVER.CONNS 1\r\n")
            let account = try #require(server.shared.accounts["A"])
            self.whileBusy(server) {
                for _ in 0..<InternalQueue.largestCount { system.publish("nobody") { _ in [] } }
                #expect(system.events.count <= InternalQueue.largestCount / 2)
                system.connectionsChanged(of: account, connections: 1)
            }
            #expect(try await listener.next().text.contains("\"conns\":0,"))
            let lines = running.log.split(separator: "\n").filter { $0.contains("SYSTEM - Too many events") }
            #expect((1...60).contains(lines.count), "\(lines)")
        }
    }
}
