import NIOConcurrencyHelpers

/// Lets so many requests be under way at a time, and has their replies printed in the order of the requests.
///
/// Requests are numbered from 0 in the order of ``start()``. Each waits for its turn, and leaves when it is done.
final class RequestTurns: Sendable {
    private struct State {
        var started = 0
        /// Whose turn it is.
        var turn = 0
        var isStopped = false
        var waitingForPlace: CheckedContinuation<Void, Never>?
        var waitingForEnd: CheckedContinuation<Void, Never>?
        var waitingForStop: CheckedContinuation<Void, Never>?
        var waitingForTurn: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let limit: Int
    private let state = NIOLockedValueBox(State())

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes the next number as soon as fewer than the limit are under way; nil once ``stop()`` was called.
    ///
    /// There is only one caller at a time.
    func start() async -> Int? {
        while true {
            let (number, mustWait): (Int?, Bool) = self.state.withLockedValue { state in
                if state.isStopped { return (nil, false) }
                guard state.started - state.turn < self.limit else { return (nil, true) }
                defer { state.started += 1 }
                return (state.started, false)
            }
            guard mustWait else { return number }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isReady = self.state.withLockedValue { state in
                    if state.isStopped || state.started - state.turn < self.limit { return true }
                    state.waitingForPlace = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    /// Waits until every request that was started has left, or everybody was sent home.
    ///
    /// Only for the caller of ``start()``.
    func waitUntilDone() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isDone = self.state.withLockedValue { state in
                if state.isStopped || state.started == state.turn { return true }
                state.waitingForEnd = continuation
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    /// Waits until all requests before `number` have left; false once ``stop()`` was called.
    func waitForTurn(_ number: Int) async -> Bool {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isReady = self.state.withLockedValue { state in
                if state.isStopped || state.turn == number { return true }
                state.waitingForTurn[number] = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        return !self.isStopped
    }

    /// Waits until ``stop()`` is called; it always is in the end.
    func waitUntilStopped() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isStopped = self.state.withLockedValue { state in
                if !state.isStopped { state.waitingForStop = continuation }
                return state.isStopped
            }
            if isStopped { continuation.resume() }
        }
    }

    /// The request whose turn it was is done.
    func leave() {
        let waiters = self.state.withLockedValue { state in
            state.turn += 1
            var waiters = [state.waitingForPlace, state.waitingForTurn.removeValue(forKey: state.turn)]
            state.waitingForPlace = nil
            if state.started == state.turn {
                waiters.append(state.waitingForEnd)
                state.waitingForEnd = nil
            }
            return waiters
        }
        for waiter in waiters { waiter?.resume() }
    }

    /// Sends everybody home.
    func stop() {
        let waiters = self.state.withLockedValue { state in
            state.isStopped = true
            let waiters =
                [state.waitingForPlace, state.waitingForEnd, state.waitingForStop] + Array(state.waitingForTurn.values)
            state.waitingForPlace = nil
            state.waitingForEnd = nil
            state.waitingForStop = nil
            state.waitingForTurn = [:]
            return waiters
        }
        for waiter in waiters { waiter?.resume() }
    }

    /// Whether ``stop()`` was called.
    var isStopped: Bool {
        self.state.withLockedValue { $0.isStopped }
    }
}
