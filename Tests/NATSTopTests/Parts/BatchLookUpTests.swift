import Dispatch
import NATSCommandSupport
import NATSTestSupport
import NATSTop
import NIOPosix
import Testing

@testable import nats_top

@Suite("nats-top --batch and names of hosts")
struct BatchLookUpTests {
    /// Never asked: the tests post rounds themselves.
    private struct NoSource: PageSource {
        let title = ""
        let introduction = ""
        func begin() {}
        func fetch(_ request: Request) async throws(FetchError) -> PageAnswer { throw .closed }
        func question(_ request: Request) -> String { "" }
        func watch(_ server: String) {}
        func watchNext() -> Bool { false }
    }

    /// A name server that is silent until the gate is open.
    private final class NameServer: Sendable {
        let asked = Watched<[String]>([])
        private let gate = DispatchSemaphore(value: 0)

        func name(_ address: String) -> String? {
            self.asked.update { $0.append(address) }
            self.gate.wait()
            self.gate.signal()
            return "host-\(address)"
        }

        func open() { self.gate.signal() }
    }

    /// Seconds since the epoch of a round's answers, long ago.
    private static func round(_ number: Int, _ addresses: [String]) -> Round {
        let connections = addresses.enumerated().map { Fixture.connection($0.offset + 1, ip: $0.element, fields: "") }
        let page = Fixture.connz(connections.map { $0.replacing(",}", with: "}") })
        return Round(
            time: .seconds(number),
            date: Int64(number) * 1_000_000_000,
            took: .zero,
            nextPoll: .zero,
            sample: Fixture.sample([(.server, Fixture.varz(second: number)), (Fixture.connections, page)]),
            title: "",
            turn: 0
        )
    }

    @Test("a silent name server delays no round beyond the next one, and each has the time of its answers")
    func silence() async throws {
        let directory = try TemporaryDirectory()
        let mailbox = try Mailbox()
        let nameServer = NameServer()
        let names = HostNames(mailbox: mailbox) { nameServer.name($0) }
        let poller = Poller(
            source: NoSource(),
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(),
            mailbox: mailbox,
            delay: .seconds(1),
            records: false,
            start: .now,
            requests: []
        )
        let status = Watched<ToolStatus?>(nil)
        let isStarted = POSIX.startThread {
            var settings = Settings()
            settings.looksUpNames = true
            do {
                var program = BatchProgram(
                    model: Model(settings: settings),
                    source: .server(poller, names),
                    mailbox: mailbox,
                    formatter: BatchFormatter(format: .log),
                    output: try OutputFile(directory.path + "/out"),
                    recording: nil,
                    limit: 4
                )
                let end = try program.run()
                status.update { $0 = end }
            } catch {
                status.update { $0 = .failure }
            }
        }
        try #require(isStarted)
        func stamps() -> [String] {
            directory.read("out").split(separator: "\n").filter { $0.hasSuffix("Z up") }.map(String.init)
        }
        mailbox.post(.round(Self.round(1, ["192.0.2.1"])))
        #expect(await nameServer.asked.wait { $0 == ["192.0.2.1"] })
        mailbox.post(.round(Self.round(2, ["192.0.2.1", "192.0.2.2"])))
        try await eventually("the first round") { stamps() == ["1970-01-01T00:00:01.000000Z up"] }
        mailbox.post(.round(Self.round(3, ["192.0.2.1", "192.0.2.2"])))
        // Its names have been waited for already.
        try await eventually("all three, in \(stamps())") { stamps().count == 3 }
        #expect(nameServer.asked.value == ["192.0.2.1"], "one at a time")
        nameServer.open()
        // One after the other: the first one has its name when the second is asked for.
        #expect(await nameServer.asked.wait { $0 == ["192.0.2.1", "192.0.2.2"] })
        mailbox.post(.round(Self.round(4, ["192.0.2.1", "192.0.2.2"])))
        #expect(await status.wait { $0 != nil })
        #expect(status.value == .success)
        #expect(stamps() == (1...4).map { "1970-01-01T00:00:0\($0).000000Z up" })
        #expect(directory.read("out").contains("host-192.0.2.1:4000"))
    }

    @Test("what is looked up is what the last round wants")
    func lastRound() async throws {
        let mailbox = try Mailbox()
        let nameServer = NameServer()
        let names = HostNames(mailbox: mailbox) { nameServer.name($0) }
        names.want(["a", "b", "c"])
        #expect(await nameServer.asked.wait { $0 == ["a"] })
        names.want(["c", "d"])
        nameServer.open()
        #expect(await nameServer.asked.wait { $0 == ["a", "c", "d"] })
        try await eventually("the last name") {
            mailbox.take().contains { if case .hostName(_, "d") = $0 { true } else { false } }
        }
        names.want(["a", "c"])
        #expect(nameServer.asked.value == ["a", "c", "d"])
    }

    @Test("a name is waited for once, and no longer than the limit")
    func waits() {
        let now = ContinuousClock.now
        var waitedFor: Set<String> = []
        let first = NameWait(for: ["a", "b"], but: &waitedFor, now: now)
        #expect(!first.isOver(unknown: ["a", "b"], now: now))
        #expect(!first.isOver(unknown: ["b"], now: now))
        #expect(first.isOver(unknown: ["x"], now: now))
        #expect(first.isOver(unknown: ["b"], now: first.deadline))
        let second = NameWait(for: ["a", "c"], but: &waitedFor, now: now)
        #expect(!second.isOver(unknown: ["a", "c"], now: now))
        #expect(second.isOver(unknown: ["a"], now: now))
        #expect(NameWait(for: ["a"], but: &waitedFor, now: now).isOver(unknown: ["a"], now: now))
    }
}
