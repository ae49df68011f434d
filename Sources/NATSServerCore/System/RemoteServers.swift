import NIOCore

/// The other servers that speak in the system account (nats-server events.go updateRemoteServer, checkRemoteServers).
struct RemoteServers {
    enum News: Equatable {
        case new
        case known
        /// It has told something newer before.
        case outOfOrder
    }

    /// A server of which nothing was heard for so long is gone.
    static let longestSilence = TimeAmount.seconds(150)
    /// How often that is looked at.
    static let sweepInterval = TimeAmount.seconds(90)
    /// More than servers of a cluster can be: of others nothing is kept.
    private static let most = 2048

    private struct Known {
        var sequence: UInt64
        var heard: NIODeadline
        /// There is a route to it.
        var isPeer: Bool
    }

    private var servers: [String: Known] = [:]

    var count: Int { self.servers.count }

    /// A server has told something.
    ///
    /// One to which there is a route takes the place of another one if there is no room.
    ///
    /// - Returns: what that makes it; `nil` if there is no room for another one.
    mutating func heard(from id: String, sequence: UInt64, isPeer: Bool, now: NIODeadline) -> News? {
        guard let known = self.servers[id] else {
            guard self.servers.count < Self.most || (isPeer && self.removeStranger()) else { return nil }
            self.servers[id] = Known(sequence: sequence, heard: now, isPeer: isPeer)
            return .new
        }
        guard sequence > known.sequence else { return .outOfOrder }
        self.servers[id] = Known(sequence: sequence, heard: now, isPeer: isPeer)
        return .known
    }

    private mutating func removeStranger() -> Bool {
        let strangers = self.servers.filter { !$0.value.isPeer }
        guard let oldest = strangers.min(by: { $0.value.heard < $1.value.heard })?.key else { return false }
        self.servers[oldest] = nil
        return true
    }

    /// A server has said that it ends.
    ///
    /// - Returns: whether it was known.
    mutating func ended(_ id: String) -> Bool { self.servers.removeValue(forKey: id) != nil }

    /// Lets go of servers that have been silent for too long, and returns them.
    mutating func takeSilent(now: NIODeadline) -> [String] {
        let silent = self.servers.filter { now - $0.value.heard > Self.longestSilence }.map(\.key)
        for id in silent { self.servers[id] = nil }
        return silent
    }
}
