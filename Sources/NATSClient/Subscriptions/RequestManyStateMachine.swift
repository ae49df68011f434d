/// Decides how long to wait for the next of many replies, and when there are enough (ADR-47).
///
/// Only the time spent waiting counts, not what the consumer does between two replies.
struct RequestManyStateMachine {
    enum Step: Equatable {
        /// Wait for the next reply, at most so long.
        case wait(Duration)
        case end(NATSReplies.EndReason)
    }

    private let stall: Duration?
    private let maximum: Int?
    private var remaining: Duration
    private var count = 0
    private var end: NATSReplies.EndReason?

    /// A stall below a millisecond, or not below the total, is none.
    init(total: Duration, stall: Duration?, maximum: Int?) {
        self.remaining = total
        self.stall = stall.flatMap { $0 >= .milliseconds(1) && $0 < total ? $0 : nil }
        self.maximum = maximum
    }

    var endReason: NATSReplies.EndReason? {
        self.end
    }

    /// The consumer wants a reply.
    func next() -> Step {
        if let end = self.end {
            return .end(end)
        }
        // The first reply may take all the time there is.
        guard let stall = self.stall, self.count > 0 else {
            return .wait(self.remaining)
        }
        return .wait(min(stall, self.remaining))
    }

    /// A reply arrived after so long, or a status in the place of one; true if the consumer gets it.
    mutating func received(after waited: Duration, status: Int? = nil, isSentinel: Bool = false) -> Bool {
        guard self.end == nil else {
            return false
        }
        self.remaining -= waited
        if let status {
            self.end = status == 503 ? .noResponders : .status(status)
            return false
        }
        if isSentinel {
            self.end = .sentinel
            return false
        }
        self.count += 1
        if let maximum = self.maximum, self.count >= maximum {
            self.end = .maximum
        } else if self.remaining <= .zero {
            self.end = .timeout
        }
        return true
    }

    /// None arrived in the time that ``next()`` gave.
    mutating func timedOut(after waited: Duration) {
        self.remaining -= waited
        let isStalled = self.stall != nil && self.count > 0 && self.remaining > .zero
        self.finish(isStalled ? .stall : .timeout)
    }

    /// There will be none for another reason.
    mutating func finish(_ reason: NATSReplies.EndReason) {
        self.end = self.end ?? reason
    }
}
