import NATSWire
import NIOCore

/// What the publishes of one read have in common; lives on the stack while the read is parsed.
struct PublishBatch {
    var parser: ClientOperationParser
    private(set) var cache: UnsafeMutablePointer<MatchCache>
    /// Match results must be right at this generation at least.
    var generation: UInt64
    /// The result of the last publish, good while `epoch` is the cache's.
    var last: MatchResult.Pointer?
    var epoch: UInt64 = 0
    var messages = 0
    var bytes = 0
    /// How much of that has been counted for the accounts that it is of; of a route, which carries many.
    private var settledMessages = 0
    private var settledBytes = 0
    /// Verbose, pedantic or traced: more to do for each message.
    var isSlow: Bool
    var isTracing: Bool
    /// The flags of a target that make it a special case for this publisher.
    var specialFlags: DeliveryTarget.Flags
    var checksFirstByte: Bool
    var noResponders: Bool
    /// Under what match results remember whether this client may publish; 0 if it may publish everything.
    var publishTag: UInt64
    /// The message under way comes from another account.
    var isCrossing = false
    /// What has gone to other servers of the cluster, and is not yet counted for the account that it is of.
    var routedMessages = 0
    var routedBytes = 0
    private var now: NIODeadline?
    /// The time, good for what takes seconds: read once.
    var coarseNow: NIODeadline {
        mutating get {
            if let now = self.now { return now }
            let now = NIODeadline.now()
            self.now = now
            return now
        }
    }
    /// The message under way is a request whose latency the server measures that it comes from.
    var isTracked = false
    /// Something happened that may have closed the connection.
    var mustCheckPhase = false

    init(_ connection: ClientConnection) {
        self.parser = connection.parser
        self.cache = connection.router.cache
        self.generation = connection.router.index.generation
        self.isTracing = connection.isTracing
        // One look in place: a copy of the session would retain all that it holds.
        let traits = connection.session.publisherTraits
        self.isSlow = traits.needsAttention || self.isTracing
        self.specialFlags = Self.specialFlags(echo: traits.echo, isTracing: self.isTracing)
        self.checksFirstByte = traits.awaitsConnect
        self.noResponders = traits.noResponders
        self.publishTag = traits.publishTag
    }

    /// For what comes from another server, where it was checked.
    init(_ route: PeerConnection) {
        self.parser = ClientOperationParser(maxControlLine: 0, maxPayload: 0)
        self.cache = route.router.cache
        self.generation = route.router.index.generation
        self.isTracing = route.isTracing
        self.isSlow = false
        self.specialFlags = Self.specialFlags(echo: true, isTracing: self.isTracing)
        self.checksFirstByte = false
        self.noResponders = false
        self.publishTag = 0
    }

    /// What follows is of another account.
    mutating func enter(_ router: AccountRouter) {
        self.cache = router.cache
        self.generation = router.index.generation
        self.last = nil
    }

    /// An operation may have changed the session or the subscriptions.
    mutating func refresh(_ connection: ClientConnection) {
        self.parser = connection.parser
        if self.cache != connection.router.cache {
            // The connection has moved to another account.
            self.cache = connection.router.cache
            self.last = nil
        }
        self.generation = connection.router.index.generation
        let traits = connection.session.publisherTraits
        self.isSlow = traits.needsAttention || self.isTracing
        self.specialFlags = Self.specialFlags(echo: traits.echo, isTracing: self.isTracing)
        self.checksFirstByte = traits.awaitsConnect
        self.noResponders = traits.noResponders
        self.publishTag = traits.publishTag
    }

    private static func specialFlags(echo: Bool, isTracing: Bool) -> DeliveryTarget.Flags {
        var flags: DeliveryTarget.Flags = [.limited, .longSid, .notesReplies, .mapped]
        // Only the publisher's own subscriptions can be left out for the lack of echo.
        if !echo { flags.insert(.noEcho) }
        if isTracing { flags.insert(.always) }
        return flags
    }

    /// What has gone to other servers of the cluster so far is of an account.
    mutating func settleRouted(_ router: AccountRouter) {
        guard self.routedMessages > 0 else { return }
        router.totals.routedOut(messages: self.routedMessages, bytes: self.routedBytes)
        (self.routedMessages, self.routedBytes) = (0, 0)
    }

    /// What has come so far is of the account that the route is at.
    mutating func settle(_ route: RouteConnection) {
        self.settleRouted(route.router)
        guard self.messages > self.settledMessages else { return }
        route.router.totals.routedIn(
            messages: self.messages &- self.settledMessages,
            bytes: self.bytes &- self.settledBytes
        )
        self.settledMessages = self.messages
        self.settledBytes = self.bytes
    }

    /// A message has come for no account of this server.
    mutating func countUnknown(_ size: Int) {
        self.messages &+= 1
        self.bytes &+= size
        self.settledMessages &+= 1
        self.settledBytes &+= size
    }

    /// Adds what has come from another server to the figures of its connection.
    func count(for peer: PeerConnection) {
        peer.statistics.messagesIn &+= self.messages
        peer.statistics.bytesIn &+= self.bytes
        let now = NIODeadline.now()
        peer.loop.lastBatch = now
        peer.lastActivity = now
    }

    mutating func finish(_ connection: ClientConnection) {
        guard self.messages > 0 else { return }
        self.settleRouted(connection.router)
        if !connection.settings.keepsMatches { self.cache.pointee.clear() }
        connection.statistics.messagesIn &+= self.messages
        connection.statistics.bytesIn &+= self.bytes
        connection.loop.totals.traffic.messagesIn &+= self.messages
        connection.loop.totals.traffic.bytesIn &+= self.bytes
        connection.router.totals.traffic.messagesIn &+= self.messages
        connection.router.totals.traffic.bytesIn &+= self.bytes
        let now = NIODeadline.now()
        connection.loop.lastBatch = now
        connection.noteActivity(now: now)
    }
}

/// A message on its way to its subscriptions: pointers into the bytes read.
struct OutgoingMessage {
    /// "MSG <subject> " or "HMSG <subject> ".
    var prefix: UnsafePointer<UInt8>
    var prefixLength: Int
    /// "[reply ]sizes CRLF payload CRLF".
    let tail: UnsafePointer<UInt8>
    let tailLength: Int
    /// Header block plus payload.
    let size: Int
    let headerSize: Int
}
