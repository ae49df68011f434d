internal import NIOCore

/// Delays the reads of a publisher that writes a few messages per system call.
///
/// A server that wakes for each such write makes both sides pay for the wake-up, and the sender for a trip through the
/// network stack besides. Two things help:
/// - *batching*: wait a moment, so that one wake-up serves many writes;
/// - *merging*: wait until the receive window is full. From then on the sender's kernel puts together what it is given, and a
///   write costs a fraction. It lasts as long as the server does not take more than the sender gives.
///
/// Request/reply traffic is too slow to be taken for such a stream.
struct ReadModerator {
    private enum Mode {
        case off
        /// The next read comes after a long wait, which should have filled the window.
        case probing
        case merging(misses: Int)
        case batching
    }

    private static let streak = 32
    /// 25 us for each read: a cycle of reading, delivering and waking the subscriber takes 10 to 15 us, a request about 50.
    private static let window: TimeAmount = .microseconds(800)
    private static let smallRead = 4096
    private static let batchDelay: TimeAmount = .microseconds(250)
    /// A batch has to bring this many times the usual amount, or waiting is no use.
    private static let gain = 6
    private static let firstProbe: TimeAmount = .milliseconds(1)
    private static let longestProbe: TimeAmount = .milliseconds(4)
    private static let mergeDelays: ClosedRange<TimeAmount> = .microseconds(100)...(.milliseconds(1))
    /// The delay while merging lets through up to this many times the usual rate, a little more than a sender can give then.
    private static let speedup = 6.0
    private static let worthwhileSpeedup = 1.5
    /// Below this part of its usual rate a stream is taken to have ended: what comes now may be requests.
    private static let endedRatio = 0.5
    private static let missesAllowed = 4
    private static let shortestBackoff = 1000
    private static let longestBackoff = 64_000

    private var mode = Mode.off
    private var reads = 0
    private var bytes = 0
    private var windowStart: NIODeadline = .uptimeNanoseconds(0)
    private var lastRead: NIODeadline = .uptimeNanoseconds(0)
    /// Average bytes of an undelayed read, and bytes for each nanosecond, from before reads were delayed.
    private var usual = 0
    private var usualRate = 0.0
    private var probe = Self.firstProbe
    private var mergeDelay = TimeAmount.zero
    /// Batches until the next probe, and how many after that one.
    private var untilProbe = 0
    private var backoff = Self.shortestBackoff

    /// A read cycle ended.
    ///
    /// - Returns: how long to wait before the next one; `nil` for not at all.
    mutating func readCompleted(bytes: Int, now: NIODeadline) -> TimeAmount? {
        let rate = Double(bytes) / Double(max(1, (now - self.lastRead).nanoseconds))
        self.lastRead = now
        switch self.mode {
        case .off:
            guard self.isSmallStream(bytes: bytes, now: now) else { return nil }
            return self.batch()
        case .batching:
            guard bytes >= self.usual * Self.gain else { return self.end() }
            self.untilProbe -= 1
            return self.batch()
        case .probing:
            guard rate >= self.usualRate * Self.endedRatio else { return self.end() }
            let wanted = TimeAmount.nanoseconds(Int64(Double(bytes) / (self.usualRate * Self.speedup)))
            self.mergeDelay = min(max(wanted, Self.mergeDelays.lowerBound), Self.mergeDelays.upperBound)
            self.mode = .merging(misses: 0)
            return self.mergeDelay
        case .merging(let misses):
            guard rate >= self.usualRate * Self.endedRatio else { return self.end() }
            if rate >= self.usualRate * Self.worthwhileSpeedup {
                self.probe = Self.firstProbe
                self.backoff = Self.shortestBackoff
                self.mode = .merging(misses: 0)
                return self.mergeDelay
            }
            if misses < Self.missesAllowed {
                self.mode = .merging(misses: misses + 1)
                return self.mergeDelay
            }
            if self.probe < Self.longestProbe {
                self.probe = self.probe * 2
                self.mode = .probing
                return self.probe
            }
            self.probe = Self.firstProbe
            self.untilProbe = self.backoff
            self.backoff = min(self.backoff * 4, Self.longestBackoff)
            return self.batch()
        }
    }

    private mutating func end() -> TimeAmount? {
        self.mode = .off
        self.reads = 0
        return nil
    }

    private mutating func batch() -> TimeAmount {
        if self.untilProbe > 0 {
            self.mode = .batching
            return Self.batchDelay
        }
        self.mode = .probing
        return self.probe
    }

    private mutating func isSmallStream(bytes: Int, now: NIODeadline) -> Bool {
        guard bytes > 0, bytes < Self.smallRead else {
            self.reads = 0
            return false
        }
        if self.reads == 0 || now - self.windowStart > Self.window {
            self.reads = 0
            self.bytes = 0
            self.windowStart = now
        }
        self.reads += 1
        self.bytes += bytes
        guard self.reads >= Self.streak else { return false }
        self.usual = max(1, self.bytes / self.reads)
        self.usualRate = Double(self.bytes) / Double(max(1, (now - self.windowStart).nanoseconds))
        self.reads = 0
        return true
    }
}
