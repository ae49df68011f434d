import NATSBenchSupport
import NATSClient
import NATSCommandSupport
import NIOCore

/// Does one run: starts all clients, waits until they are done or something ends them, and gathers what they measured.
struct BenchRunner: Sendable {
    let plan: BenchPlan
    let work: BenchWork
    let context: ToolContext
    let connections: BenchConnections
    let options: BenchOptions
    let deadline: ContinuousClock.Instant?

    /// Why a run ended.
    enum End: Sendable {
        case complete
        /// `--max-time`.
        case timePassed
        case signalled
        case failed(any Error)
    }

    private enum Event: Sendable {
        case sent(Int, ClientOutcome)
        case received(Int, ClientOutcome)
        case durationPassed
        case deadlinePassed
        case signalled
        /// Whoever is still at work gets no more time.
        case patienceEnded
        case none
    }

    /// What senders get to end in good order when they are told to.
    private static let patience: Duration = .seconds(1)

    /// Does it.
    ///
    /// - Parameters:
    ///   - messages: Nil: without end.
    ///   - isWarmup: The duration does not count for it.
    ///   - progress: Shows how far it is.
    ///   - onReady: Called when the server knows all subscriptions, before anything is sent.
    /// - Returns: What was measured, and why it ended.
    /// - Throws: What kept the server from taking the subscriptions.
    func run(
        messages: Int?,
        isWarmup: Bool,
        progress: ProgressBar?,
        onReady: () -> Void
    ) async throws -> (BenchRun, End) {
        let isShared = self.plan.receivers > 0 && self.plan.queue != nil
        let control = BenchControl(target: messages, isShared: isShared)
        let subscriptions = try await self.context.cancelledBySignal { try await self.subscribe() }
        onReady()
        let senderCounters = self.connections.senders.map { _ in BenchCounter() }
        let receiverCounters = self.connections.receivers.map { _ in BenchCounter() }

        var sent = [ClientOutcome?](repeating: nil, count: self.connections.senders.count)
        var received = [ClientOutcome?](repeating: nil, count: self.connections.receivers.count)
        var end = End.complete
        var isTimeUp = false

        await withTaskGroup(of: Event.self) { group in
            self.addReceivers(&group, subscriptions, control, receiverCounters)
            self.addSenders(&group, messages, control, senderCounters)
            self.addWatchers(&group, isWarmup: isWarmup)
            let copies = (self.plan.sends ? 1 : 0) + (isShared ? 1 : self.plan.receivers)
            group.addTask {
                await progress?.run(senderCounters + receiverCounters, target: messages.map { $0 * copies })
                return .none
            }

            var sendersLeft = sent.count
            var receiversLeft = received.count
            /// Ends the run before its time.
            func stop(_ reason: End) {
                guard case .complete = end else { return }
                end = reason
                control.stop()
                guard sendersLeft > 0 else { return group.cancelAll() }
                group.addTask {
                    try? await Task.sleep(for: Self.patience)
                    return .patienceEnded
                }
            }

            var isSettling = false
            /// Gives receivers time for what is on its way to them.
            func settle(target: Int) {
                guard !isSettling else { return }
                isSettling = true
                var silence = self.context.settings.timeout
                if case .complete = end {} else { silence = Self.patience }
                group.addTask { [silence] in
                    await Self.settle(receiverCounters, target: target, isShared: isShared, silence: silence)
                    return .patienceEnded
                }
            }

            for await event in group {
                switch event {
                case .sent(let index, let outcome):
                    sent[index] = outcome
                    sendersLeft -= 1
                    if let error = outcome.error { stop(.failed(error)) }
                    guard sendersLeft == 0, receiversLeft > 0 else { break }
                    let total = sent.reduce(0) { $0 + ($1?.sample.messages ?? 0) }
                    control.setTarget(total)
                    settle(target: total)
                case .received(let index, let outcome):
                    received[index] = outcome
                    receiversLeft -= 1
                    if let error = outcome.error { stop(.failed(error)) }
                    // Of those who share, one sees that all messages have come; others may still be at theirs.
                    if isShared, !self.plan.sends, let messages { settle(target: messages) }
                case .durationPassed:
                    isTimeUp = true
                    control.stop()
                    if sendersLeft == 0, !self.plan.sends { group.cancelAll() }
                case .deadlinePassed:
                    stop(.timePassed)
                case .signalled:
                    stop(.signalled)
                case .patienceEnded:
                    group.cancelAll()
                case .none:
                    break
                }
                // Only watchers are left.
                if sendersLeft == 0, receiversLeft == 0 { group.cancelAll() }
            }
        }
        withExtendedLifetime(subscriptions) {}
        var run = self.result(sent, received, messages: messages, isShared: isShared, end: end)
        // Who was told to stop had no time for the rest of its share.
        if isTimeUp { for index in run.senders.samples.indices { run.senders.samples[index].expected = nil } }
        return (run, end)
    }

    private func subscribe() async throws -> [NATSSubscription] {
        var subscriptions: [NATSSubscription] = []
        let subject = self.work.content(of: 0, count: nil).subjects.pattern
        for client in self.connections.receivers {
            subscriptions.append(
                try await client.subscribe(
                    subject,
                    queue: self.plan.queue,
                    limits: .init(messages: nil, bytes: nil),
                    confirm: true
                )
            )
        }
        return subscriptions
    }

    private func addReceivers(
        _ group: inout TaskGroup<Event>,
        _ subscriptions: [NATSSubscription],
        _ control: BenchControl,
        _ counters: [BenchCounter]
    ) {
        for (index, subscription) in subscriptions.enumerated() {
            let client = self.connections.receivers[index]
            let receiver = ReceiveClient(
                client: client,
                subscription: subscription,
                response: self.plan.receiverRole == .responder ? self.work.response : nil,
                warmup: self.plan.sends ? 0 : self.plan.warmup,
                control: control,
                counter: counters[index]
            )
            group.addTask(executorPreference: client.taskExecutor) { .received(index, await receiver.run()) }
        }
    }

    private func addSenders(
        _ group: inout TaskGroup<Event>,
        _ messages: Int?,
        _ control: BenchControl,
        _ counters: [BenchCounter]
    ) {
        let shares = messages.map { BenchPlan.shares(of: $0, over: self.connections.senders.count) }
        var offset = 0
        for (index, client) in self.connections.senders.enumerated() {
            var content = self.work.content(of: offset, count: shares?[index])
            content.pace = self.work.pace
            offset += shares?[index] ?? 0
            let finished = content
            switch self.plan.senderRole {
            case .requestor, .streamPublisher:
                let requestor = RequestClient(
                    client: client,
                    content: finished,
                    expectsAcknowledgements: self.plan.senderRole == .streamPublisher,
                    control: control,
                    counter: counters[index],
                    timeout: self.context.settings.timeout
                )
                group.addTask(executorPreference: client.taskExecutor) { .sent(index, await requestor.run()) }
            case .publisher, .subscriber, .responder:
                let publisher = PublishClient(
                    client: client,
                    content: finished,
                    control: control,
                    counter: counters[index],
                    flushTimeout: self.context.flushTimeout
                )
                group.addTask(executorPreference: client.taskExecutor) { .sent(index, await publisher.run()) }
            }
        }
    }

    private func addWatchers(_ group: inout TaskGroup<Event>, isWarmup: Bool) {
        let shutdown = self.context.shutdown
        group.addTask { await shutdown.wait() == nil ? .none : .signalled }
        if let deadline = self.deadline {
            group.addTask {
                do {
                    try await Task.sleep(until: deadline, clock: .continuous)
                    return .deadlinePassed
                } catch {
                    return .none
                }
            }
        }
        if let duration = self.options.load.duration?.duration, !isWarmup {
            group.addTask {
                do {
                    try await Task.sleep(for: duration)
                    return .durationPassed
                } catch {
                    return .none
                }
            }
        }
    }

    /// Waits until the receivers have everything, or nothing comes any more.
    private static func settle(
        _ counters: [BenchCounter],
        target: Int,
        isShared: Bool,
        silence: Duration
    ) async {
        var last = -1
        var quietSince = ContinuousClock.now
        while !Task.isCancelled {
            let counts = counters.map(\.count)
            let sum = counts.reduce(0, +)
            if isShared ? sum >= target : counts.allSatisfy({ $0 >= target }) { return }
            if sum != last {
                last = sum
                quietSince = .now
            } else if ContinuousClock.now - quietSince > silence {
                return
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    private func result(
        _ sent: [ClientOutcome?],
        _ received: [ClientOutcome?],
        messages: Int?,
        isShared: Bool,
        end: End
    ) -> BenchRun {
        let senders = sent.map { $0?.sample ?? BenchSample() }
        var receivers = received.map { $0?.sample ?? BenchSample() }
        var target = self.plan.sends ? senders.reduce(0) { $0 + $1.messages } : messages
        // Who is told when to stop has lost nothing.
        if !self.plan.sends, self.options.load.duration != nil { target = nil }
        if case .timePassed = end { target = messages ?? target }
        if !isShared {
            for index in receivers.indices { receivers[index].expected = target }
        }
        return BenchRun(
            senders: BenchGroup(role: self.plan.senderRole, samples: senders),
            receivers: BenchGroup(role: self.plan.receiverRole, samples: receivers),
            sharedTarget: isShared ? target : nil
        )
    }
}
