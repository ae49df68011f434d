/// The requests that wait for a reply, by the number at the end of their reply subject.
///
/// Generic over whoever waits. Each waiter is given back exactly once: with its reply, or by one of the calls that say
/// why there will be none.
struct RequestMultiplexer<Waiter> {
    private struct Request {
        let waiter: Waiter
        let subject: String
        let deadline: UInt64
        /// The number of the message that carries the request; nil until it is in the outgoing buffer.
        var messageNumber: UInt64?
    }

    private var requests: [UInt64: Request] = [:]
    private var deadlines = DeadlineHeap()
    private var nextToken: UInt64 = 0
    /// Messages up to this one went down with a connection.
    private var lostThrough: UInt64 = 0
    /// The timers that are set, the earliest last.
    private var armedDeadlines: [UInt64] = []
    private var closeError: NATSError?

    var count: Int {
        self.requests.count
    }

    /// Deadlines that are remembered, those of requests that are done included.
    var pendingDeadlines: Int {
        self.deadlines.count
    }

    /// The next number for a reply subject.
    mutating func makeToken() -> UInt64 {
        self.nextToken += 1
        return self.nextToken
    }

    /// Somebody waits for the reply with this number until `deadline`; false if the client is closed.
    mutating func register(_ token: UInt64, waiter: Waiter, subject: String, deadline: UInt64) -> Bool {
        guard self.closeError == nil else {
            return false
        }
        self.requests[token] = Request(waiter: waiter, subject: subject, deadline: deadline)
        self.deadlines.insert(.init(deadline: deadline, token: token))
        if self.deadlines.count > 64, self.deadlines.count > 2 * self.requests.count {
            self.deadlines.compact { self.requests[$0.token] != nil }
        }
        return true
    }

    /// The request is in the outgoing buffer as message `number`; gives the waiter back if that is lost already.
    mutating func published(_ token: UInt64, number: UInt64) -> Waiter? {
        if number <= self.lostThrough {
            return self.take(token)
        }
        if let index = self.requests.index(forKey: token) {
            self.requests.values[index].messageNumber = number
        }
        return nil
    }

    /// A reply arrived, the time ran out for one, or its task was cancelled.
    mutating func take(_ token: UInt64) -> Waiter? {
        self.requests.removeValue(forKey: token)?.waiter
    }

    /// The only waiter there is: a reply whose subject was rewritten on the way must be its.
    mutating func takeOnly() -> Waiter? {
        guard self.requests.count == 1, let token = self.requests.keys.first else {
            return nil
        }
        return self.take(token)
    }

    /// The deadline to set a timer for, if it is earlier than those that are set.
    mutating func deadlineToArm() -> UInt64? {
        guard let first = self.deadlines.first, first.deadline < self.armedDeadlines.last ?? .max else {
            return nil
        }
        self.armedDeadlines.append(first.deadline)
        return first.deadline
    }

    /// The timer for `deadline` fired: everybody whose time has run out, and what they asked.
    mutating func expired(timer deadline: UInt64, now: UInt64) -> [(waiter: Waiter, subject: String)] {
        self.armedDeadlines.removeAll { $0 == deadline }
        var expired: [(waiter: Waiter, subject: String)] = []
        while let first = self.deadlines.first, first.deadline <= now || self.requests[first.token] == nil {
            _ = self.deadlines.removeFirst()
            if let request = self.requests.removeValue(forKey: first.token) {
                expired.append((request.waiter, request.subject))
            }
        }
        return expired
    }

    /// Messages up to `number` were given to a connection that is lost; later ones wait for the next.
    mutating func connectionLost(handedOverThrough number: UInt64) -> [Waiter] {
        self.lostThrough = max(self.lostThrough, number)
        return self.takeAll { request in
            request.messageNumber.map { $0 <= number } ?? false
        }
    }

    /// The server forbids publishing to `subject`.
    mutating func publishRefused(subject: String) -> [Waiter] {
        self.takeAll { $0.subject == subject }
    }

    /// The server forbids the reply subject of one request.
    mutating func replyRefused(_ token: UInt64) -> [Waiter] {
        self.take(token).map { [$0] } ?? []
    }

    /// The server forbids the inbox.
    mutating func inboxRefused() -> [Waiter] {
        self.takeAll { _ in true }
    }

    mutating func close(_ error: NATSError) -> [Waiter] {
        self.closeError = error
        return self.takeAll { _ in true }
    }

    private mutating func takeAll(where isTaken: (Request) -> Bool) -> [Waiter] {
        let tokens = self.requests.filter { isTaken($0.value) }.map(\.key).sorted()
        return tokens.compactMap { self.take($0) }
    }
}
