import NIOConcurrencyHelpers
import NIOCore

extension NATSClient {
    /// The servers that the client may connect to, in the order in which it would try them, and how each has fared.
    public var serverPool: [NATSPoolServer] {
        self.core.status.withLockedValue { $0.pool }.map(NATSPoolServer.init)
    }

    /// Replaces all servers, discovered ones included.
    ///
    /// The connection stays; the new servers count from the next reconnect on, for which ``forceReconnect()`` can be
    /// asked. What is known of a server that was in the pool already is kept.
    ///
    /// - Parameter servers: As ``NATSClientConfiguration/servers``; at least one.
    /// - Throws: ``NATSError/Code/invalidConfiguration``, ``NATSError/Code/mixedWebSocketSchemes``,
    ///   ``NATSError/Code/connectionClosed``.
    public func setServerPool(_ servers: [String]) throws(NATSError) {
        guard servers.contains(where: { $0.contains { $0 != "," && !$0.isWhitespace } }) else {
            throw NATSError(.invalidConfiguration, "the server pool needs at least one server")
        }
        let core = self.core
        let first = core.status.withLockedValue { $0.pool.first?.address }
        let addresses = try ServerAddress.parseList(servers, like: first)
        guard !self.isClosed else {
            throw core.outbound.refusalError()
        }
        core.eventLoop.execute {
            core.setServerPool(addresses)
        }
    }

    /// Drops the connection for one to the next server, without waiting; a wait that is under way ends.
    ///
    /// Subscriptions and buffered publishes stay, requests that were sent fail with ``NATSError/Code/disconnected``.
    /// A client that is just leaving a server in lame duck mode does that first (``NATSClientConfiguration/LameDuck/migrate``).
    /// Works also without ``NATSClientConfiguration/allowReconnect``, and does nothing while the client drains.
    ///
    /// - Throws: ``NATSError/Code/connectionClosed``.
    public func forceReconnect() throws(NATSError) {
        let core = self.core
        guard !self.isClosed else {
            throw core.outbound.refusalError()
        }
        core.eventLoop.execute {
            core.forceReconnect()
        }
    }
}
