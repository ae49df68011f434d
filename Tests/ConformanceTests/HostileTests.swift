import NATSTestServer
import NATSTestSupport
import Testing

/// A live server under attack must go on serving those who behave.
@Suite("hostile peers")
struct HostileTests {
    private static let seconds =
        TestDependencies.number("NATS_FUZZ_SECONDS") ?? (TestDependencies.runsLongTests ? 60 : 3)
    private static let seed = UInt64(TestDependencies.number("NATS_FUZZ_SEED") ?? 20_260_101)

    @Test("mutated streams on many connections do not harm a pair that behaves", arguments: ServerUnderTest.available)
    func mutatedStreams(server: ServerUnderTest) async throws {
        // Limits far below what the attackers send, so that these are reached too.
        let configuration = ServerConfiguration(maxPayload: 65536, maxPending: 4 << 20, writeDeadline: .seconds(2))
        try await server.withServer(configuration) { running in
            let deadline = ContinuousClock.now + .seconds(Self.seconds)
            // Half of the time for buffers and pools to become as large as they get.
            async let settled: Int = {
                try await Task.sleep(until: deadline - .seconds(Self.seconds) / 2, clock: .continuous)
                return running.residentMemory
            }()
            let exchanged = try await withThrowingTaskGroup(of: Int.self) { group in
                for attacker in 0..<12 {
                    group.addTask {
                        try await Self.attack(
                            running,
                            seed: Self.seed &+ UInt64(attacker) &* 1_000_003,
                            until: deadline
                        )
                        return 0
                    }
                }
                group.addTask { try await Self.exchange(running, until: deadline) }
                return try await group.reduce(0, +)
            }
            #expect(exchanged > 0)

            // What the attackers left behind is cleared away, and newcomers find everything in order.
            let fresh = try await running.connect()
            await fresh.send("SUB after 1\r\nPUB after 2\r\nok\r\n")
            try await fresh.expect("+OK\r\n+OK\r\nMSG after 1 2\r\nok\r\n")
            try await running.waitUntilAlone(connections: 1)

            // Other tests run in this process too, hence the wide margin of the short version.
            let growth = running.residentMemory - (try await settled)
            let allowed = Self.seconds >= 60 ? 128 << 20 : 768 << 20
            if ResidentMemory.isMeaningful {
                #expect(growth < allowed, "memory grew by \(growth >> 20) MiB, seed \(Self.seed)")
            }
        }
    }

    /// A publisher and a subscriber that follow the rules; returns how many messages arrived, which must be all.
    private static func exchange(_ server: RunningServer, until deadline: ContinuousClock.Instant) async throws -> Int {
        let publisher = try await server.connect(options: "{\"verbose\":false,\"pedantic\":false}")
        let subscriber = try await server.connect(options: "{\"verbose\":false,\"pedantic\":false}")
        let subject = "pair.b1946ac92492d2347c6235b4d2611184"
        await subscriber.send("SUB \(subject) 1\r\n")
        try await subscriber.expectNothing()
        var count = 0
        repeat {
            var sent = ""
            var expected = ""
            for _ in 0..<100 {
                count += 1
                let payload = "message \(count)"
                sent += "PUB \(subject) \(payload.utf8.count)\r\n\(payload)\r\n"
                expected += "MSG \(subject) 1 \(payload.utf8.count)\r\n\(payload)\r\n"
            }
            await publisher.send(sent)
            try await subscriber.expect(expected)
            try await publisher.expectNothing()
        } while ContinuousClock.now < deadline
        publisher.close()
        subscriber.close()
        return count
    }

    /// Connects, sends what a random generator says, reads or does not, ends in one way or another; again and again.
    private static func attack(
        _ server: RunningServer,
        seed: UInt64,
        until deadline: ContinuousClock.Instant
    ) async throws {
        var hostile = HostileBytes(seed: seed)
        var held: [RawConnection] = []
        while ContinuousClock.now < deadline {
            let peer = try server.rawConnection()
            if hostile.chance(15) {
                peer.pauseReading()
                await peer.send(quiet + "SUB > 1\r\n")
            }
            let bytes = hostile.stream()
            for piece in hostile.pieces(bytes) {
                // A server that has stopped reading is not waited for.
                guard peer.sendWhatFits(Array(piece)) == piece.count else {
                    break
                }
            }
            switch hostile.number(0...9) {
            case 0...2: peer.reset()
            case 3...5: peer.close()
            case 6:
                peer.resumeReading()
                peer.finishSending()
                _ = try await peer.readToEnd()
            default: held.append(peer)
            }
            if held.count > 12 {
                held.remove(at: hostile.number(0...12)).close()
            }
            await Task.yield()
        }
        for peer in held {
            peer.close()
        }
    }
}

extension RunningServer {
    /// Bytes the server's process holds; ours shares it with the tests.
    var residentMemory: Int {
        switch self {
        case .official(let server): ResidentMemory.of(processID: server.processID)
        case .ours: ResidentMemory.ofThisProcess
        }
    }

    /// Waits until only these many connections are left, where the server can be asked.
    func waitUntilAlone(connections: Int) async throws {
        if case .ours(let server) = self {
            try await eventually("the attackers' connections to be gone") {
                await server.statistics().connections == connections
            }
        }
    }
}
