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
/// Every connection has at most one check under way; checks for connections that are gone are skipped when it is their
/// turn. A password that was right is remembered, as a keyed digest, so that clients who come back all at once do not wait
/// for each other.
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
        /// Who waits, by number of the check.
        ///
        /// Not in the work itself, which outlives ``end()`` while a hash is being computed and must not keep anything of
        /// the server alive.
        var completions: [Int: @Sendable (Bool) -> Void] = [:]
    }

    private static let knownMaximum = 4096

    private let queues: [DispatchQueue]
    private let key = SymmetricKey(size: .bits256)
    private let state = NIOLockedValueBox(State())
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
    ///   - ticket: With what to cancel.
    ///   - completion: Called once on that thread, unless the ticket is cancelled or ``end()`` called before; must only
    ///     hand the result on.
    func verify(_ check: PasswordCheck, _ ticket: Ticket, completion: @escaping @Sendable (Bool) -> Void) {
        let number: Int? = self.state.withLockedValue { state in
            guard !state.isEnded else { return nil }
            state.next &+= 1
            state.completions[state.next] = completion
            return state.next
        }
        guard let number else { return }
        self.queues[Int(UInt(bitPattern: number) % UInt(self.queues.count))].async {
            let isWanted = self.state.withLockedValue { state in
                if ticket.isCancelled { state.completions[number] = nil }
                return state.completions[number] != nil
            }
            guard isWanted else { return }
            // Of many that came with the same password at once only the first costs a hash.
            let digest = self.digest(of: check)
            let isRight = self.isKnown(digest) || self.compute(check)
            self.state.withLockedValue { state in
                if isRight, !state.isEnded, !state.known.contains(digest) {
                    if state.known.count >= Self.knownMaximum { state.known = [] }
                    state.known.insert(digest)
                }
                // Under the lock: after `end()` the event loops may be gone.
                let completion = state.completions.removeValue(forKey: number)
                if !ticket.isCancelled { completion?(isRight) }
            }
        }
    }

    /// No completion is called any more, and none is kept.
    ///
    /// Nothing can stop a hash that is being computed, and one of a high cost may take minutes: its thread finishes it in
    /// vain, with nothing in hand but password and hash.
    func end() {
        let abandoned = self.state.withLockedValue { state in
            state.isEnded = true
            state.known = []
            defer { state.completions = [:] }
            return state.completions
        }
        // Connections may go with them, so not under the lock.
        withExtendedLifetime(abandoned) {}
    }

    private func digest(of check: PasswordCheck) -> [UInt8] {
        let message = Array(check.hash.utf8) + [0] + Array(check.password.utf8)
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: self.key))
    }
}
