import NIOCore

/// Decides which server to try next and how long to wait, from the loss of a connection to the next one.
///
/// One pass tries every server of the pool once without waiting; between passes the wait doubles up to its limit. The
/// first attempt after a loss comes at once, but for the jitter that keeps a crowd of clients apart, unless the lost
/// connection was short: a server that accepts the client again and again only to drop it is no better than one that
/// refuses it, and the waits go on doubling.
struct ReconnectStateMachine {
    struct Backoff: Sendable {
        var initial: Duration
        var maximum: Duration
        var jitter: Duration
        /// In the place of `jitter` when connections are secured.
        var secureJitter: Duration?
        /// Whether the first attempt after a loss waits as the second pass does.
        var waitsBeforeFirstAttempt = false
        /// The user's own wait after so many failed passes; there is no jitter then.
        var custom: (@Sendable (Int) -> Duration)?

        /// The whole wait after so many failed passes; not below `least`.
        func wait(
            afterPasses passes: Int,
            least: Duration = .zero,
            using random: inout some RandomNumberGenerator
        ) -> Duration {
            if let custom = self.custom {
                // Without any wait an unreachable server would be asked in a loop.
                return passes > 0 ? max(.milliseconds(1), custom(passes)) : .zero
            }
            return max(least, self.wait(afterPasses: passes)) + self.randomJitter(using: &random)
        }

        /// The wait after so many failed passes, without jitter.
        func wait(afterPasses passes: Int) -> Duration {
            guard passes > 0 else {
                return .zero
            }
            var wait = self.initial
            for _ in 1..<max(1, min(passes, 64)) where wait < self.maximum {
                wait = wait * 2
            }
            return min(wait, self.maximum)
        }

        func randomJitter(using random: inout some RandomNumberGenerator) -> Duration {
            let limit = self.jitter.nanosecondsClamped
            return limit > 0 ? .nanoseconds(Int64.random(in: 0..<limit, using: &random)) : .zero
        }
    }

    enum Action: Equatable {
        /// Try this server now.
        case connect(ServerAddress)
        /// Ask again (``waited(pool:now:)``) after this long.
        case wait(Duration)
        /// No server is left to try.
        case giveUp
    }

    private enum State {
        case idle
        /// `passes` failed so far; `remaining` are still to be tried in this one.
        case trying(remaining: ArraySlice<ServerAddress>, passes: Int)
        case waiting(passes: Int)
    }

    private var backoff: Backoff
    private var isSinglePass: Bool
    private var state: State = .idle
    /// Passes that have failed, and connections that were short, since the last connection that lasted.
    private var setbacks = 0

    /// `isSinglePass` makes the first connect: no wait, and giving up after one pass.
    init(backoff: Backoff, isSinglePass: Bool) {
        self.backoff = backoff
        self.isSinglePass = isSinglePass
    }

    /// The first connect begins.
    mutating func started(using random: inout some RandomNumberGenerator) -> Action {
        self.state = .waiting(passes: 0)
        return .wait(self.isSinglePass ? .zero : self.backoff.randomJitter(using: &random))
    }

    /// A connection was lost that had existed for so long.
    ///
    /// `isForced`: its owner gave it up and wants the next one at once.
    mutating func connectionLost(
        after life: Duration,
        isForced: Bool = false,
        using random: inout some RandomNumberGenerator
    ) -> Action {
        self.isSinglePass = false
        guard !isForced else {
            self.state = .waiting(passes: 0)
            return .wait(.zero)
        }
        if self.hasLasted(life) {
            self.setbacks = 0
        }
        let passes = max(self.setbacks, self.backoff.waitsBeforeFirstAttempt ? 1 : 0)
        self.setbacks += 1
        self.state = .waiting(passes: passes)
        return .wait(self.backoff.wait(afterPasses: passes, using: &random))
    }

    /// Whether a connection that existed for so long was a success.
    func hasLasted(_ life: Duration) -> Bool {
        life >= self.backoff.maximum
    }

    /// The wait is over.
    mutating func waited(pool: inout ServerPool, now: NIODeadline) -> Action {
        guard case .waiting(let passes) = self.state else {
            return .giveUp
        }
        self.state = .trying(remaining: pool.beginPass(now: now)[...], passes: passes)
        guard let first = self.nextServer(pool: &pool) else {
            return .giveUp
        }
        return .connect(first)
    }

    /// The attempt on a server failed.
    ///
    /// `fullServer`: it is that one, and said that it is full. It is left alone for the longest wait; others are tried as
    /// ever.
    mutating func attemptFailed(
        fullServer: ServerAddress? = nil,
        pool: inout ServerPool,
        now: NIODeadline,
        using random: inout some RandomNumberGenerator
    ) -> Action {
        guard case .trying(_, let passes) = self.state else {
            return .giveUp
        }
        if let fullServer {
            pool.rest(fullServer, until: now + self.backoff.maximum.timeAmount)
        }
        if let next = self.nextServer(pool: &pool) {
            return .connect(next)
        }
        guard !self.isSinglePass, pool.hasServerToTry else {
            self.state = .idle
            return .giveUp
        }
        self.state = .waiting(passes: passes + 1)
        let rest = Duration.nanoseconds(pool.restOfAll(now: now).nanoseconds)
        return .wait(self.backoff.wait(afterPasses: passes + 1, least: rest, using: &random))
    }

    /// The server of the attempt left the pool: the pool that took its place is tried from its beginning.
    mutating func attemptAbandoned() -> Action {
        guard case .trying(_, let passes) = self.state else {
            return .giveUp
        }
        self.state = .waiting(passes: passes)
        return .wait(.zero)
    }

    /// Connections are secured: the other jitter counts from now on.
    mutating func connectionIsSecure() {
        self.backoff.jitter = self.backoff.secureJitter ?? self.backoff.jitter
    }

    /// A connection was made.
    mutating func succeeded() {
        if case .trying(_, let passes) = self.state {
            self.setbacks = max(self.setbacks, passes)
        }
        self.state = .idle
    }

    /// Whether it is time that is waited for.
    var isWaiting: Bool {
        switch self.state {
        case .waiting:
            true
        case .idle, .trying:
            false
        }
    }

    private mutating func nextServer(pool: inout ServerPool) -> ServerAddress? {
        guard case .trying(let remaining, let passes) = self.state else {
            return nil
        }
        // The pool may have been replaced since the pass began.
        let rest = remaining.drop { pool.known($0) == nil }
        self.state = .trying(remaining: rest.dropFirst(), passes: passes)
        guard let next = rest.first.flatMap({ pool.known($0) }) else {
            return nil
        }
        pool.attempting(next)
        return next
    }
}
