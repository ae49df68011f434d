import Crypto
import DequeModule
import Dispatch
import NIOConcurrencyHelpers

/// A password that has to be held against a bcrypt hash.
struct PasswordCheck: Equatable, Sendable {
    var password: String
    var hash: String
}

/// Holds passwords against bcrypt hashes on a few threads of its own.
///
/// Every connection has at most one check under way, and what is not wanted any more goes at once, so what waits is bounded
/// by the number of connections. A password that was right is remembered, as a keyed digest, so that clients who come back
/// all at once do not wait for each other.
///
/// `@unchecked Sendable`: the queues are only used to submit work; all else is `let` and `Sendable`.
final class PasswordVerifier: @unchecked Sendable {
    /// With what a check can be cancelled.
    final class Ticket: PendingCheck {
        private let verifier: PasswordVerifier

        init(_ verifier: PasswordVerifier) { self.verifier = verifier }

        /// Nobody waits for the check any more.
        func cancel() { self.verifier.cancel(self) }
    }

    private struct Job {
        var ticket: Ticket
        /// `nil` once a thread has begun with it.
        var check: PasswordCheck?
        var completion: @Sendable (Bool) -> Void
    }

    private struct State {
        var known: Set<[UInt8]> = []
        var isEnded = false
        /// Checks that are wanted.
        ///
        /// Not in the work of the threads, which outlives ``PasswordVerifier/end()`` while a hash is being computed and
        /// must not keep anything of the server alive.
        var jobs: [ObjectIdentifier: Job] = [:]
        /// In which order they came, with some that are not wanted any more.
        var order: Deque<ObjectIdentifier> = []
        /// Threads that have nothing to do.
        var idle: [Int]
    }

    private static let knownMaximum = 4096

    private let queues: [DispatchQueue]
    private let key = SymmetricKey(size: .bits256)
    private let state: NIOLockedValueBox<State>
    private let compute: @Sendable (PasswordCheck) -> Bool

    /// - Parameters:
    ///   - threads: Checks that run at the same time.
    ///   - compute: Whether a password is the one of a hash.
    init(
        threads: Int,
        compute: @escaping @Sendable (PasswordCheck) -> Bool = {
            Bcrypt.verify(password: $0.password, hash: $0.hash)
        }
    ) {
        self.compute = compute
        self.queues = (0..<max(1, threads)).map { DispatchQueue(label: "nats-server password \($0)") }
        self.state = NIOLockedValueBox(State(idle: Array(self.queues.indices)))
    }

    /// Whether this very check has succeeded before.
    func isKnown(_ check: PasswordCheck) -> Bool { self.isKnown(self.digest(of: check)) }

    private func isKnown(_ digest: [UInt8]) -> Bool {
        self.state.withLockedValue { $0.known.contains(digest) }
    }

    /// Checks a password on another thread.
    ///
    /// - Parameters:
    ///   - check: What to check.
    ///   - ticket: A new one, with what to cancel.
    ///   - completion: Called once on that thread, unless the ticket is cancelled or ``end()`` called before; must only
    ///     hand the result on.
    func verify(_ check: PasswordCheck, _ ticket: Ticket, completion: @escaping @Sendable (Bool) -> Void) {
        let thread: Int? = self.state.withLockedValue { state in
            guard !state.isEnded else { return nil }
            let id = ObjectIdentifier(ticket)
            state.jobs[id] = Job(ticket: ticket, check: check, completion: completion)
            state.order.append(id)
            return state.idle.popLast()
        }
        guard let thread else { return }
        self.queues[thread].async { self.work(thread) }
    }

    private func work(_ thread: Int) {
        // The ticket is held until the end, so that no other one can have its identity meanwhile.
        while let (ticket, check) = self.next(thread) {
            // Of many that came with the same password at once only the first costs a hash.
            let digest = self.digest(of: check)
            let isRight = self.isKnown(digest) || self.compute(check)
            let done = self.state.withLockedValue { state in
                if isRight, !state.isEnded, !state.known.contains(digest) {
                    if state.known.count >= Self.knownMaximum { state.known = [] }
                    state.known.insert(digest)
                }
                // Under the lock: after `end()` the event loops may be gone.
                let job = state.jobs.removeValue(forKey: ObjectIdentifier(ticket))
                job?.completion(isRight)
                return job
            }
            // The connection may go with it, so not under the lock.
            withExtendedLifetime((done, ticket)) {}
        }
    }

    private func next(_ thread: Int) -> (Ticket, PasswordCheck)? {
        self.state.withLockedValue { state in
            while let id = state.order.popFirst() {
                if let check = state.jobs[id]?.check.take(), let job = state.jobs[id] { return (job.ticket, check) }
            }
            state.idle.append(thread)
            return nil
        }
    }

    private func cancel(_ ticket: Ticket) {
        let job = self.state.withLockedValue { state in
            let job = state.jobs.removeValue(forKey: ObjectIdentifier(ticket))
            // So that those who come and go while a hash is being computed leave nothing behind.
            if state.order.count > 2 * state.jobs.count + 64 {
                let jobs = state.jobs
                state.order.removeAll { jobs[$0] == nil }
            }
            return job
        }
        withExtendedLifetime(job) {}
    }

    /// Checks that wait or are being made, and places in the order of those that wait.
    var load: (jobs: Int, places: Int) { self.state.withLockedValue { ($0.jobs.count, $0.order.count) } }

    /// No completion is called any more, and none is kept.
    ///
    /// Nothing can stop a hash that is being computed, and one of a high cost may take minutes: its thread finishes it in
    /// vain, with nothing in hand but password and hash.
    func end() {
        let abandoned = self.state.withLockedValue { state in
            state.isEnded = true
            state.known = []
            state.order = []
            defer { state.jobs = [:] }
            return state.jobs
        }
        // Connections may go with them, so not under the lock.
        withExtendedLifetime(abandoned) {}
    }

    private func digest(of check: PasswordCheck) -> [UInt8] {
        let message = Array(check.hash.utf8) + [0] + Array(check.password.utf8)
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: self.key))
    }
}
