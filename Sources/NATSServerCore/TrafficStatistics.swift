/// Messages and their bytes (headers plus payload), as the monitoring pages count them.
package struct TrafficStatistics: Sendable, Equatable {
    /// From clients to the server.
    package var messagesIn = 0
    package var bytesIn = 0
    /// From the server to clients.
    package var messagesOut = 0
    package var bytesOut = 0

    package init() {}

    static func += (left: inout Self, right: Self) {
        left.messagesIn &+= right.messagesIn
        left.bytesIn &+= right.bytesIn
        left.messagesOut &+= right.messagesOut
        left.bytesOut &+= right.bytesOut
    }
}

/// What a server has done since it was started.
package struct ServerStatistics: Sendable, Equatable {
    package var traffic = TrafficStatistics()
    /// Connections open now, and since the start.
    package var connections = 0
    package var totalConnections: UInt64 = 0
    package var subscriptions = 0
    /// The same without the server's own.
    package var clientSubscriptions = 0
    package var slowConsumers = 0
    /// How often a publisher was paused because a subscriber had fallen behind.
    package var stalls = 0
    package var staleConnections = 0

    package init() {}
}
