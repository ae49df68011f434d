import NIOConcurrencyHelpers

/// One result that one task waits for: whoever completes first wins, the waiter is resumed exactly once.
final class ResultBox<Value: Sendable>: Sendable {
    private typealias Outcome = Result<Value, NATSError>

    private enum State {
        case pending(UnsafeContinuation<Void, Never>?)
        case done(Outcome)
    }

    private let state = NIOLockedValueBox(State.pending(nil))

    /// Gives the result; false if there was one already.
    @discardableResult
    func complete(_ result: Result<Value, NATSError>) -> Bool {
        let (isFirst, waiter) = self.state.withLockedValue { state -> (Bool, UnsafeContinuation<Void, Never>?) in
            guard case .pending(let waiter) = state else {
                return (false, nil)
            }
            state = .done(result)
            return (true, waiter)
        }
        waiter?.resume()
        return isFirst
    }

    /// Waits for the result.
    ///
    /// Cancelling the task makes ``NATSError/Code/cancelled`` the result, unless there is one, and calls `onCancel`
    /// then. To be called once.
    func value(onCancel: @Sendable () -> Void = {}) async throws(NATSError) -> Value {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let isDone = self.state.withLockedValue { state in
                    guard case .pending = state else {
                        return true
                    }
                    state = .pending(continuation)
                    return false
                }
                if isDone {
                    continuation.resume()
                }
            }
        } onCancel: {
            if self.complete(.failure(NATSError(.cancelled, "the waiting task was cancelled"))) {
                onCancel()
            }
        }
        // The result goes through the lock, not the continuation: the thread sanitizer does not see a continuation that is
        // resumed before its task has suspended.
        let outcome = self.state.withLockedValue { state -> Outcome in
            switch state {
            case .pending:
                .failure(NATSError(.cancelled, "the waiting task was resumed without a result"))
            case .done(let outcome):
                outcome
            }
        }
        return try outcome.get()
    }
}
