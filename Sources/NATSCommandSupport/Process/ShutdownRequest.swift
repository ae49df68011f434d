import NIOConcurrencyHelpers

/// Whether a signal asked the tool to end, and who waits to hear of it.
package final class ShutdownRequest: Sendable {
    private struct State {
        var signal: Int32?
        var nextWaiter: UInt64 = 0
        /// Not a dictionary, for a few: that would cost each start a search among all conformances (decision 0013).
        var waiters: [(id: UInt64, continuation: CheckedContinuation<Int32?, Never>)] = []
        /// Calls that there is no coming back from once the signal came.
        var abandonable = 0
        var task: Task<Void, Never>?
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
        let first: ([CheckedContinuation<Int32?, Never>], abandoned: Task<Void, Never>?)? = self.state.withLockedValue {
            state in
            guard state.signal == nil else { return nil }
            state.signal = signal
            defer { state.waiters.removeAll() }
            return (state.waiters.map(\.continuation), state.abandonable > 0 ? state.task : nil)
        }
        guard let (waiters, abandoned) = first else { return false }
        abandoned?.cancel()
        for waiter in waiters { waiter.resume(returning: signal) }
        return true
    }

    /// The tool's task.
    var task: Task<Void, Never>? {
        get { self.state.withLockedValue { $0.task } }
        set { self.state.withLockedValue { $0.task = newValue } }
    }

    /// Runs `body`, a part of the tool's task, which is cancelled when a signal comes meanwhile.
    ///
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; `CancellationError` if the signal was there before.
    func abandonable<Result>(_ body: () async throws -> Result) async throws -> Result {
        let isWanted = self.state.withLockedValue { state in
            if state.signal == nil { state.abandonable += 1 }
            return state.signal == nil
        }
        guard isWanted else { throw CancellationError() }
        defer { self.state.withLockedValue { $0.abandonable -= 1 } }
        return try await body()
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
                    state.waiters.append((id, continuation))
                    return nil
                }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            let waiter = self.state.withLockedValue { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: nil)
        }
    }
}
