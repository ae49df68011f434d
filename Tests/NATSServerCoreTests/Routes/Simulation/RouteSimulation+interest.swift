@testable import NATSServerCore

/// What subscribers want, told from server to server as real ones do: each account on its own connection, through a cursor
/// of the account's ``InterestLedger``.
extension RouteSimulation {
    /// One account at one server.
    struct SimulatedAccount {
        var ledger: InterestLedger
        /// Who is told, by connections.
        var cursors: [UInt64: InterestLedger.Cursor] = [:]
    }

    /// Subscriptions come (or go, if negative) at a server, whether it runs or not.
    mutating func subscribe(_ subjects: [String], in account: String, at node: Int, by count: Int = 1) {
        var state =
            self.nodes[node].accounts.removeValue(forKey: account)
            ?? SimulatedAccount(ledger: InterestLedger(hash: SubjectHash(using: &self.random)))
        for subject in subjects { state.ledger.change(Array(subject.utf8), queue: [], by: count) }
        self.nodes[node].accounts[account] = state
        for connection in state.cursors.keys.sorted() { self.announce(account, on: connection, at: node) }
    }

    /// A connection has become the route for something: interest goes to where it belongs (`RouteService.assignAccounts`).
    mutating func assignAccounts(to peerID: String, at node: Int) {
        guard let book = self.nodes[node].book as? RouteBook else { return }
        for account in self.nodes[node].accounts.keys.sorted() {
            guard let connection = book.connection(to: peerID, for: account),
                self.nodes[node].accounts[account]?.cursors[connection] == nil
            else { continue }
            let cursor = self.nodes[node].accounts[account]?.ledger.makeCursor()
            self.nodes[node].accounts[account]?.cursors[connection] = cursor
            self.announce(account, on: connection, at: node)
        }
    }

    private mutating func announce(_ account: String, on connection: UInt64, at node: Int) {
        guard let cursor = self.nodes[node].accounts[account]?.cursors[connection] else { return }
        var (added, removed) = (0, 0)
        var hasMore = true
        while hasMore {
            hasMore =
                self.nodes[node].accounts[account]?.ledger.next(cursor, atMost: 512) { update in
                    if update.weight > 0 { added += 1 } else { removed += 1 }
                } ?? false
        }
        self.counters.interest += added
        self.counters.noInterest += removed
        if added + removed > 0 { self.send(.interest(added - removed), from: connection, at: node) }
    }

    /// A peer has told of interest: so many keys more, or fewer.
    mutating func heard(_ change: Int, on connection: UInt64, at node: Int) {
        self.nodes[node].heard[connection, default: 0] += change
        self.heardInAll += change
    }

    /// A connection has ended at a server: nothing is told there any more, and what was heard is forgotten.
    mutating func forgetInterest(on connection: UInt64, at node: Int) {
        for account in self.nodes[node].accounts.keys {
            guard let cursor = self.nodes[node].accounts[account]?.cursors.removeValue(forKey: connection) else {
                continue
            }
            self.nodes[node].accounts[account]?.ledger.remove(cursor)
        }
        self.heardInAll -= self.nodes[node].heard.removeValue(forKey: connection) ?? 0
    }

    /// Keys that the servers that run know of each other once each knows everything.
    var keysToHear: Int {
        let running = self.nodes.filter(\.isUp)
        let keys = running.map { $0.accounts.values.map(\.ledger.liveCount).reduce(0, +) }.reduce(0, +)
        return keys * (running.count - 1)
    }

    /// Lets time pass until every server knows what every other one wants.
    ///
    /// - Parameter limit: After so many seconds it is given up.
    /// - Returns: Seconds that it took; `nil` if it was given up.
    mutating func runUntilConverged(limit: Double = 600) -> Double? {
        let (start, end) = (self.now, self.now + UInt64(limit * Double(Self.second)))
        let keys = self.keysToHear
        while self.heardInAll != keys {
            guard self.now < end, self.step() else { return nil }
        }
        return Double(self.now - start) / Double(Self.second)
    }

    /// The next PING of a connection, if servers send any by the clock.
    mutating func planPing(on connection: UInt64, at node: Int, first: Bool) {
        guard self.keepsAlive, let pipe = self.nodes[node].pipes[connection] else { return }
        let wait = first ? UInt64.random(in: Self.second...Self.second * 6 / 5, using: &self.random) : 30 * Self.second
        let side = self.side(of: connection, pipe)
        self.queue.add(.ping(pipe: pipe, side: side), at: self.now + wait)
    }

    mutating func ping(_ pipe: Int, _ side: Int) {
        let end = self.pipes[pipe].ends[side]
        guard end.isOpen, self.nodes[end.node].life == end.life else { return }
        self.counters.keepAlives += 1
        self.send(.ping, over: pipe, from: side)
        self.planPing(on: end.connection, at: end.node, first: false)
    }
}
