import NATSTestSupport
import NIOCore
import Testing

@testable import NATSServerCore

@Suite struct MonitoringValueTests {
    private func time(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds * 1e9)) }

    private func closed(_ id: UInt64, subscriptions: Int = 0) -> ClosedConnection {
        var figures = ConnectionFigures(id: id, start: self.time(1), lastActivity: self.time(2))
        figures.subscriptions = subscriptions
        var snapshot = ConnectionSnapshot(figures: figures)
        snapshot.subscriptions = (0..<subscriptions).map {
            SubscriptionSnapshot(subject: "s", sid: "\($0)", connection: id)
        }
        return ClosedConnection(snapshot, stop: self.time(3), reason: "Client Closed")
    }

    // MARK: Times

    @Test(
        "times are RFC 3339 without trailing zeros",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_795_247_183_459_481_000, "2026-11-21T07:46:23.459481Z"),
            (1_795_247_183_120_000_000, "2026-11-21T07:46:23.12Z"),
            (951_782_399_000_000_001, "2000-02-28T23:59:59.000000001Z"),
            (951_868_800_000_000_000, "2000-03-01T00:00:00Z"), (4_107_542_399_000_000_000, "2100-02-28T23:59:59Z"),
            (-1_000_000_000, "1969-12-31T23:59:59Z"),
        ] as [(Int64, String)]
    )
    func timestamps(nanoseconds: Int64, text: String) {
        #expect(String(decoding: TimeText.rfc3339(nanoseconds), as: UTF8.self) == text)
    }

    @Test("the Date header")
    func dateHeader() {
        #expect(TimeText.http(1_795_247_184_000_000_000) == "Sat, 21 Nov 2026 07:46:24 GMT")
        #expect(TimeText.http(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test(
        "uptimes begin with their largest unit",
        arguments: [
            (0, "0s"), (7, "7s"), (93, "1m33s"), (7205, "2h0m5s"), (86_400, "1d0h0m0s"), (31_886_166, "1y4d1h16m6s"),
            (-5, "0s"),
        ] as [(Int64, String)]
    )
    func uptimes(seconds: Int64, text: String) {
        #expect(TimeText.uptime(seconds * 1_000_000_000) == text)
    }

    @Test("round-trip times lose their nanoseconds between a microsecond and a millisecond")
    func roundTrips() {
        #expect(TimeText.roundTrip(0) == "0s")
        #expect(TimeText.roundTrip(999) == "999ns")
        #expect(TimeText.roundTrip(221_999) == "221µs")
        #expect(TimeText.roundTrip(5_096_517) == "5.096517ms")
    }

    @Test("a moment has one time, until the clock is set")
    func clock() {
        let clock = ServerClock(wallNanoseconds: 1_000_000_000_000, uptime: self.time(10))
        #expect(clock.wallNanoseconds(self.time(12)) == 1_002_000_000_000)
        #expect(clock.wallNanoseconds(self.time(9)) == 999_000_000_000)
        #expect(!clock.isOff(from: ServerClock(wallNanoseconds: 1_005_100_000_000, uptime: self.time(15))))
        #expect(clock.isOff(from: ServerClock(wallNanoseconds: 1_006_000_000_000, uptime: self.time(15))))
    }

    @Test("the processor's share is that of the time between two samples")
    func processor() {
        var sampler = ProcessorSampler()
        sampler.sample(5_000_000_000, now: self.time(100))
        #expect(sampler.percent == 0)
        sampler.sample(5_500_000_000, now: self.time(101))
        #expect(sampler.percent == 50)
        sampler.sample(8_500_000_000, now: self.time(102))
        #expect(sampler.percent == 300)
        sampler.sample(8_500_000_000, now: self.time(102))
        #expect(sampler.percent == 300)
        sampler.sample(8_501_234_000, now: self.time(103))
        #expect(sampler.percent == 0.1)
    }

    @Test("the process has memory and has used its processor")
    func usage() {
        #expect(SystemUsage.memory().resident > 1 << 20)
        #expect(SystemUsage.processorNanoseconds() > 0)
    }

    // MARK: Connections

    @Test("each sort key puts the right connection first")
    func sorting() {
        var busy = ConnectionFigures(id: 1, start: self.time(1), lastActivity: self.time(9))
        busy.traffic.messagesIn = 9
        busy.traffic.messagesOut = 9
        busy.traffic.bytesIn = 9
        busy.traffic.bytesOut = 9
        busy.subscriptions = 9
        busy.pendingBytes = 9
        busy.roundTripNanoseconds = 9
        let quiet = ConnectionFigures(id: 2, start: self.time(2), lastActivity: self.time(3))
        for sort in ConnectionQuery.Sort.allCases {
            var query = ConnectionQuery()
            query.sort = sort
            let first = query.sortKey(busy, stop: self.time(20), now: self.time(30))
            let second = query.sortKey(quiet, stop: self.time(10), now: self.time(30))
            switch sort {
            case .cid, .start, .reason: #expect(first == second, "\(sort)")
            case .idle, .uptime: #expect(second < first, "\(sort)")
            default: #expect(first < second, "\(sort)")
            }
        }
    }

    @Test("pages stay within the list")
    func pages() {
        var query = ConnectionQuery()
        query.offset = 2
        query.limit = 3
        #expect(query.page(of: 10) == 2..<5)
        #expect(query.page(of: 4) == 2..<4)
        #expect(query.page(of: 1) == 1..<1)
        query.limit = .max
        #expect(query.page(of: 10) == 2..<10)
    }

    @Test("the oldest closed connections make room for new ones")
    func ring() {
        let ring = ClosedConnections(capacity: 3)
        for id in 1...5 as ClosedRange<UInt64> { ring.append(self.closed(id)) }
        #expect(ring.all.map(\.connection.figures.id) == [3, 4, 5])
        let unlimited = ClosedConnections(capacity: 0)
        for id in 1...10_001 as ClosedRange<UInt64> { unlimited.append(self.closed(id)) }
        #expect(unlimited.all.count == 10_000)
    }

    @Test("subscriptions of closed connections are kept up to a limit, the newest ones")
    func ringSubscriptions() {
        let ring = ClosedConnections(capacity: 5)
        let many = ClosedConnections.subscriptionsKept / 2
        for id in 1...20 as ClosedRange<UInt64> {
            ring.append(self.closed(id, subscriptions: many))
            let kept = ring.all.map(\.connection.subscriptions.count)
            #expect(kept.reduce(0, +) <= ClosedConnections.subscriptionsKept)
            #expect(kept.last == many)
        }
        // The count stays.
        #expect(ring.all.allSatisfy { $0.connection.figures.subscriptions == many })
        ring.append(self.closed(99, subscriptions: ClosedConnections.subscriptionsKept + 1))
        #expect(ring.all.allSatisfy { $0.connection.subscriptions.isEmpty })
        ring.append(self.closed(100, subscriptions: 1))
        #expect(ring.all.last?.connection.subscriptions.count == 1)
    }

    // MARK: Health

    @Test("a server that takes no clients is not healthy")
    func unhealthy() {
        let plain = HealthzDocument(HealthzDocument.Query(), isReady: false)
        #expect(plain.status == 500)
        #expect(
            String(decoding: plain.json, as: UTF8.self)
                == #"{"status":"error","error":"failed to be ready for connections after 1ms: server"}"#
        )
        #expect(plain.warning == #"Healthcheck failed: "failed to be ready for connections after 1ms: server""#)
        let detailed = HealthzDocument(HealthzDocument.Query(details: true), isReady: false)
        #expect(String(decoding: detailed.json, as: UTF8.self).contains(#""errors":[{"type":"CONNECTION","#))
        #expect(detailed.warning == "Healthcheck failed: 1 errors")
    }
}
