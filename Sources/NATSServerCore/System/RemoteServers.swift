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

    private var servers: [String: (sequence: UInt64, heard: NIODeadline)] = [:]

    var count: Int { self.servers.count }

    /// A server has told something.
    ///
    /// - Returns: what that makes it; `nil` if there is no room for another one.
    mutating func heard(from id: String, sequence: UInt64, now: NIODeadline) -> News? {
        guard let known = self.servers[id] else {
            guard self.servers.count < Self.most else { return nil }
            self.servers[id] = (sequence, now)
            return .new
        }
        guard sequence > known.sequence else { return .outOfOrder }
        self.servers[id] = (sequence, now)
        return .known
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
