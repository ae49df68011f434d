import NIOConcurrencyHelpers
import NIOCore

/// A question to an authorization service, until there is an answer, its time is over, or nobody wants to know any more.
final class CalloutTicket: PendingCheck {
    /// How it ends.
    enum End: Sendable {
        /// The payload of the first answer; further ones do not count.
        case answered([UInt8])
        case timedOut
        /// Somebody within the process has decided.
        case decided(Authorizer.Verdict)
        /// There was nothing to ask with, or nobody.
        case failed(String)
    }

    private struct State {
        /// `nil` once it has ended.
        var completion: (@Sendable (CalloutTicket, End) -> Void)?
        /// Asks; `nil` once that has been done, or need not be done any more.
        var ask: (@Sendable (CalloutTicket) -> Void)?
        /// Ends what goes with it.
        var cancel: (@Sendable () -> Void)?
        /// Makes room for the next question.
        var leave: (@Sendable () -> Void)?
        var isEnded = false
    }

    private let state: NIOLockedValueBox<State>

    /// - Parameters:
    ///   - ask: Called at most once, on the event loop of ``begin(leave:)``.
    ///   - completion: Called at most once, from anywhere; must only hand the end on.
    init(
        ask: @escaping @Sendable (CalloutTicket) -> Void,
        completion: @escaping @Sendable (CalloutTicket, End) -> Void
    ) {
        self.state = NIOLockedValueBox(State(completion: completion, ask: ask))
    }

    /// Whether the question is still to be asked.
    var isWaiting: Bool { self.state.withLockedValue { $0.ask != nil } }

    /// Asks, unless it has ended already.
    ///
    /// - Parameter leave: Called once when it ends, from anywhere.
    /// - Returns: whether it has not ended before.
    @discardableResult
    func begin(leave: (@Sendable () -> Void)? = nil) -> Bool {
        let ask = self.state.withLockedValue { state in
            if !state.isEnded { state.leave = leave }
            return state.ask.take()
        }
        guard let ask else { return false }
        ask(self)
        return true
    }

    /// What is to be ended with it; at once if it has ended already.
    func onEnd(_ cancel: @escaping @Sendable () -> Void) {
        let isEnded = self.state.withLockedValue { state in
            if !state.isEnded { state.cancel = cancel }
            return state.isEnded
        }
        if isEnded { cancel() }
    }

    func end(_ end: End) { self.finish()?(self, end) }

    func cancel() { withExtendedLifetime(self.finish()) {} }

    private func finish() -> (@Sendable (CalloutTicket, End) -> Void)? {
        let old = self.state.withLockedValue { state in
            defer { state = State(isEnded: true) }
            return state
        }
        // Not under the lock: it leads to other locks, and may let go of a connection.
        old.cancel?()
        old.leave?()
        return old.completion
    }
}
