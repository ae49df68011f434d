/// Decides when to send a PING of our own and when the server counts as gone.
struct KeepAlive {
    enum Action: Equatable {
        case sendPing
        case stale
    }

    private let maxPingsOut: Int
    private var outstanding = 0
    private var heardSinceTick = false

    init(maxPingsOut: Int) {
        self.maxPingsOut = maxPingsOut
    }

    /// Bytes arrived; any byte is a sign of life.
    mutating func receivedBytes() {
        self.heardSinceTick = true
    }

    /// The server answered a PING.
    mutating func receivedPong() {
        self.outstanding = 0
    }

    /// An interval passed.
    mutating func tick() -> Action {
        if self.heardSinceTick {
            self.heardSinceTick = false
            self.outstanding = 0
        }
        self.outstanding += 1
        return self.outstanding > self.maxPingsOut ? .stale : .sendPing
    }
}
