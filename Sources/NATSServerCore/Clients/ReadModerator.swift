internal import NIOCore

/// Delays the reads of a publisher that writes a few messages per system call.
///
/// A server that wakes for each such write makes both sides pay for the wake-up. Waiting a moment lets the kernel merge the
/// writes. Request/reply traffic is too slow to be taken for such a stream.
struct ReadModerator {
    private static let streak = 32
    /// 25 us for each read: a cycle of reading, delivering and waking the subscriber takes 10 to 15 us, a request about 50.
    private static let window: TimeAmount = .microseconds(800)
    private static let smallRead = 4096
    private static let delay: TimeAmount = .microseconds(250)
    /// A delayed read has to bring this many times the usual amount, or waiting is no use.
    private static let gain = 6

    private var reads = 0
    private var bytes = 0
    private var windowStart: NIODeadline = .uptimeNanoseconds(0)
    /// Average bytes of an undelayed read, while reads are being delayed.
    private var usual = 0

    /// A read cycle ended.
    ///
    /// - Returns: how long to wait before the next one; `nil` for not at all.
    mutating func readCompleted(bytes: Int, now: NIODeadline) -> TimeAmount? {
        if self.usual > 0 {
            if bytes >= self.usual * Self.gain { return Self.delay }
            self.usual = 0
            self.reads = 0
            return nil
        }
        guard bytes > 0, bytes < Self.smallRead else {
            self.reads = 0
            return nil
        }
        if self.reads == 0 || now - self.windowStart > Self.window {
            self.reads = 0
            self.bytes = 0
            self.windowStart = now
        }
        self.reads += 1
        self.bytes += bytes
        guard self.reads >= Self.streak else { return nil }
        self.usual = max(1, self.bytes / self.reads)
        self.reads = 0
        return Self.delay
    }
}
