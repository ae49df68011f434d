import Logging
import NATSTestSupport
import NIOCore
import Testing

@testable import NATSServerCore

@Suite("timers of connections")
struct LoopTimersTests {
    private static let years = NIODeadline.now() + .hours(24 * 365 * 50)

    @Test("timers come in order, and a task is asked for only when the earliest moves forward")
    func schedule() {
        func time(_ seconds: UInt64) -> NIODeadline { .uptimeNanoseconds(seconds * 1_000_000_000) }
        var timers = LoopTimers()
        #expect(timers.nextToSchedule() == nil)
        timers.set(.keepAlive, for: 1, at: time(10))
        #expect(timers.nextToSchedule() == time(10))
        timers.set(.keepAlive, for: 2, at: time(20))
        #expect(timers.nextToSchedule() == nil)
        timers.set(.authentication, for: 2, at: time(5))
        #expect(timers.nextToSchedule() == time(5))
        #expect(timers.popDue(now: time(4)) == nil)
        #expect(timers.popDue(now: time(12))?.connection == 2)
        #expect(timers.popDue(now: time(12))?.connection == 1)
        #expect(timers.popDue(now: time(12)) == nil)
        timers.scheduledFired(time(5))
        #expect(timers.nextToSchedule() == time(20))
    }

    @Test("the timers of past connections are let go of, however late they are")
    func sweep() {
        var timers = LoopTimers()
        var open: Set<UInt64> = []
        var most = 0
        // A hundred stay, ten thousand come and go.
        for id in UInt64(0)..<10_100 {
            timers.set(.authentication, for: id, at: Self.years + .nanoseconds(Int64(id)))
            timers.set(.keepAlive, for: id, at: Self.years)
            open.insert(id)
            if id >= 100 {
                open.remove(id)
                let remaining = open
                timers.connectionEnded(remaining: remaining.count) { remaining.contains($0) }
            }
            most = max(most, timers.count)
        }
        #expect(most <= 2 * (100 + 100 + 1))
        #expect(timers.count >= 200, "those of the connections that are there stay")
        for id in UInt64(0)..<100 {
            open.remove(id)
            let remaining = open
            timers.connectionEnded(remaining: remaining.count) { remaining.contains($0) }
        }
        #expect(timers.count == 0)
        let due = timers.popDue(now: Self.years + .hours(1))
        #expect(due == nil)
    }

    @Test("those that stay go off in order after a sweep")
    func order() {
        var timers = LoopTimers()
        for id in UInt64(0)..<200 {
            timers.set(.keepAlive, for: id, at: Self.years + .nanoseconds(Int64((id * 37) % 200)))
        }
        for _ in 0..<100 { timers.connectionEnded(remaining: 100) { $0.isMultiple(of: 2) } }
        #expect(timers.count == 100)
        var fired: [LoopTimers.Timer] = []
        while let timer = timers.popDue(now: Self.years + .hours(1)) { fired.append(timer) }
        #expect(fired.count == 100 && fired.allSatisfy { $0.connection.isMultiple(of: 2) })
        #expect(fired.map(\.deadline) == fired.map(\.deadline).sorted())
    }

    @Test("a server whose clients are gone has no timer left, whatever its ping_interval")
    func server() async throws {
        var options = ServerOptions(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        options.host = "127.0.0.1"
        options.port = -1
        options.eventLoopCount = 1
        options.pingInterval = .seconds(60 * 60 * 24 * 365 * 10)
        options.token = "t"
        options.authTimeout = .seconds(60 * 60 * 24 * 365)
        let server = Server(options: options)
        try await server.start()
        func timers() async -> Int {
            await server.loops.answers { $0.timerCount }.reduce(0, +)
        }
        for _ in 0..<3 {
            var peers: [RawConnection] = []
            for _ in 0..<20 {
                let peer = try RawConnection.connect(port: server.boundPort)
                try await peer.readInfo()
                await peer.send("CONNECT {\"verbose\":false,\"auth_token\":\"t\"}\r\nPING\r\n")
                _ = try await peer.read(until: "PONG\r\n")
                peers.append(peer)
            }
            #expect(await timers() >= 20)
            for peer in peers { peer.close() }
            try await eventually("no timer is left") { await timers() == 0 }
        }
        await server.shutdown()
    }
}
