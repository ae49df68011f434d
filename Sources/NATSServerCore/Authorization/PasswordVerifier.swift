import Crypto
import Dispatch
import NIOConcurrencyHelpers
import Synchronization

/// A password that has to be held against a bcrypt hash.
struct PasswordCheck: Equatable, Sendable {
    var password: String
    var hash: String
}

/// Holds passwords against bcrypt hashes on a few threads of its own.
///
/// Every connection has at most one check under way, so what waits is bounded by the number of connections; checks for
/// connections that are gone are skipped. A password that was right is remembered, as a keyed digest, so that clients
/// who come back all at once do not wait for each other.
///
/// `@unchecked Sendable`: the queues are only used to submit work; all else is `let` and `Sendable`.
final class PasswordVerifier: @unchecked Sendable {
    /// Tells that nobody waits for a check any more.
    final class Ticket: Sendable {
        private let isCancelledFlag = Atomic<Bool>(false)

        var isCancelled: Bool { self.isCancelledFlag.load(ordering: .relaxed) }

        func cancel() { self.isCancelledFlag.store(true, ordering: .relaxed) }
    }

    private struct State {
        var known: Set<[UInt8]> = []
        var next = 0
        var isEnded = false
    }

    private static let knownMaximum = 4096

    private let queues: [DispatchQueue]
    private let key = SymmetricKey(size: .bits256)
    private let state = NIOLockedValueBox(State())

    /// - Parameter threads: Checks that run at the same time.
    init(threads: Int) {
        self.queues = (0..<max(1, threads)).map { DispatchQueue(label: "nats-server password \($0)") }
    }

    /// Whether this very check has succeeded before.
    func isKnown(_ check: PasswordCheck) -> Bool {
        let digest = self.digest(of: check)
        return self.state.withLockedValue { $0.known.contains(digest) }
    }

    /// Checks a password on another thread.
    ///
    /// - Parameters:
    ///   - check: What to check.
    ///   - completion: Called once on that thread, unless the ticket is cancelled or ``end()`` called before; must only
    ///     hand the result on.
    /// - Returns: with what to cancel.
    func verify(_ check: PasswordCheck, completion: @escaping @Sendable (Bool) -> Void) -> Ticket {
        let ticket = Ticket()
        let queue = self.state.withLockedValue { state in
            state.next = (state.next + 1) % self.queues.count
            return state.next
        }
        self.queues[queue].async {
            guard !ticket.isCancelled, !self.state.withLockedValue({ $0.isEnded }) else { return }
            let isRight = Bcrypt.verify(password: check.password, hash: check.hash)
            let digest = isRight ? self.digest(of: check) : []
            self.state.withLockedValue { state in
                if isRight {
                    if state.known.count >= Self.knownMaximum { state.known = [] }
                    state.known.insert(digest)
                }
                // Under the lock: after `end()` the event loops may be gone.
                if !state.isEnded, !ticket.isCancelled { completion(isRight) }
            }
        }
        return ticket
    }

    /// No completion is called any more; a hash that is being computed is finished in vain.
    func end() { self.state.withLockedValue { $0.isEnded = true } }

    private func digest(of check: PasswordCheck) -> [UInt8] {
        let message = Array(check.hash.utf8) + [0] + Array(check.password.utf8)
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: self.key))
    }
}
