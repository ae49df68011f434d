import DequeModule
import NIOConcurrencyHelpers
import NIOCore

/// Requests to the server that wait for their turn; one after the other, on the first event loop.
///
/// nats-server events.go internalReceiveLoop has such a queue too, without limits.
final class InternalQueue: Sendable {
    typealias Handler = @Sendable (InternalMessage) -> EventLoopFuture<Void>?

    enum Pressure: Sendable {
        case low
        /// Whoever publishes such messages has to pause.
        case congested
        /// The message is lost.
        case full
    }

    private struct Entry: Sendable {
        let message: InternalMessage
        let handler: Handler
    }

    private struct State {
        var waiting = Deque<Entry>()
        var bytes = 0
        /// Whether somebody takes entries, or will.
        var isServed = false
        var hasEnded = false
        /// Who waits for the end.
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// From here on publishers are paused after each message.
    static let congested = 512
    /// Messages and bytes that may wait.
    static let largestCount = 32_768
    static let largestSize = 32 << 20
    /// Requests that are answered at a stretch.
    private static let servedAtOnce = 32

    private let loops: ServerLoops
    private let state = NIOLockedValueBox(State())

    private let losses: QueueLosses?

    init(loops: ServerLoops, losses: QueueLosses? = nil) {
        self.loops = loops
        self.losses = losses
    }

    /// Messages that wait.
    var count: Int { self.state.withLockedValue { $0.waiting.count } }

    /// Whether many wait.
    var isCongested: Bool { self.count > Self.congested }

    /// Adds a message.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - share: A part of what the queue can take that such messages must not go beyond: the rest is for others.
    ///   - handler: Called in its turn.
    /// - Returns: whether it was taken, and how many wait.
    @discardableResult
    func put(_ message: InternalMessage, share: Double = 1, _ handler: @escaping Handler) -> Pressure {
        let (pressure, isFirst, isLost) = self.state.withLockedValue { state -> (Pressure, Bool, Bool) in
            guard !state.hasEnded else { return (.full, false, false) }
            let size = message.size
            guard Double(state.waiting.count) < Double(Self.largestCount) * share,
                Double(state.bytes + size) <= Double(Self.largestSize) * share
            else {
                return (.full, false, true)
            }
            state.waiting.append(Entry(message: message, handler: handler))
            state.bytes += size
            defer { state.isServed = true }
            return (state.waiting.count > Self.congested ? .congested : .low, !state.isServed, false)
        }
        if isLost { self.losses?.add() }
        if isFirst, self.loops.onLoop(0, { self.serve(on: $0) }) == nil { self.abandon() }
        return pressure
    }

    /// Takes nothing any more, and waits until what is being handled is done; while the loops run.
    ///
    /// - Parameter discarding: Whether messages that wait are thrown away.
    func end(discarding: Bool) async {
        await withCheckedContinuation { waiter in
            let isIdle = self.state.withLockedValue { state in
                state.hasEnded = true
                if discarding {
                    state.waiting = []
                    state.bytes = 0
                }
                if state.isServed { state.waiters.append(waiter) }
                return !state.isServed
            }
            if isIdle { waiter.resume() }
        }
    }

    /// There is no loop any more.
    private func abandon() {
        self.state.withLockedValue { state in
            state.waiting = []
            state.bytes = 0
        }
        _ = self.take()
    }

    private func take() -> Entry? {
        let (entry, waiters) = self.state.withLockedValue { state -> (Entry?, [CheckedContinuation<Void, Never>]) in
            if let entry = state.waiting.popFirst() {
                state.bytes -= entry.message.size
                return (entry, [])
            }
            state.isServed = false
            defer { state.waiters = [] }
            return (nil, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        return entry
    }

    private func serve(on loop: ServerLoop) {
        for _ in 0..<Self.servedAtOnce {
            guard !loop.shared.isEnding else { return self.abandon() }
            guard let entry = self.take() else { return }
            guard let pending = entry.handler(entry.message) else { continue }
            pending.hop(to: loop.eventLoop).whenComplete { _ in self.serveLater(on: loop) }
            return
        }
        self.serveLater(on: loop)
    }

    /// Others get their turn in between.
    private func serveLater(on loop: ServerLoop) {
        guard !loop.shared.isEnding else { return self.abandon() }
        loop.eventLoop.execute { self.serve(on: loop) }
    }
}
