import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

/// Reconnect after reconnect, in the middle of whatever a client does.
@Suite struct ManyReconnectsTests {
    @Test(
        "a thousand reconnects keep every promise and leave nothing behind",
        arguments: [[.close], [.reset], [.close, .reset, .finish, .garbage([0, 13, 10])]] as [[FaultProxy.End]]
    )
    func thousand(_ ends: [FaultProxy.End]) async throws {
        try await ManyReconnects(ends: ends).run()
    }
}

/// One client that loses its connection again and again, in the middle of whatever it does.
struct ManyReconnects: Sendable {
    let ends: [FaultProxy.End]

    private struct Usage {
        var sockets: Int?
        var memory: Int
    }

    private func check(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        guard condition else { throw ConditionNotMet(description: what()) }
    }

    func run() async throws {
        let rounds = TestDependencies.runsLongTests ? 1000 : 40
        var random = SeededGenerator(seed: 1)
        let server = try await NATSTestServer.start()
        let proxy = try await FaultProxy.start(to: server.port)
        let ports = [proxy.port, server.port]
        let socketsBefore = OpenSockets.count(ports: ports)
        let other = try await NATSClient.connect(quickConfiguration(server.clientURL))
        let responder = try await other.subscribe("echo", confirm: true)
        let responding = Task {
            for try await message in responder { try await message.respond("") }
        }
        let sequence = try await other.subscribe("sequence", confirm: true)
        let client = try await NATSClient.connect(instantConfiguration(proxy.url))
        let plain = try await client.subscribe("a")
        let queue = try await client.subscribe("a", queue: "q")
        let silent = try await client.subscribe("silent")
        try await client.flush()
        var warm: Usage?
        var number = 0
        var flushed: Set<String> = []
        for round in 1...rounds {
            let reconnects = client.statistics.reconnects
            // Every second time the next connection breaks as well, somewhere.
            if random.chance(50) {
                let direction: FaultProxy.Direction = random.pick(.toServer, .toClient)
                proxy.plan(.init(direction, after: Int.random(in: 0..<600, using: &random), self.ends[0]))
            } else {
                proxy.plan()
            }
            async let waiting = plain.next(timeout: .seconds(120))
            async let nothing = outcome { try await silent.next(timeout: .milliseconds(1)) }
            async let requests = self.requests(client)
            async let flush = outcome { try await client.flush(timeout: .seconds(120)) }
            for _ in 0..<Int.random(in: 0..<20, using: &random) {
                number += 1
                try await client.publish("\(number)", to: "sequence")
            }
            let end = self.ends[round % self.ends.count]
            await proxy.cut(end, random.pick(.toServer, .toClient))
            if case .garbage = end {
                await proxy.cut(.reset)
            }
            let codes = await [flush, nothing] + requests
            let expected: Set<NATSError.Code?> = [nil, .disconnected, .timeout]
            try self.check(codes.allSatisfy { expected.contains($0) }, "round \(round): \(codes)")
            try await eventually("round \(round)") { client.statistics.reconnects > reconnects }
            try await flushThrough(client)
            await proxy.arm(nil)
            number += 1
            flushed.insert("\(number)")
            try await client.publish("\(number)", to: "sequence")
            try await client.publish("\(round)", to: "a")
            try self.check(try await waiting?.string == "\(round)", "round \(round)")
            try self.check(try await queue.next(timeout: .seconds(120))?.string == "\(round)", "round \(round)")
            try await client.flush()
            if round == rounds / 4 {
                try await self.settle(proxy)
                warm = Usage(sockets: OpenSockets.count(ports: ports), memory: ResidentMemory.ofThisProcess)
            }
        }
        try await self.settle(proxy)
        try await eventually("as many sockets as in the beginning: \(String(describing: warm?.sockets))") {
            OpenSockets.count(ports: ports) == warm?.sockets
        }
        let growth = ResidentMemory.ofThisProcess - (warm?.memory ?? 0)
        // Other tests run beside this one.
        if ResidentMemory.isMeaningful, rounds == 1000 {
            try self.check(growth < 64 << 20, "\(growth) bytes more")
        }
        try self.check(client.statistics.outstandingRequests == 0, "requests are left")
        try self.check(plain.statistics.pendingMessages == 0 && queue.statistics.pendingMessages == 0, "too many")

        // At most once, in order, and everything that was sent on a whole connection.
        var last = 0
        try await other.flush()
        while sequence.statistics.pendingMessages > 0, let message = try await sequence.next(timeout: .seconds(120)) {
            let value = Int(message.string) ?? 0
            try self.check(value > last, "\(value) behind \(last)")
            last = value
            flushed.remove(message.string)
        }
        try self.check(flushed.isEmpty, "lost: \(flushed)")
        await client.close()
        await other.close()
        try await responding.value
        try await self.settle(proxy, count: 0)
        try await eventually("the sockets to be closed") { OpenSockets.count(ports: ports) == socketsBefore }
        await proxy.close()
        await server.stop()
    }

    private func requests(_ client: NATSClient) async -> [NATSError.Code?] {
        async let answered = outcome { try await client.request("", to: "echo", timeout: .seconds(120)) }
        async let unanswered = outcome { try await client.request("", to: "silent", timeout: .milliseconds(5)) }
        return await [answered, unanswered]
    }

    private func settle(_ proxy: FaultProxy, count: Int = 1) async throws {
        try await eventually("old connections to go") { await proxy.openCount == count }
    }
}
