import NATSClient
import NATSCommandSupport
import NATSTop
import NIOConcurrencyHelpers
import NIOCore

/// One round of answers.
struct Round: Sendable {
    /// Our time when it was complete.
    var time: Duration
    /// The same as nanoseconds since the epoch.
    var date: Int64 = 0
    /// How long it took.
    var took: Duration
    var nextPoll: Duration
    var sample: Sample
    /// Where the server was asked, as it is shown.
    var title: String
    /// Counts the servers that were asked one after the other.
    var turn: Int
    /// The answers as they came, if somebody wants to keep them.
    var recording: Recording?
}

/// Asks for pages again and again, on the event loop.
final class Poller: Sendable {
    private struct State {
        var requests: [Request]
        var isHurried = false
        var turn = 0
        /// Between two rounds.
        var pause: EventLoopPromise<Void>?
        /// Ends the wait for the round under way.
        var abandon: (@Sendable () -> Void)?
    }

    private let source: any PageSource
    private let eventLoop: any EventLoop
    private let mailbox: Mailbox
    private let delay: Duration
    private let records: Bool
    private let start: ContinuousClock.Instant
    private let state: NIOLockedValueBox<State>

    init(
        source: any PageSource,
        eventLoop: any EventLoop,
        mailbox: Mailbox,
        delay: Duration,
        records: Bool,
        start: ContinuousClock.Instant,
        requests: [Request]
    ) {
        self.source = source
        self.eventLoop = eventLoop
        self.mailbox = mailbox
        self.delay = delay
        self.records = records
        self.start = start
        self.state = NIOLockedValueBox(State(requests: requests))
    }

    /// Stands before what went wrong at the start.
    var introduction: String { self.source.introduction }

    /// Counts the servers that were asked: a ``Round`` of another turn is about another server.
    var turn: Int { self.state.withLockedValue { $0.turn } }

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

    /// Asks another server from now on, at once.
    func watch(_ server: String, _ requests: [Request]) {
        self.source.watch(server)
        let abandon = self.state.withLockedValue { state in
            state.turn += 1
            return state.abandon.take()
        }
        self.want(requests, atOnce: true)
        abandon?()
    }

    /// Asks the next of the servers that the user named, at once; false if there is none left.
    func watchNext() -> Bool {
        guard self.source.watchNext() else { return false }
        let requests = self.state.withLockedValue { state in
            state.turn += 1
            return state.requests
        }
        self.want(requests, atOnce: true)
        return true
    }

    /// Runs until the task is cancelled, if somebody takes the rounds then.
    func run() async {
        while !Task.isCancelled {
            let (requests, turn) = self.state.withLockedValue { state in
                state.isHurried = false
                return (state.requests, state.turn)
            }
            let begin = self.now
            self.source.begin()
            guard var round = await self.round(requests, turn: turn) else { continue }
            round.turn = turn
            round.time = self.now
            round.date = POSIX.nanosecondsSinceEpoch
            round.took = round.time - begin
            // A server that is slow is left alone for a while too.
            round.nextPoll = max(begin + self.delay, round.time + self.delay / 10)
            round.recording?.time = round.time
            round.recording?.took = round.took
            round.recording?.target = round.title
            // Pages that cannot be read are problems too.
            round.recording?.problems = round.sample.problems
            let pause = round.nextPoll - round.time
            self.mailbox.post(.round(round))
            await self.wait(for: pause)
            // Who reads our output pauses.
            await self.waitUntilTaken()
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

    private func waitUntilTaken() async {
        let promise = self.eventLoop.makePromise(of: Void.self)
        self.mailbox.whenRoundsAreTaken { promise.succeed() }
        try? await promise.futureResult.get()
    }

    // MARK: Pages

    /// One round, on its own; nil if another server is to be asked before it is complete.
    ///
    /// What is left of it then ends with the request under way: a server that hangs must not keep the user from others.
    private func round(_ requests: [Request], turn: Int) async -> Round? {
        let promise = self.eventLoop.makePromise(of: Round?.self)
        let task = Task.detached(executorPreference: NATSTaskExecutor(eventLoop: self.eventLoop)) {
            promise.succeed(await self.round(requests))
        }
        let abandon: @Sendable () -> Void = {
            task.cancel()
            promise.succeed(nil)
        }
        let isLate = self.state.withLockedValue { state in
            if state.turn == turn { state.abandon = abandon }
            return state.turn != turn
        }
        if isLate { abandon() }
        defer { self.state.withLockedValue { $0.abandon = nil } }
        return try? await promise.futureResult.get()
    }

    private func round(_ requests: [Request]) async -> Round {
        var round = Round(time: .zero, took: .zero, nextPoll: .zero, sample: Sample(), title: "", turn: 0)
        if self.records { round.recording = Recording(time: .zero) }
        for request in requests {
            // The source may ask another server by now.
            if Task.isCancelled { break }
            let isAnswered = await self.ask(request, &round)
            // Without the first page the server counts as lost, whatever the others would bring; the cluster is more.
            if request == .server, !isAnswered || round.sample.server == nil { break }
        }
        round.title = self.source.title
        return round
    }

    /// - Returns: Whether the server answered at all.
    private func ask(_ request: Request, _ round: inout Round) async -> Bool {
        do throws(FetchError) {
            switch try await self.source.fetch(request) {
            case .refusal(404, _) where request == .accounts:
                // Servers before 2.8.3 count nothing by account.
                return await self.ask(.accountNames, &round)
            case .refusal(let status, let body):
                round.sample.add(status: status, body, for: request)
            case .body(let body):
                round.sample.add(body, for: request)
                round.recording?.add(body, for: request)
            case .page(let page):
                round.sample.add(page, for: request)
                round.recording?.add(page, for: request)
            }
            return true
        } catch {
            round.sample.addProblem("\(self.source.question(request)): \(error.description)")
            return false
        }
    }
}
