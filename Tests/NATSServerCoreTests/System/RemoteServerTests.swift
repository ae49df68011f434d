import NIOCore
import Testing

@testable import NATSServerCore

@Suite("what is kept of other servers")
struct RemoteServerTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test("servers are told apart, and what is older than the last news is out of order")
    func sequence() {
        var servers = RemoteServers()
        func hear(_ id: String, _ sequence: UInt64, after time: TimeAmount = .zero) -> RemoteServers.News? {
            servers.heard(from: id, sequence: sequence, isPeer: true, now: self.start + time)
        }
        #expect(hear("A", 5) == .new)
        #expect(hear("A", 6) == .known)
        #expect(hear("A", 6) == .outOfOrder)
        #expect(hear("B", 1, after: .seconds(100)) == .new)
        let silent = servers.takeSilent(now: self.start + .seconds(151))
        #expect(silent == ["A"])
        let ended = [servers.ended("B"), servers.ended("B")]
        #expect(ended == [true, false])
        #expect(servers.count == 0)
    }

    @Test("made-up servers do not keep those out to which there is a route")
    func flood() {
        var servers = RemoteServers()
        var room = 0
        var now = self.start
        func hear(_ id: String, isPeer: Bool) -> RemoteServers.News? {
            now = now + .nanoseconds(1)
            return servers.heard(from: id, sequence: 1, isPeer: isPeer, now: now)
        }
        while hear("false \(room)", isPeer: false) != nil { room += 1 }
        #expect(servers.count == room && room < 10_000)
        let first = hear("peer 0", isPeer: true)
        #expect(first == .new && servers.count == room)
        let oldest = servers.ended("false 0")
        #expect(!oldest)
        for number in 1..<room { _ = hear("peer \(number)", isPeer: true) }
        #expect(servers.count == room)
        // Of peers none goes for another one.
        let another = hear("one more", isPeer: true)
        #expect(another == nil)
    }

    @Test("times that cannot be are none that can overflow", arguments: [Int64.min, -1, 0, 1, .max])
    func times(time: Int64) {
        let part = RemoteLatencies.Part(responder: [], roundTrip: time, service: time)
        let day: Int64 = 86_400_000_000_000
        #expect(part.roundTrip == min(max(time, 0), day) && part.service == part.roundTrip)
        // What is left of the time between request and answer.
        #expect(-day - part.service - part.roundTrip < 0)
    }

    @Test("halves of latencies wait for ten seconds, and not in any number of bytes")
    func latencies() {
        let latencies = RemoteLatencies()
        func tell(_ reply: String, _ size: Int, now: NIODeadline) -> Bool {
            let part = RemoteLatencies.Part(responder: Array(repeating: 0x20, count: size), roundTrip: 1, service: 1)
            return latencies.measured(Array(reply.utf8), part, isAwaited: true, now: now) != nil
        }
        for number in 0..<4096 { #expect(!tell("reply \(number)", 16 << 10, now: self.start)) }
        #expect(latencies.count == 1024)
        latencies.sweep(now: self.start + .seconds(9))
        #expect(latencies.count == 1024)
        latencies.sweep(now: self.start + .seconds(10))
        #expect(latencies.count == 0)
        #expect(!tell("a", 16 << 10, now: self.start + .seconds(11)))
        #expect(latencies.count == 1)
    }
}
