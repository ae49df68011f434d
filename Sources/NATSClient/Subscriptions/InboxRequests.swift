/// The requests whose replies have a subscription of their own, by the same numbers as those of the ``RequestMultiplexer``.
///
/// Generic over whoever is told that there will be no reply. Each is given back at most once.
struct InboxRequests<Waiter> {
    private struct Request {
        let waiter: Waiter
        let subject: String
        let inbox: String
        /// Somebody waits for the one reply, and a draining client waits with him.
        let isAwaited: Bool
        /// The number of the message that carries the request; nil until it is in the outgoing buffer.
        var messageNumber: UInt64?
    }

    private var requests: [UInt64: Request] = [:]
    private var lostThrough: UInt64 = 0

    var awaitedCount: Int {
        self.requests.values.count(where: \.isAwaited)
    }

    mutating func register(_ token: UInt64, waiter: Waiter, subject: String, inbox: String, isAwaited: Bool) {
        self.requests[token] = Request(waiter: waiter, subject: subject, inbox: inbox, isAwaited: isAwaited)
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

    mutating func take(_ token: UInt64) -> Waiter? {
        self.requests.removeValue(forKey: token)?.waiter
    }

    /// Messages up to `number` were given to a connection that is lost; later ones wait for the next.
    mutating func connectionLost(handedOverThrough number: UInt64) -> [Waiter] {
        self.lostThrough = max(self.lostThrough, number)
        return self.takeAll { request in request.messageNumber.map { $0 <= number } ?? false }
    }

    /// The server forbids publishing to a subject, or with it as reply subject.
    mutating func publishRefused(subject: String) -> [Waiter] {
        self.takeAll { $0.subject == subject || $0.inbox == subject }
    }

    private mutating func takeAll(where isTaken: (Request) -> Bool) -> [Waiter] {
        let tokens = self.requests.filter { isTaken($0.value) }.map(\.key).sorted()
        return tokens.compactMap { self.take($0) }
    }
}
