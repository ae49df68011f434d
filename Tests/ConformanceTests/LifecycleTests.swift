import Foundation
import NATSTestSupport
import Testing

/// Time-outs, limits and ends; time is only bounded from below, because a slow machine must not fail these.
@Suite("lifecycle")
struct LifecycleTests {
    @Test("row 20: authorization must come in time", arguments: ServerUnderTest.available)
    func authenticationTimeout(server: ServerUnderTest) async throws {
        try await server.withServer(.init(token: "tok", authTimeout: .seconds(1))) { server in
            // Not a moment between connecting and CONNECT, whatever else runs on the machine.
            let inTime = try server.rawConnection()
            _ = inTime.sendWhatFits(Array("CONNECT {\"auth_token\":\"tok\"}\r\n".utf8))
            try await inTime.readInfo()
            try await inTime.expect("+OK\r\n")
            let start = ContinuousClock.now
            let silent = try await server.connect()
            let begun = try await server.connect()
            await begun.send("CONNECT {\"auth_token\":")
            try await silent.expect("-ERR 'Authentication Timeout'\r\n")
            #expect(ContinuousClock.now - start > .milliseconds(800))
            try await silent.expectEnd()
            try await begun.expect("-ERR 'Authentication Timeout'\r\n")
            try await begun.expectEnd()
            try await inTime.expectNothing()
        }
    }

    @Test("row 26: one connection too many", arguments: ServerUnderTest.available)
    func maxConnections(server: ServerUnderTest) async throws {
        try await server.withServer(.init(maxConnections: 5)) { server in
            var peers: [RawConnection] = []
            for _ in 0..<5 {
                let peer = try await server.connect()
                try await peer.expectNothing()
                peers.append(peer)
            }
            for _ in 0..<3 {
                let sixth = try server.rawConnection()
                try await sixth.readInfo()
                try await sixth.expect("-ERR 'maximum connections exceeded'\r\n")
                try await sixth.expectEnd()
            }
            for peer in peers {
                try await peer.expectNothing()
            }
            peers[0].close()
            try await eventually("room for another connection") {
                let peer = try await server.connect()
                await peer.send("PING\r\n")
                return try await peer.readLine() == "PONG"
            }
        }
    }

    @Test("row 27: a client that answers no PING is stale", arguments: ServerUnderTest.available, [true, false])
    func staleConnection(server: ServerUnderTest, sendsConnect: Bool) async throws {
        try await server.withServer(.init(pingInterval: .seconds(1), pingsOutMax: 2)) { server in
            let start = ContinuousClock.now
            let peer = try await server.connect(answersPings: false)
            if sendsConnect {
                await peer.send(quiet)
            }
            try await peer.expect("PING\r\n")
            #expect(ContinuousClock.now - start > .milliseconds(800))
            try await peer.expect("PING\r\n")
            #expect(ContinuousClock.now - start > .milliseconds(1800))
            try await peer.expect("-ERR 'Stale Connection'\r\n")
            #expect(ContinuousClock.now - start > .milliseconds(2800))
            try await peer.expectEnd()
        }
    }

    @Test("any PONG keeps a connection alive", arguments: ServerUnderTest.available)
    func pongKeepsAlive(server: ServerUnderTest) async throws {
        try await server.withServer(.init(pingInterval: .milliseconds(400), pingsOutMax: 5)) { server in
            let peer = try await server.connect(options: "{\"verbose\":false}")
            #expect(await peer.wait { $0.answeredPings >= 11 || $0.end != nil })
            peer.stopAnsweringPings()
            try await peer.expect(String(repeating: "PING\r\n", count: 5))
            try await peer.expect("-ERR 'Stale Connection'\r\n")
            try await peer.expectEnd()
        }
    }

    @Test("the first PING comes soon after CONNECT, however long the interval", arguments: ServerUnderTest.available)
    func firstPing(server: ServerUnderTest) async throws {
        try await server.withServer(.init(pingInterval: .seconds(120))) { server in
            let peer = try await server.connect(answersPings: false)
            let start = ContinuousClock.now
            await peer.send(quiet)
            try await peer.expect("PING\r\n")
            #expect(ContinuousClock.now - start > .milliseconds(1800))
        }
    }

    @Test("a busy client is asked once only", arguments: ServerUnderTest.available)
    func busyClient(server: ServerUnderTest) async throws {
        try await server.withServer(.init(pingInterval: .seconds(1))) { server in
            let busy = try await server.connect(options: "{\"verbose\":false}")
            let idle = try await server.connect(options: "{\"verbose\":false}")
            let client = BusyClient(busy)
            // The idle one's PINGs tell the time: four of them are about four intervals.
            #expect(await idle.wait { $0.answeredPings >= 4 })
            let (asked, longestPause) = client.stop()
            try await busy.expectNothing()
            // On a machine that held the client up there is nothing to judge.
            if longestPause < .milliseconds(900) {
                #expect(asked <= 1)
            }
        }
    }

    @Test(
        "row 33: clients of a server that is stopped see the end and nothing else",
        arguments: ServerUnderTest.available
    )
    func shutdown(server: ServerUnderTest) async throws {
        let running = try await server.start()
        var peers: [RawConnection] = []
        for index in 0..<4 {
            let peer = try await running.connect()
            await peer.send(index % 2 == 0 ? quiet : "SUB foo 1\r\n")
            if index % 2 == 1 {
                try await peer.expect("+OK\r\n")
            }
            try await peer.expectNothing()
            peers.append(peer)
        }
        await running.stop()
        for peer in peers {
            try await peer.expectEnd()
        }
        let port = running.port
        #expect(throws: SystemError.self) { try RawConnection.connect(port: port) }
    }

    /// Publishes to a subscriber that does not read until the server gives it up, which the publisher learns from 503.
    private func floodUntilGone(
        _ server: RunningServer,
        subscriber: RawConnection,
        size: Int
    ) async throws -> (sent: Int, received: [UInt8]) {
        let publisher = try await server.connect(
            options: "{\"verbose\":false,\"headers\":true,\"no_responders\":true}"
        )
        await publisher.send("SUB in 1\r\n")
        await subscriber.send(quiet + "SUB flood 1\r\n")
        try await subscriber.expectNothing()
        subscriber.pauseReading()
        let payload = String(repeating: "x", count: size)
        let message = "PUB flood in \(size)\r\n\(payload)\r\nPING\r\n"
        var sent = 0
        try await eventually("end of the slow consumer", timeout: .seconds(60)) {
            for _ in 0..<32 {
                await publisher.send(message)
                let answer = try await publisher.read(until: "PONG\r\n")
                guard answer.count == 6 else {
                    return true
                }
                sent += size
            }
            // Enough for every buffer on the way; now only the time counts.
            return false
        }
        subscriber.resumeReading()
        let received = try await subscriber.readToEnd()
        try await publisher.expectNothing()
        return (sent, received)
    }

    @Test("a subscriber that never reads costs the others no message", arguments: ServerUnderTest.available)
    func deadSubscriber(server: ServerUnderTest) async throws {
        let configuration = ServerConfiguration(maxPending: 2 << 20, writeDeadline: .seconds(60))
        try await server.withServer(configuration) { server in
            let dead = try await server.connect(options: "{\"verbose\":false}")
            await dead.send("SUB flood.only.dead 1\r\nSUB flood.> 2\r\n")
            try await dead.expectNothing()
            dead.pauseReading()
            let healthy = try await server.connect(options: "{\"verbose\":false}")
            await healthy.send("SUB flood.all 1\r\n")
            try await healthy.expectNothing()
            let publisher = try await server.connect(
                options: "{\"verbose\":false,\"headers\":true,\"no_responders\":true}"
            )
            await publisher.send("SUB in 1\r\n")

            let filling = String(repeating: "x", count: 4000)
            var number = 0
            var isCut = false
            while !isCut {
                var sent = ""
                var expected = ""
                for _ in 0..<64 {
                    number += 1
                    let payload = "\(number) \(filling)"
                    sent += "PUB flood.all \(payload.utf8.count)\r\n\(payload)\r\n"
                    expected += "MSG flood.all 1 \(payload.utf8.count)\r\n\(payload)\r\n"
                }
                await publisher.send(sent)
                try await healthy.expect(expected)
                await publisher.send("PUB flood.only.dead in 0\r\n\r\nPING\r\n")
                isCut = try await publisher.read(until: "PONG\r\n").count > 6
                try #require(number < 100_000, "400 MB and still not cut off")
            }
            dead.resumeReading()
            let received = try await dead.readToEnd()
            #expect(received.count < number * 4000)
            try await healthy.expectNothing()
        }
    }

    @Test("a subscriber with too much pending is cut off without a word", arguments: ServerUnderTest.available)
    func slowConsumerPending(server: ServerUnderTest) async throws {
        let configuration = ServerConfiguration(maxPayload: 65536, maxPending: 262_144, writeDeadline: .seconds(60))
        try await server.withServer(configuration) { server in
            let subscriber = try await server.connect()
            let (sent, received) = try await self.floodUntilGone(server, subscriber: subscriber, size: 65536)
            #expect(received.count < sent)
            #expect(!received.suffix(200).contains(UInt8(ascii: "-")))
        }
    }

    @Test(
        "a subscriber that takes nothing for too long is cut off without a word",
        arguments: ServerUnderTest.available
    )
    func slowConsumerDeadline(server: ServerUnderTest) async throws {
        let configuration = ServerConfiguration(maxPending: 256 << 20, writeDeadline: .milliseconds(500))
        try await server.withServer(configuration) { server in
            let subscriber = try await server.connect()
            let (sent, received) = try await self.floodUntilGone(server, subscriber: subscriber, size: 4096)
            #expect(received.count < sent)
            #expect(!received.suffix(200).contains(UInt8(ascii: "-")))
        }
    }
}

/// Publishes every 50 ms on a thread of its own, because tasks may have to wait for seconds while many tests run.
private final class BusyClient: Sendable {
    fileprivate struct State: Sendable {
        var isOver = false
        var lastSent: ContinuousClock.Instant?
        var longestPause: Duration = .zero
        var askedBefore = 0
    }

    private let connection: RawConnection
    private let state = Watched(State())

    init(_ connection: RawConnection) {
        self.connection = connection
        let state = self.state
        state.update { state in
            state.askedBefore = connection.answeredPings
            state.lastSent = .now
        }
        Thread.detachNewThread {
            while !state.value.isOver {
                _ = connection.sendWhatFits(Array("PUB foo 1\r\nx\r\n".utf8))
                state.update { $0.pause(until: .now) }
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
    }

    /// How many PINGs came while it was busy, and how long it was not.
    func stop() -> (asked: Int, longestPause: Duration) {
        let asked = self.connection.answeredPings
        return self.state.update { state in
            state.isOver = true
            state.pause(until: .now)
            return (asked - state.askedBefore, state.longestPause)
        }
    }
}

extension BusyClient.State {
    fileprivate mutating func pause(until now: ContinuousClock.Instant) {
        if let lastSent = self.lastSent {
            self.longestPause = max(self.longestPause, now - lastSent)
        }
        self.lastSent = now
    }
}
