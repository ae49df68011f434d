import NIOCore

/// A change to the subscriptions, made on any thread and carried out on the event loop before the bytes that go with it.
enum RegistryOperation {
    case add(sid: UInt64, subject: String, queueGroup: String?, handle: SubscriptionHandle)
    case remove(sid: UInt64)
    case limit(sid: UInt64, maximum: UInt64)
    /// The server is asked for no more messages, while those on their way still count.
    case stop(sid: UInt64)
    /// The reason with this number not to read is gone; messages were lost in the episode that ends with it.
    case resumeReads(SubscriptionState, number: UInt64, dropped: UInt64)
}

extension OutboundBuffer {
    /// What a publish may do now.
    enum Mode: Equatable {
        /// Operations go to the server.
        case connected
        /// No connection: publishes are kept, other operations exist only as state.
        case buffering
        /// No publish any more, but the rest still goes out.
        case drainingPublishes
        /// The last connection is gone, and the client closes.
        case ending
        case closed
    }

    /// When the event loop comes to take what has been appended.
    enum Flush {
        /// Not before it is asked.
        case none
        /// As soon as it can: it was asked, or a write is under way.
        case soon
        /// After the delay of a stream; it may be asked to come at once.
        case delayed
    }

    /// What the event loop has to do when a write has completed.
    enum NextFlush {
        case none
        case now
        case delayed
    }

    /// A task that waits for the buffer to be written.
    typealias Waiter = UnsafeContinuation<Void, Never>

    /// What the event loop has to do after a flush was asked for.
    struct Work {
        var operations: [RegistryOperation] = []
        var bytes: ByteBuffer?
        var waiters: [Waiter] = []
    }

    /// What the change from one connection to another leads to.
    struct Switch {
        /// The first bytes for the new connection.
        var bytes: ByteBuffer?
        var waiters: [Waiter] = []
        /// Those to whom the old connection owes a PONG.
        var pings: [PingQueue.Waiter] = []
        /// What subscriptions had received when the old server was told of them.
        var receivedBefore: [UInt64: UInt64] = [:]
    }

    /// What the loss of a connection leaves to be told.
    struct Loss {
        var pings: [PingQueue.Waiter] = []
        var waiters: [Waiter] = []
        /// Messages up to this number were given to a socket.
        var messagesHandedOver: UInt64 = 0
    }
}
