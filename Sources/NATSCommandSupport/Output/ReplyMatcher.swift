package import NATSClient

/// Brings requests and the replies to them together, whichever is seen first.
///
/// A value: what is to be printed is returned. A request waits for its reply until it is pushed out by others; a reply
/// whose request has not been seen is kept for a while, since the two come by different subscriptions.
package struct ReplyMatcher: Sendable {
    /// A request that may have got its reply.
    package struct Match: Sendable {
        package var request: MessagePrinter.Picked
        package var reply: NATSMessage?

        package init(request: MessagePrinter.Picked, reply: NATSMessage?) {
            self.request = request
            self.reply = reply
        }
    }

    /// Messages kept for the other half, oldest first, bounded in number and bytes.
    private struct Waiting<Value: Sendable>: Sendable {
        private var values: [String: (number: Int, value: Value, size: Int)] = [:]
        /// Subjects with the number of their entry; those that were taken since are skipped.
        private var order: [(subject: String, number: Int)] = []
        private var start = 0
        private var next = 0
        private var bytes = 0
        private let maximumCount: Int
        private let maximumBytes: Int

        init(maximumCount: Int, maximumBytes: Int) {
            self.maximumCount = maximumCount
            self.maximumBytes = maximumBytes
        }

        var isEmpty: Bool { self.values.isEmpty }

        /// Adds a value.
        ///
        /// - Returns: What had the same subject, and what had to leave.
        mutating func add(_ value: Value, subject: String, size: Int) -> [Value] {
            var leaving: [Value] = []
            if let other = self.take(subject) { leaving.append(other) }
            self.values[subject] = (self.next, value, size)
            self.order.append((subject, self.next))
            self.next += 1
            self.bytes += size
            // Mostly entries that were taken since.
            if self.order.count - self.start > 2 * self.values.count + 64 {
                let values = self.values
                self.order = self.order[self.start...].filter { values[$0.subject]?.number == $0.number }
                self.start = 0
            }
            while self.values.count > self.maximumCount || (self.bytes > self.maximumBytes && self.values.count > 1) {
                guard let oldest = self.takeOldest() else { break }
                leaving.append(oldest)
            }
            return leaving
        }

        mutating func take(_ subject: String) -> Value? {
            guard let entry = self.values.removeValue(forKey: subject) else { return nil }
            self.bytes -= entry.size
            return entry.value
        }

        mutating func takeOldest() -> Value? {
            while self.start < self.order.count {
                let (subject, number) = self.order[self.start]
                self.start += 1
                // Half of it is done with: the rest moves to the front.
                if self.start * 2 > self.order.count {
                    self.order.removeFirst(self.start)
                    self.start = 0
                }
                if self.values[subject]?.number == number { return self.take(subject) }
            }
            return nil
        }
    }

    private var requests: Waiting<MessagePrinter.Picked>
    private var replies: Waiting<NATSMessage>

    package init(maximumCount: Int = 10_000, maximumBytes: Int = 64 << 20) {
        self.requests = Waiting(maximumCount: maximumCount, maximumBytes: maximumBytes)
        self.replies = Waiting(maximumCount: 1000, maximumBytes: maximumBytes / 4)
    }

    /// Whether no request waits for its reply.
    package var isEmpty: Bool { self.requests.isEmpty }

    /// A message of the subjects listened on; one without reply subject waits for nothing.
    ///
    /// - Returns: What is complete, or has to leave because too much waits.
    package mutating func received(_ request: MessagePrinter.Picked) -> [Match] {
        guard let subject = request.message.reply else { return [Match(request: request, reply: nil)] }
        if let reply = self.replies.take(subject) { return [Match(request: request, reply: reply)] }
        var kept = request
        kept.message = request.message.detached()
        return self.requests.add(kept, subject: subject, size: kept.message.size).map { Match(request: $0, reply: nil) }
    }

    /// A message of the inboxes.
    ///
    /// - Returns: The request that it answers, with it.
    package mutating func received(reply: NATSMessage) -> Match? {
        let subject = reply.subject
        if let request = self.requests.take(subject) { return Match(request: request, reply: reply) }
        let kept = reply.detached()
        _ = self.replies.add(kept, subject: subject, size: kept.size)
        return nil
    }

    /// The requests that got no reply, oldest first; they are forgotten.
    package mutating func takeUnanswered() -> [Match] {
        var result: [Match] = []
        while let request = self.requests.takeOldest() { result.append(Match(request: request, reply: nil)) }
        return result
    }
}
