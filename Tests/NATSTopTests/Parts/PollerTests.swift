import NATSTestSupport
import NATSTop
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import nats_top

@Suite("nats-top asks again and again")
struct PollerTests {
    /// Server a hangs until it is told to answer; b answers at once.
    private final class HangingSource: PageSource {
        let asked = Watched<[String]>([])
        private let shown = NIOLockedValueBox("a")
        private let answer = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)

        var title: String { self.shown.withLockedValue { $0 } }
        let introduction = ""
        func begin() {}

        func fetch(_ request: Request) async throws(FetchError) -> PageAnswer {
            let title = self.title
            self.asked.update { $0.append("\(title) \(request.path)") }
            if title == "a" { try? await self.answer.futureResult.get() }
            return .body(Array(Fixture.varz().utf8))
        }

        func question(_ request: Request) -> String { "" }
        func watch(_ server: String) { self.shown.withLockedValue { $0 = server } }
        func watchNext() -> Bool { false }
        func release() { self.answer.succeed() }
    }

    @Test("a server that hangs does not keep the user from another one, and what it says later is not wanted")
    func hangs() async throws {
        let source = HangingSource()
        let mailbox = try Mailbox()
        let poller = Poller(
            source: source,
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(),
            mailbox: mailbox,
            delay: .zero,
            records: false,
            start: .now,
            requests: [.server, .routes]
        )
        let running = Task { await poller.run() }
        #expect(await source.asked.wait { $0 == ["a \(Request.server.path)"] })
        poller.watch("b", [.server])
        var rounds: [Round] = []
        func takeRounds() {
            for case .round(let round) in mailbox.take() { rounds.append(round) }
        }
        try await eventually("rounds of the other server") {
            takeRounds()
            return rounds.count >= 3
        }
        source.release()
        let count = rounds.count
        try await eventually("more of them") {
            takeRounds()
            return rounds.count >= count + 3
        }
        #expect(rounds.allSatisfy { $0.title == "b" && $0.turn == poller.turn })
        #expect(source.asked.value.count { $0.hasPrefix("a ") } == 1)
        #expect(!source.asked.value.contains("b \(Request.routes.path)"))
        running.cancel()
        let ended = Watched(false)
        Task {
            await running.value
            ended.update { $0 = true }
        }
        try await eventually("the end") {
            takeRounds()
            return ended.value
        }
    }
}
