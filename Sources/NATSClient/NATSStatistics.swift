/// Counters of a client over its whole life, reconnects included.
public struct NATSStatistics: Sendable, Hashable {
    /// Messages received for subscriptions and requests.
    public var messagesIn: UInt64 = 0
    /// Bytes of headers and payloads received.
    public var bytesIn: UInt64 = 0
    /// Messages published, buffered ones included.
    public var messagesOut: UInt64 = 0
    /// Bytes of headers and payloads published.
    public var bytesOut: UInt64 = 0
    /// All bytes read from sockets.
    public var socketBytesIn: UInt64 = 0
    /// All bytes of operations given to sockets: not those of handshakes, nor answers to the server's PINGs.
    public var socketBytesOut: UInt64 = 0
    /// Messages dropped because the pending limits of their subscription were reached.
    public var dropped: UInt64 = 0
    /// How often the connection was made again.
    public var reconnects: UInt64 = 0
    /// Bytes of operations that wait to be written.
    public var bufferedBytes = 0
    /// Requests that wait for a reply.
    public var outstandingRequests = 0
}

/// Counters of a subscription.
public struct NATSSubscriptionStatistics: Sendable, Hashable {
    /// Messages that wait for the consumer.
    public var pendingMessages = 0
    /// Bytes of headers and payloads that wait for the consumer.
    public var pendingBytes = 0
    /// The most messages that ever waited.
    public var maxPendingMessages = 0
    /// The most bytes of headers and payloads that ever waited.
    public var maxPendingBytes = 0
    /// Messages handed to the consumer.
    public var delivered: UInt64 = 0
    /// Messages dropped because the pending limits were reached.
    public var dropped: UInt64 = 0
}
