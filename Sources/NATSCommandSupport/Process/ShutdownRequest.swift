import NIOConcurrencyHelpers

/// Whether a signal asked the tool to end, and who waits to hear of it.
package final class ShutdownRequest: Sendable {
    private struct State {
        var signal: Int32?
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Int32?, Never>] = [:]
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    /// The signal that was received, if any.
    package var signal: Int32? {
        self.state.withLockedValue { $0.signal }
    }

    /// Notes `signal`.
    ///
    /// - Returns: False if there was one before.
    package func request(signal: Int32) -> Bool {
        let waiters: [CheckedContinuation<Int32?, Never>]? = self.state.withLockedValue { state in
            guard state.signal == nil else { return nil }
            state.signal = signal
            let waiters = Array(state.waiters.values)
            state.waiters.removeAll()
            return waiters
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.resume(returning: signal) }
        return true
    }

    /// Waits for the signal; nil if the task is cancelled first.
    package func wait() async -> Int32? {
        let id = self.state.withLockedValue { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let result: Int32?? = self.state.withLockedValue { state in
                    if let signal = state.signal { return .some(signal) }
                    // A cancellation that comes later finds the waiter; one that came earlier is seen here.
                    if Task.isCancelled { return .some(nil) }
                    state.waiters[id] = continuation
                    return nil
                }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            let waiter = self.state.withLockedValue { $0.waiters.removeValue(forKey: id) }
            waiter?.resume(returning: nil)
        }
    }
}
