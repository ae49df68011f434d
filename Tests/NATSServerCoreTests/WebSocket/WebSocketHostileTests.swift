import NATSTestSupport
import NATSWebSocket
import NIOCore
import Testing

@testable import NATSServerCore

/// Peers that do not follow the rules of WebSocket must harm nobody.
@Suite("hostile WebSocket peers") struct WebSocketHostileTests {
    private static let seconds =
        TestDependencies.number("NATS_FUZZ_SECONDS") ?? (TestDependencies.runsLongTests ? 60 : 2)
    private static let seed = UInt64(TestDependencies.number("NATS_FUZZ_SEED") ?? 20_260_301)

    /// What the parser says about a stream, whichever way it is cut; runs of data are put together.
    private struct Reading: Equatable {
        var data: [UInt8] = []
        var ends = 0
        var control: [[UInt8]] = []
        var failure: String?

        init(_ pieces: [ArraySlice<UInt8>], masked: Bool, compressing: Bool) {
            var parser = WebSocketFrameParser(isMasked: masked, isCompressing: compressing)
            for piece in pieces {
                var bytes = Array(piece)
                bytes.withUnsafeMutableBytes { bytes in
                    var position = 0
                    while let event = parser.next(bytes, &position) {
                        switch event {
                        case .data(let range, isCompressed: let isCompressed, isLast: let isLast):
                            self.data += bytes[range]
                            if isLast { self.ends += isCompressed ? 1000 : 1 }
                        case .ping(let payload): self.control.append([9] + payload)
                        case .pong: self.control.append([10])
                        case .close(let payload): self.control.append([8] + payload)
                        case .failure(let text): self.failure = text
                        }
                    }
                    if position != bytes.count { self.failure = "not all bytes were looked at" }
                }
            }
        }
    }

    @Test("random and mutated frames are read the same way however they are cut, and never yield more than they have")
    func parser() {
        var hostile = HostileFrames(seed: Self.seed)
        let deadline = ContinuousClock.now + .seconds(Self.seconds)
        var rounds = 0
        repeat {
            rounds += 1
            let bytes = hostile.stream()
            let (masked, compressing) = (hostile.chance(80), hostile.chance(50))
            let whole = Reading([bytes[...]], masked: masked, compressing: compressing)
            #expect(whole.data.count <= bytes.count)
            #expect(whole.failure != "not all bytes were looked at")
            #expect(whole.control.allSatisfy { $0.count <= 126 })
            for pieces in [ByteSlicer.pieces(bytes, of: 1), hostile.pieces(bytes)] {
                let cut = Reading(pieces, masked: masked, compressing: compressing)
                if cut != whole { Issue.record("round \(rounds), seed \(Self.seed): \(bytes)") }
            }
        } while ContinuousClock.now < deadline
    }

    @Test("a live server goes on serving those who behave", arguments: [ServerUnderTest.ours, .oursOnManyLoops])
    func server(server: ServerUnderTest) async throws {
        let text = """
            websocket { host: "127.0.0.1", port: -1, no_tls: true, compression: true, handshake_timeout: "1s" }
            max_payload: 65536
            max_pending: 4194304
            write_deadline: "2s"
            """
        try await ConfiguredServer.with(server, text) { server in
            // Before the attackers come: beside them a busy machine might not shake hands in time.
            let web = try RawConnection.connect(port: server.webSocketPort)
            _ = try await web.upgrade()
            _ = try await web.readFrame()
            let deadline = ContinuousClock.now + .seconds(Self.seconds)
            let exchanged = try await withThrowingTaskGroup(of: Int.self) { group in
                for attacker in 0..<8 {
                    group.addTask {
                        try await Self.attack(
                            server.webSocketPort,
                            seed: Self.seed &+ UInt64(attacker) &* 1_000_003,
                            until: deadline
                        )
                        return 0
                    }
                }
                group.addTask { try await Self.exchange(web, until: deadline) }
                return try await group.reduce(0, +)
            }
            #expect(exchanged > 0)
            let plain = try await server.connect("")
            try await plain.flush("")
        }
    }

    /// A client that follows the rules; returns how many of its messages came back, which must be all.
    private static func exchange(
        _ web: RawConnection,
        until deadline: ContinuousClock.Instant
    ) async throws -> Int {
        await web.send(WebSocketBytes.frame(2, "CONNECT {\"verbose\":false}\r\nSUB pair.5411d6 1\r\n"))
        var count = 0
        repeat {
            count += 1
            let payload = "message \(count)"
            let size = payload.utf8.count
            await web.send(WebSocketBytes.frame(2, "PUB pair.5411d6 \(size)\r\n\(payload)\r\n"))
            #expect(try await web.readFrame().text == "MSG pair.5411d6 1 \(size)\r\n\(payload)\r\n")
        } while ContinuousClock.now < deadline
        web.close()
        return count
    }

    /// Connects, sends what a random generator says, reads or does not, ends in one way or another; again and again.
    private static func attack(_ port: Int, seed: UInt64, until deadline: ContinuousClock.Instant) async throws {
        var hostile = HostileFrames(seed: seed)
        var held: [RawConnection] = []
        while ContinuousClock.now < deadline {
            let peer = try RawConnection.connect(port: port)
            if hostile.chance(10) { peer.pauseReading() }
            var bytes = Array(hostile.request().utf8)
            if hostile.chance(80) {
                // Nobody is served who speaks before the answer.
                _ = peer.sendWhatFits(bytes)
                _ = await peer.wait(timeout: .milliseconds(200)) { !$0.bytes.isEmpty || $0.end != nil }
                bytes = []
            }
            bytes += hostile.stream()
            for piece in hostile.pieces(bytes) {
                // A server that has stopped reading is not waited for.
                guard peer.sendWhatFits(Array(piece)) == piece.count else { break }
            }
            switch hostile.number(0...5) {
            case 0: peer.reset()
            case 1, 2: peer.close()
            default: held.append(peer)
            }
            if held.count > 12 { held.remove(at: hostile.number(0...12)).close() }
            await Task.yield()
        }
        for peer in held { peer.close() }
    }
}

/// Streams that almost follow RFC 6455 and RFC 7692.
private struct HostileFrames {
    private var generator: SeededGenerator

    init(seed: UInt64) { self.generator = SeededGenerator(seed: seed) }

    mutating func chance(_ percent: Int) -> Bool { self.generator.chance(percent) }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self.generator) }

    mutating func pieces(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        let longest = self.generator.pick(1, 3, 17, 200, 4096)
        return ByteSlicer.randomPieces(bytes, longest: max(longest, bytes.count / 200), using: &self.generator)
    }

    mutating func request() -> String {
        var bytes = Array(
            self.generator.pick(
                WebSocketBytes.request(),
                WebSocketBytes.request("/", "Sec-WebSocket-Extensions: permessage-deflate"),
                WebSocketBytes.request("/", "User-Agent: Mozilla/5.0", "Sec-WebSocket-Extensions: permessage-deflate"),
                WebSocketBytes.request("/", "Nats-No-Masking: true")
            ).utf8
        )
        if self.chance(20) {
            for _ in 0..<self.number(1...4) { bytes[self.number(0...(bytes.count - 1))] = UInt8(self.number(1...127)) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Some frames with a few to many changes.
    mutating func stream() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<self.number(1...8) { bytes += self.frame() }
        for _ in 0..<self.generator.pick(0, 0, 1, 2, 8) where !bytes.isEmpty {
            let index = self.number(0...(bytes.count - 1))
            switch self.number(0...3) {
            case 0: bytes[index] ^= 1 << UInt8(self.number(0...7))
            case 1: bytes[index] = self.generator.pick(0, 0x7d, 0x7e, 0x7f, 0x80, 0x88, 0xfe, 0xff)
            case 2: bytes.remove(at: index)
            default: bytes.insert(UInt8(self.number(0...255)), at: index)
            }
        }
        return bytes
    }

    private mutating func frame() -> [UInt8] {
        let opcode = UInt8(self.generator.pick(0, 1, 2, 2, 2, 2, 8, 9, 9, 10, self.number(0...15)))
        let mask: [UInt8]? = self.chance(85) ? (0..<4).map { _ in UInt8(self.number(0...255)) } : nil
        return WebSocketBytes.frame(
            opcode,
            self.payload(opcode),
            isFinal: self.chance(85),
            reserved: self.generator.pick(0, 0, 0, 0, 4, 4, 4, UInt8(self.number(0...7))),
            mask: mask
        )
    }

    private mutating func payload(_ opcode: UInt8) -> [UInt8] {
        if opcode >= 8 {
            let size = self.generator.pick(0, 1, 2, 5, 125, 126)
            return (0..<size).map { index in index == 0 ? 3 : UInt8(self.number(0...255)) }
        }
        let text = self.generator.pick(
            "",
            "PING\r\n",
            "PI",
            "NG\r\n",
            "CONNECT {\"verbose\":false}\r\n",
            "SUB > 1\r\n",
            "PUB a 3\r\nabc\r\n",
            "PUB a 99999999\r\n",
            "FOO\r\n",
            String(repeating: "PUB a 0\r\n\r\n", count: 2000)
        )
        guard self.chance(40) else { return Array(text.utf8) }
        switch self.number(0...3) {
        case 0: return (0..<self.number(0...300)).map { _ in UInt8(self.number(0...255)) }
        case 1:
            let bomb = WebSocketCoder().compress(ByteBuffer(repeating: 0x20, count: 1 << self.number(10...22)))
            return bomb.map { Array($0.readableBytesView) } ?? []
        default:
            return WebSocketCoder().compress(ByteBuffer(string: text)).map { Array($0.readableBytesView) } ?? []
        }
    }
}
