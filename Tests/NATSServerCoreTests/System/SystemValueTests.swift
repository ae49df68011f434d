import NATSWire
import NIOCore
import Testing

@testable import NATSServerCore

/// The parts of the system account that only decide.
@Suite("values of the system account")
struct SystemValueTests {
    @Test("figures come after 250 ms, half a second, and so on up to ten")
    func pace() {
        var pacer = StatisticsPacer()
        var intervals: [Int64] = []
        for _ in 0..<8 {
            intervals.append(pacer.interval.nanoseconds / 1_000_000)
            pacer.beat()
        }
        #expect(intervals == [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000])
    }

    @Test("figures on the common subject are a second apart, unless somebody asks for them")
    func limit() {
        var pacer = StatisticsPacer()
        for _ in 0..<8 { pacer.beat() }
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        #expect(pacer.limit(now: start) == nil)
        #expect(pacer.limit(now: start + .milliseconds(999)) == start + .seconds(1))
        pacer.forgive()
        #expect(pacer.limit(now: start + .milliseconds(999)) == nil)
        #expect(pacer.limit(now: start + .milliseconds(1999)) == nil)
    }

    @Test("accounts with connections are told of every 30 seconds, one timer for all")
    func beats() {
        var beats = BeatSchedule<String>()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        #expect(beats.nextToSchedule() == nil)
        beats.told("A", hasConnections: true, now: start)
        #expect(beats.nextToSchedule() == start + .seconds(30))
        beats.told("B", hasConnections: true, now: start + .seconds(10))
        beats.told("C", hasConnections: true, now: start + .seconds(10))
        #expect(beats.nextToSchedule() == nil)
        // A change has been told meanwhile: the timer finds nothing.
        beats.told("A", hasConnections: true, now: start + .seconds(20))
        #expect(beats.takeDue(now: start + .seconds(30)).isEmpty)
        beats.told("C", hasConnections: false, now: start + .seconds(31))
        #expect(beats.nextToSchedule() == start + .seconds(40))
        #expect(beats.takeDue(now: start + .seconds(40)) == ["B"])
        #expect(beats.nextToSchedule() == start + .seconds(50))
        #expect(beats.takeDue(now: start + .seconds(50)) == ["A"])
        #expect(beats.nextToSchedule() == nil)
    }

    @Test(
        "a filter means servers by part of a name, or by the whole name",
        arguments: [
            ("{}", true), ("{\"server_name\":\"one\"}", true), ("{\"server_name\":\"ne\"}", true),
            ("{\"server_name\":\"ne\",\"exact_match\":true}", false), ("{\"host\":\"10.\"}", true),
            ("{\"host\":\"10.\",\"exact_match\":true}", false), ("{\"cluster\":\"c\"}", false),
            ("{\"tags\":[\"a\"]}", true), ("{\"tags\":[\"a\",\"c\"]}", false), ("{\"domain\":\"d\"}", false),
            ("{\"SERVER_NAME\":\"two\"}", false), ("{\"server_name\":null}", true),
        ]
    )
    func filter(sample: (payload: String, isMeant: Bool)) throws {
        let query = try SystemQuery(Array(sample.payload.utf8))
        #expect(query.filter.accepts(name: "one", host: "10.0.0.1", cluster: "", tags: ["a", "b"]) == sample.isMeant)
    }

    @Test("a query that nests without end is refused")
    func deepQuery() {
        let payload = Array(String(repeating: "[", count: 100_000).utf8)
        #expect(throws: JSONError.self) { try SystemQuery(payload) }
    }

    @Test("every account but the system account imports four services of it, and only once")
    func links() {
        let once = SystemLinks.complete([AccountOptions(name: "A")], system: "SYS")
        #expect(once.map(\.name) == ["A", "$G", "SYS"])
        #expect(
            once[0].imports.map(\.localSubject) == [
                "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.STATZ",
                "$SYS.REQ.USER.INFO",
            ]
        )
        #expect(once[0].imports.allSatisfy { $0.account == "SYS" })
        #expect(once[2].exports.count == 4)
        #expect(once[2].imports.map(\.subject) == ["$SYS.REQ.USER.SYS.INFO"])
        #expect(SystemLinks.complete(once, system: "SYS") == once)
        #expect(SystemLinks.complete([AccountOptions(name: "A")], system: nil).map(\.name) == ["A"])
    }

    @Test("without blanks a document keeps those of its texts")
    func compact() {
        var writer = JSONDocumentWriter()
        writer.object { writer in
            writer.write("a b", "c \"d\" \\ e\n")
            writer.array("f") { $0.element(" ") }
        }
        let text = String(decoding: JSONDocumentWriter.compact(writer.bytes), as: UTF8.self)
        #expect(text == #"{"a b":"c \"d\" \\ e\n","f":[" "]}"#)
    }
}
