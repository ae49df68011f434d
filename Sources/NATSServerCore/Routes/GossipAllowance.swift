internal import NIOCore

/// How much gossip a peer may send: some in one go, and a little more each second.
///
/// In a cluster that starts, a seed server tells of each of the others once; a peer that tells of more than there can be
/// shall not make us dial the whole network.
struct GossipAllowance {
    private let most: Int
    private let perSecond: Int
    private var rest: Int
    private var counted: NIODeadline

    init(most: Int, perSecond: Int, now: NIODeadline) {
        self.most = most
        self.perSecond = perSecond
        self.rest = most
        self.counted = now
    }

    mutating func take(now: NIODeadline) -> Bool {
        let seconds = max(0, (now - self.counted).nanoseconds / TimeAmount.seconds(1).nanoseconds)
        if seconds > 0 {
            self.counted = self.counted + .seconds(seconds)
            self.rest = Int(
                clamping: min(Int64(self.most), Int64(self.rest) + min(seconds, 3600) * Int64(self.perSecond))
            )
        }
        guard self.rest > 0 else { return false }
        self.rest -= 1
        return true
    }
}
