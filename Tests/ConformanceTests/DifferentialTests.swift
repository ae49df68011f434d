import NATSTestSupport
import Testing

/// Random conversations must go the same way with both servers.
@Suite("differential")
struct DifferentialTests {
    /// What every connection received, step by step.
    typealias Record = [[String]]

    /// Plays a scenario; after each step every connection is asked for all it got so far, by PING.
    private static func play(_ scenario: Scenario, on server: RunningServer) async throws -> Record {
        var peers: [RawConnection?] = []
        var record: Record = []
        for connect in scenario.connects {
            let peer = try await server.connect()
            await peer.send(connect)
            let (frames, isOpen) = try await Self.answer(of: peer, pongs: 1, scenario)
            record.append(frames)
            peers.append(isOpen ? peer : nil)
        }
        for step in scenario.steps {
            guard let peer = peers[step.connection] else {
                continue
            }
            await peer.send(step.bytes)
            // The sender first: its PONG says that the step has been worked on.
            let others = peers.indices.filter { $0 != step.connection }
            for index in [step.connection] + others {
                guard let peer = peers[index] else {
                    continue
                }
                let pongs = index == step.connection ? step.pongs + 1 : 1
                let (frames, isOpen) = try await Self.answer(of: peer, pongs: pongs, scenario)
                record.append(["\(index) after \(describe(Array(step.bytes.utf8)))"] + frames)
                if !isOpen {
                    peers[index] = nil
                }
            }
        }
        return record
    }

    private static func answer(
        of peer: RawConnection,
        pongs: Int,
        _ scenario: Scenario
    ) async throws -> (frames: [String], isOpen: Bool) {
        await peer.send("PING\r\n")
        let bytes = try await peer.readAll(pongs: pongs, scenario)
        return (Frames(bytes.bytes).normalised + (bytes.isEnd ? ["end"] : []), !bytes.isEnd)
    }

    private static func firstDifference(_ official: Record, _ ours: Record) -> String? {
        for (index, expected) in official.enumerated() {
            let got = index < ours.count ? ours[index] : ["nothing"]
            if got != expected {
                return "official \(expected)\n  ours     \(got)"
            }
        }
        return nil
    }

    private static let count = TestDependencies.number("NATS_DIFFERENTIAL_COUNT") ?? 400
    private static let firstSeed = TestDependencies.number("NATS_FUZZ_SEED") ?? 1

    @Test(
        "the official server gives the same answers twice, so that differences mean something",
        .enabled(if: ServerUnderTest.available.contains(.official))
    )
    func officialIsDeterministic() async throws {
        try await Self.compare(.official, .official, count: min(Self.count, 100))
    }

    @Test(
        "ours answers like the official server",
        .enabled(if: ServerUnderTest.available.contains(.official)),
        arguments: [ServerUnderTest.ours, .oursOnManyLoops]
    )
    func oursIsLikeOfficial(server: ServerUnderTest) async throws {
        try await Self.compare(.official, server, count: Self.count)
    }

    private static func compare(_ left: ServerUnderTest, _ right: ServerUnderTest, count: Int) async throws {
        let first = try await left.start()
        let second = try await right.start()
        var differences = 0
        for seed in UInt64(Self.firstSeed)..<UInt64(Self.firstSeed + count) {
            let scenario = Scenario(seed: seed, connections: 1 + Int(seed % 3), steps: 14)
            let expected = try await Self.play(scenario, on: first)
            let got = try await Self.play(scenario, on: second)
            if let difference = Self.firstDifference(expected, got) {
                differences += 1
                Issue.record("\(difference)\n\(scenario)")
                if differences == 10 {
                    break
                }
            }
        }
        await first.stop()
        await second.stop()
    }
}

extension RawConnection {
    /// Takes everything up to the given number of PONGs or the end.
    func readAll(pongs: Int, _ scenario: Scenario) async throws -> (bytes: [UInt8], isEnd: Bool) {
        let inTime = await self.wait { $0.end != nil || Frames($0.bytes).pongs >= pongs }
        guard inTime else {
            throw ConditionNotMet(
                description: "\(pongs) PONGs not received but \(describe(self.takeAll()))\n\(scenario)"
            )
        }
        let isEnd = self.hasEnded
        return (self.takeAll(), isEnd)
    }
}
