/// Messages and their bytes (headers plus payload), as the monitoring pages count them.
package struct TrafficStatistics: Sendable, Equatable {
    /// From clients, or other servers, to the server.
    package var messagesIn = 0
    package var bytesIn = 0
    /// From the server to clients, or other servers.
    package var messagesOut = 0
    package var bytesOut = 0

    package init() {}

    static func += (left: inout Self, right: Self) {
        left.messagesIn &+= right.messagesIn
        left.bytesIn &+= right.bytesIn
        left.messagesOut &+= right.messagesOut
        left.bytesOut &+= right.bytesOut
    }

    static func - (left: Self, right: Self) -> Self {
        var difference = left
        difference.messagesIn &-= right.messagesIn
        difference.bytesIn &-= right.bytesIn
        difference.messagesOut &-= right.messagesOut
        difference.bytesOut &-= right.bytesOut
        return difference
    }
}

/// What a server has done since it was started.
package struct ServerStatistics: Sendable, Equatable {
    package var traffic = TrafficStatistics()
    /// The part of it that came from other servers of the cluster, and went to them.
    package var routed = TrafficStatistics()
    /// The part of it that came from leaf nodes and hubs, and went to them.
    package var leafs = TrafficStatistics()
    /// Connections open now, and since the start.
    package var connections = 0
    package var totalConnections: UInt64 = 0
    package var subscriptions = 0
    /// The same without the server's own, and without those that other servers have told of.
    package var clientSubscriptions = 0
    package var slowConsumers = 0
    /// How often a publisher was paused because a subscriber had fallen behind.
    package var stalls = 0
    package var staleConnections = 0
    /// How many of those were routes.
    package var slowRoutes = 0
    package var staleRoutes = 0
    /// How many were connections of leaf nodes.
    package var slowLeafs = 0
    package var staleLeafs = 0

    /// The part of the traffic that is of clients.
    var clients: TrafficStatistics { self.traffic - self.routed - self.leafs }

    package init() {}
}

extension ServerStatistics {
    /// Takes over what the event loops have counted.
    mutating func count(_ totals: ServerLoop.Totals) {
        self.traffic = totals.traffic
        self.routed = totals.routed
        self.leafs = totals.leafTraffic
        self.slowConsumers = totals.slowConsumers
        self.stalls = totals.stalls
        self.staleConnections = totals.staleConnections
        self.slowRoutes = totals.slowRoutes
        self.staleRoutes = totals.staleRoutes
        self.slowLeafs = totals.slowLeafs
        self.staleLeafs = totals.staleLeafs
    }
}
