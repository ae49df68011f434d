import NATSTop
import NIOConcurrencyHelpers
import NIOCore

/// One round of answers.
struct Round: Sendable {
    /// Our time.
    var time: Duration
    var nextPoll: Duration
    var sample: Sample
    /// The answers as they came, if somebody wants to keep them.
    var recording: Recording?
}

/// Asks for pages again and again, on the event loop.
final class Poller: Sendable {
    private struct State {
        var requests: [Request]
        var isHurried = false
        /// Between two rounds.
        var pause: EventLoopPromise<Void>?
    }

    private let client: MonitoringClient
    private let eventLoop: any EventLoop
    private let mailbox: Mailbox
    private let delay: Duration
    private let records: Bool
    private let start: ContinuousClock.Instant
    private let state: NIOLockedValueBox<State>

    init(
        client: MonitoringClient,
        eventLoop: any EventLoop,
        mailbox: Mailbox,
        delay: Duration,
        records: Bool,
        start: ContinuousClock.Instant,
        requests: [Request]
    ) {
        self.client = client
        self.eventLoop = eventLoop
        self.mailbox = mailbox
        self.delay = delay
        self.records = records
        self.start = start
        self.state = NIOLockedValueBox(State(requests: requests))
    }

    /// Sets what the next rounds ask for; `atOnce` does not wait for the time of the next one.
    func want(_ requests: [Request], atOnce: Bool) {
        let pause: EventLoopPromise<Void>? = self.state.withLockedValue { state in
            state.requests = requests
            guard atOnce else { return nil }
            state.isHurried = true
            return state.pause.take()
        }
        pause?.succeed()
    }

    /// Never returns.
    func run() async {
        while true {
            let requests = self.state.withLockedValue { state in
                state.isHurried = false
                return state.requests
            }
            let begin = self.now
            var round = await self.round(requests)
            round.time = self.now
            // A server that is slow is left alone for a while too.
            round.nextPoll = max(begin + self.delay, round.time + self.delay / 10)
            let pause = round.nextPoll - round.time
            self.mailbox.post(.round(round))
            await self.wait(for: pause)
            // Who reads our output pauses.
            while self.mailbox.hasRound { await self.wait(for: .milliseconds(20)) }
        }
    }

    private var now: Duration { ContinuousClock.now - self.start }

    private func wait(for duration: Duration) async {
        let promise = self.eventLoop.makePromise(of: Void.self)
        let timer = self.eventLoop.scheduleTask(in: TimeAmount(duration)) { promise.succeed() }
        let isHurried = self.state.withLockedValue { state in
            if !state.isHurried { state.pause = promise }
            return state.isHurried
        }
        if isHurried { promise.succeed() }
        try? await promise.futureResult.get()
        timer.cancel()
        self.state.withLockedValue { $0.pause = nil }
    }

    // MARK: Pages

    private func round(_ requests: [Request]) async -> Round {
        var round = Round(time: .zero, nextPoll: .zero, sample: Sample())
        if self.records { round.recording = Recording(time: self.now) }
        for request in requests {
            let isAnswered = await self.ask(request, &round)
            // Without the first page the server counts as lost, whatever the others would bring.
            if request == .server, !isAnswered || round.sample.server == nil { break }
        }
        return round
    }

    /// - Returns: Whether the server answered at all.
    private func ask(_ request: Request, _ round: inout Round) async -> Bool {
        do throws(FetchError) {
            let answer = try await self.client.fetch(request)
            if answer.status == 404, request == .accounts {
                // Servers before 2.8.3 count nothing by account.
                return await self.ask(.accountNames, &round)
            }
            guard answer.status == 200 else {
                round.sample.add(status: answer.status, answer.body.readableBytesView, for: request)
                round.recording?.problems = round.sample.problems
                return true
            }
            let body = Array(answer.body.readableBytesView)
            round.sample.add(body, for: request)
            round.recording?.pages.append((request, body))
            return true
        } catch {
            round.sample.addProblem("Get \"\(self.client.target.url(of: request))\": \(error.description)")
            round.recording?.problems = round.sample.problems
            return false
        }
    }
}
