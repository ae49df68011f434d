/// What one client of the drill has done and seen so far.
package struct DrillRecord: Sendable {
    /// How requests of one client to one family of responders went.
    package struct Requests: Sendable {
        package var sent = 0
        package var failed = 0
        /// How often for which reason.
        package var reasons: [String: Int] = [:]
    }

    package let name: String
    package let family: DrillFamily
    /// Numbered messages that its library has taken: plain ones and jobs.
    package var published = 0
    /// Of plain messages, by publisher.
    package var plain: [String: SequenceTally] = [:]
    /// Of jobs, which each queue group gets once, by publisher.
    package var jobs: [String: SequenceTally] = [:]
    /// Of requests that it was asked, by requester.
    package var asked: [String: SequenceTally] = [:]
    /// Of its own requests.
    package var requests: [DrillFamily: Requests] = [:]
    /// How often it lost its connection and got another one.
    package var reconnects = 0
    /// How often it went to another server before it left the last one.
    package var migrations = 0
    /// How often it went to another server in either way.
    var moves: Int { self.reconnects + self.migrations }
    /// The longest time between two plain messages while all publishers were at work, in microseconds.
    package var longestGap = 0
    private var lastArrival: Int?

    package init(name: String, family: DrillFamily) {
        self.name = name
        self.family = family
    }

    /// All that has arrived, to see whether anything still does.
    var arrivals: Int {
        [self.plain, self.jobs, self.asked].reduce(0) { sum, tallies in
            sum + tallies.values.reduce(0) { $0 + $1.arrivals }
        }
    }

    /// A plain message has arrived.
    ///
    /// - Parameters:
    ///   - publisher: Whose message it is.
    ///   - number: Which of his.
    ///   - time: When, in microseconds of the monotonic clock; nil while gaps are not measured.
    mutating func arrived(from publisher: String, _ number: Int, at time: Int?) {
        self.plain[publisher, default: SequenceTally()].record(number)
        if let time, let last = self.lastArrival { self.longestGap = max(self.longestGap, time - last) }
        self.lastArrival = time
    }

    /// A request of this client has come to its end.
    mutating func answered(by family: DrillFamily, failure: String?) {
        self.requests[family, default: Requests()].sent += 1
        guard let failure else { return }
        self.requests[family, default: Requests()].failed += 1
        self.requests[family, default: Requests()].reasons[failure, default: 0] += 1
    }
}
