import NIOConcurrencyHelpers

/// One result that one task waits for: whoever completes first wins, the waiter is resumed exactly once.
final class ResultBox<Value: Sendable>: Sendable {
    private typealias Outcome = Result<Value, NATSError>

    private enum State {
        case pending(UnsafeContinuation<Outcome, Never>?)
        case done(Outcome)
    }

    private let state = NIOLockedValueBox(State.pending(nil))

    /// Gives the result; false if there was one already.
    @discardableResult
    func complete(_ result: Result<Value, NATSError>) -> Bool {
        let (isFirst, waiter) = self.state.withLockedValue { state -> (Bool, UnsafeContinuation<Outcome, Never>?) in
            guard case .pending(let waiter) = state else {
                return (false, nil)
            }
            state = .done(result)
            return (true, waiter)
        }
        waiter?.resume(returning: result)
        return isFirst
    }

    /// Waits for the result.
    ///
    /// Cancelling the task makes ``NATSError/Code/cancelled`` the result, unless there is one, and calls `onCancel`
    /// then. To be called once.
    func value(onCancel: @Sendable () -> Void = {}) async throws(NATSError) -> Value {
        let outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome, Never>) in
                let outcome = self.state.withLockedValue { state -> Outcome? in
                    switch state {
                    case .pending:
                        state = .pending(continuation)
                        return nil
                    case .done(let outcome):
                        return outcome
                    }
                }
                if let outcome {
                    continuation.resume(returning: outcome)
                }
            }
        } onCancel: {
            if self.complete(.failure(NATSError(.cancelled, "the waiting task was cancelled"))) {
                onCancel()
            }
        }
        return try outcome.get()
    }
}
