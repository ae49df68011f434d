internal import NIOCore

/// A second round of gossip, for pairs of servers that the first one has missed.
///
/// Gossip as official servers have it tells everybody of a newcomer once. That is enough for one that comes to a complete
/// mesh. Of servers that come at the same time, some are told of before those are connected that should hear of it, and
/// since what is heard by gossip is not passed on, two of them may never hear of each other. (The simulation shows it for a
/// chain of 15.)
///
/// So when no server has come for a second, each server tells the one with the least id, among those it is connected with, of
/// those that are new; and that one tells everybody of these. If all servers are connected somehow, the one with the least id
/// gets to know all of them, and then so does everybody. That costs twice as many messages as there are servers for one
/// that comes, and none if nobody comes. If the newcomer itself has the least id, everybody tells it of all others.
extension RouteBook {
    private static let calm: TimeAmount = .seconds(1)
    private static let longestWait: TimeAmount = .seconds(5)

    /// A server has come.
    mutating func secondRoundIsDue(now: NIODeadline) {
        let first = self.secondRound?.first ?? now
        let due = min(now + Self.calm + self.randomDelay(), first + Self.longestWait)
        self.secondRound = (due: max(due, now), first: first)
    }

    /// Tells of new servers if it is time for it.
    mutating func startSecondRound(now: NIODeadline) {
        guard let round = self.secondRound, round.due <= now else { return }
        self.secondRound = nil
        let met = self.peers.values.filter(\.isMet).sorted { $0.serial < $1.serial }
        guard let least = met.min(by: { $0.info.id < $1.info.id }) else { return }
        if self.options.id < least.info.id {
            for (place, peer) in met.enumerated() where peer.isNew {
                // Of two new ones, the first one is told of the second one.
                for other in met[..<place] + met[(place + 1)...].filter({ !$0.isNew }) {
                    self.tell(other, of: peer.info)
                }
            }
        } else {
            for peer in met where peer.isNew || least.isNew {
                guard peer.info.id != least.info.id else { continue }
                self.tell(least, of: peer.info)
            }
        }
        for peer in met { self.peers[peer.info.id]?.isNew = false }
    }

    private mutating func tell(_ peer: Peer, of other: RoutePeer) {
        guard let route = peer.main, !other.ip.isEmpty else { return }
        var info = other
        info.poolIndex = 0
        info.account = nil
        info.gossipMode = .disabled
        self.act(.gossip(info, to: route))
    }
}
