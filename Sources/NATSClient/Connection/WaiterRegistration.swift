import NIOConcurrencyHelpers

/// Joins a waiter's number, known only once it waits, with a cancellation that may come before or after.
final class WaiterRegistration: Sendable {
    private enum State {
        case initial
        case registered(UInt64)
        case cancelled
    }

    private let state = NIOLockedValueBox(State.initial)

    /// The waiter has its number; true if it was cancelled before and must be taken back now.
    func registered(_ id: UInt64) -> Bool {
        self.state.withLockedValue { state in
            if case .cancelled = state {
                return true
            }
            state = .registered(id)
            return false
        }
    }

    /// The task was cancelled; the number to take back, if there is one already.
    func cancelled() -> UInt64? {
        self.state.withLockedValue { state in
            defer {
                state = .cancelled
            }
            guard case .registered(let id) = state else {
                return nil
            }
            return id
        }
    }
}
