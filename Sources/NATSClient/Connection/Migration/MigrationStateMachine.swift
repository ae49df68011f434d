/// Decides how a client leaves a server in lame duck mode: the next connection is there before the last one goes.
///
/// Performs no I/O, reads no clock. Time is an argument of the actions, events say what happened.
///
/// `waiting → connecting → preparing → subscribing → flushingOld → overlapping → draining → lingering`
struct MigrationStateMachine {
    enum Action: Equatable {
        /// Tell ``waited(candidates:)`` after this long; one wait at a time, the newest counts.
        case wait(Duration)
        /// Make a connection beside the one in use.
        case connect(ServerAddress)
        /// Remember what the old connection brings from now on: copies of it may come on the new one.
        case watchOld
        /// Send SUB for every subscription and PING on the new connection.
        case subscribe
        /// The cluster knows the new subscriptions: what the old connection brings from now on has a copy.
        case expectCopies
        /// Hand what is written so far to the old connection, PING behind it, and hold back what comes later.
        case holdWrites
        /// The new connection is the client's; publishes go there.
        case switchOver
        /// Send UNSUB for every subscription and PING on the old connection.
        case drainOld
        /// The old connection has brought its last message: deliver what the new one alone brought, close the old one.
        case finish
        /// Close the new connection, or the attempt to make it, and go on with the old one as if nothing had been.
        case abandonNew
        /// The old connection is lost: the new one takes its place at once.
        case promote
        /// The new connection is lost, and the old one still complete: it takes its place at once.
        case revert
        /// Nothing is left of the migration.
        case end
    }

    struct Waits: Equatable {
        /// Between two passes over the candidates.
        var retry: Duration = .seconds(2)
        /// Before the new connection gets the subscriptions: messages that the old one brings meanwhile may be slower on
        /// their way to the new server.
        var lead: Duration = .milliseconds(250)
        /// In which both connections have all subscriptions, so that the rest of the cluster learns of the new ones.
        var overlap: Duration = .milliseconds(250)
        /// In which copies of messages that the old connection brought may still come on the new one.
        var linger: Duration = .seconds(2)
    }

    private enum State {
        case idle
        case waiting
        case connecting(rest: ArraySlice<ServerAddress>)
        case preparing(rest: ArraySlice<ServerAddress>)
        case subscribing(rest: ArraySlice<ServerAddress>)
        case flushingOld(rest: ArraySlice<ServerAddress>)
        /// `isComplete`: what one connection brings, the other one brings as well.
        case overlapping(isComplete: Bool)
        case draining
        case lingering
    }

    private var state = State.idle
    private let waits: Waits
    /// The server that was migrated to is in lame duck mode as well.
    private var nextJitter: Duration?

    init(waits: Waits = Waits()) {
        self.waits = waits
    }

    var isIdle: Bool {
        if case .idle = self.state { true } else { false }
    }

    /// The old connection is the client's.
    var isBeforeSwitch: Bool {
        switch self.state {
        case .waiting, .connecting, .preparing, .subscribing, .flushingOld: true
        case .idle, .overlapping, .draining, .lingering: false
        }
    }

    /// The new connection is the client's, and the old one still there.
    var isSwitched: Bool {
        switch self.state {
        case .overlapping, .draining: true
        case .idle, .waiting, .connecting, .preparing, .subscribing, .flushingOld, .lingering: false
        }
    }

    /// The new connection has all subscriptions and could take the place of the old one.
    var canPromote: Bool {
        switch self.state {
        case .subscribing, .flushingOld: true
        case .idle, .waiting, .connecting, .preparing, .overlapping, .draining, .lingering: false
        }
    }

    /// The old connection has all subscriptions and could take the place of the new one.
    var canRevert: Bool {
        if case .overlapping = self.state { true } else { false }
    }

    /// The server of the connection in use is in lame duck mode; `jitter` keeps a crowd of clients apart.
    mutating func lameDuck(jitter: Duration) -> [Action] {
        switch self.state {
        case .idle:
            self.state = .waiting
            return [.wait(jitter)]
        case .overlapping, .draining, .lingering:
            self.nextJitter = jitter
            return []
        case .waiting, .connecting, .preparing, .subscribing, .flushingOld:
            return []
        }
    }

    /// The wait is over; `candidates` are the servers that may be connected to now.
    mutating func waited(candidates: [ServerAddress]) -> [Action] {
        switch self.state {
        case .waiting:
            return [self.connectToNext(of: candidates[...])]
        case .preparing(let rest):
            self.state = .subscribing(rest: rest)
            return [.subscribe]
        case .overlapping(isComplete: false):
            self.state = .overlapping(isComplete: true)
            return [.expectCopies, .wait(self.waits.overlap / 2)]
        case .overlapping(isComplete: true):
            return self.hurry()
        case .lingering:
            return self.settled()
        case .idle, .connecting, .subscribing, .flushingOld, .draining:
            return []
        }
    }

    private mutating func connectToNext(of candidates: ArraySlice<ServerAddress>) -> Action {
        guard let first = candidates.first else {
            self.state = .waiting
            return .wait(self.waits.retry)
        }
        self.state = .connecting(rest: candidates.dropFirst())
        return .connect(first)
    }

    /// The handshake on the new connection is complete.
    mutating func newReady() -> [Action] {
        guard case .connecting(let rest) = self.state else {
            return []
        }
        self.state = .preparing(rest: rest)
        return [.watchOld, .wait(self.waits.lead)]
    }

    /// The new server has processed the subscriptions.
    mutating func newFlushed() -> [Action] {
        guard case .subscribing(let rest) = self.state else {
            return []
        }
        self.state = .flushingOld(rest: rest)
        return [.holdWrites]
    }

    /// The old server has processed everything that was published.
    mutating func oldFlushed() -> [Action] {
        guard case .flushingOld = self.state else {
            return []
        }
        self.state = .overlapping(isComplete: false)
        // The wait first: a connection that is lost in the switch brings one of its own.
        return [.wait(self.waits.overlap / 2), .switchOver]
    }

    /// Before the switch: the new connection was not made, is gone, or takes too long.
    mutating func newFailed() -> [Action] {
        switch self.state {
        case .connecting(let rest), .preparing(let rest), .subscribing(let rest), .flushingOld(let rest):
            return [.abandonNew, self.connectToNext(of: rest)]
        case .idle, .waiting, .overlapping, .draining, .lingering:
            return []
        }
    }

    /// Both connections have had all subscriptions for long enough, or there is no room for more.
    mutating func hurry() -> [Action] {
        guard case .overlapping = self.state else {
            return []
        }
        self.state = .draining
        return [.drainOld]
    }

    /// The old server has sent its last message, or takes too long.
    mutating func oldDrained() -> [Action] {
        guard case .draining = self.state else {
            return []
        }
        self.state = .lingering
        return [.finish, .wait(self.waits.linger)]
    }

    /// No copy can come any more.
    mutating func settled() -> [Action] {
        guard case .lingering = self.state else {
            return []
        }
        self.state = .idle
        guard let jitter = self.nextJitter.take() else {
            return [.end]
        }
        self.state = .waiting
        return [.end, .wait(jitter)]
    }

    /// The old connection is gone.
    mutating func oldLost() -> [Action] {
        switch self.state {
        case .idle, .lingering:
            return []
        case .waiting, .connecting, .preparing:
            self.state = .idle
            return [.abandonNew, .end]
        case .subscribing, .flushingOld:
            self.state = .lingering
            return [.promote, .finish, .wait(self.waits.linger)]
        case .overlapping, .draining:
            self.state = .lingering
            return [.finish, .wait(self.waits.linger)]
        }
    }

    /// The new connection is gone after the switch.
    mutating func newLost() -> [Action] {
        switch self.state {
        case .overlapping:
            self.nextJitter = nil
            self.state = .waiting
            return [.revert, .wait(self.waits.retry)]
        case .lingering:
            self.nextJitter = nil
            self.state = .idle
            return [.end]
        case .draining:
            // The old connection goes on to its end; the next one is made as ever.
            self.nextJitter = nil
            return []
        case .idle, .waiting, .connecting, .preparing, .subscribing, .flushingOld:
            return []
        }
    }

    /// The client drains, closes, or connects elsewhere for another reason.
    ///
    /// After the switch the old connection goes on to its end.
    mutating func stop() -> [Action] {
        switch self.state {
        case .waiting, .connecting, .preparing, .subscribing, .flushingOld:
            self.state = .idle
            return [.abandonNew, .end]
        case .idle, .overlapping, .draining, .lingering:
            self.nextJitter = nil
            return []
        }
    }
}
