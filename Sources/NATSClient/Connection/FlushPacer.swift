/// Lets a stream of publishes gather before it is written.
///
/// A flush costs the event loop two or three system calls, and a publisher that wakes a sleeping loop one more. While a
/// loop is quicker than its publisher, or runs on the same core, it would take every few messages by themselves. So after
/// some flushes in close succession the loop comes back after a short delay instead of being woken, until a delay brings
/// next to nothing. A publish after a pause, every request and every response go out at once.
struct FlushPacer {
    /// How long the loop lets messages gather, in nanoseconds.
    static let delay: UInt64 = 100_000
    /// Flushes that follow a write within this many nanoseconds belong to a stream.
    private static let closeness: UInt64 = 20_000
    private static let closeFlushesOfStream = 4
    /// A delay that brings fewer messages was not worth it.
    private static let fewMessages: UInt64 = 16

    private var closeFlushes = 0
    private var lastWriteEnd: UInt64?

    /// Whether the next flush should wait for more.
    var isStreaming: Bool { self.closeFlushes >= Self.closeFlushesOfStream }

    /// The loop took messages to write.
    ///
    /// - Parameters:
    ///   - messages: How many.
    ///   - wasDelayed: Whether they had a delay to gather in.
    ///   - now: The time in nanoseconds.
    mutating func took(_ messages: UInt64, wasDelayed: Bool, now: UInt64) {
        if wasDelayed {
            if messages < Self.fewMessages { self.closeFlushes = 0 }
            return
        }
        guard let lastWriteEnd = self.lastWriteEnd, now < lastWriteEnd + Self.closeness else {
            self.closeFlushes = 0
            return
        }
        self.closeFlushes = min(self.closeFlushes + 1, Self.closeFlushesOfStream)
    }

    /// The bytes taken are with the operating system.
    mutating func wrote(now: UInt64) {
        self.lastWriteEnd = now
    }
}
