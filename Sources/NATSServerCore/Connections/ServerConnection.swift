import Logging
import NATSWire
import NIOCore

/// One socket of the server: a client's, or that of a connection to another server.
///
/// What is common to all: output that others have staged goes out here (`ServerConnection+writing.swift`), and messages that
/// came in go to everybody who wants them (`ServerConnection+delivery.swift`).
///
/// `@unchecked Sendable`: everything but the `let`s is only touched on the connection's event loop, and so is `outlet`.
class ServerConnection: @unchecked Sendable {
    enum Phase {
        case open
        /// Sends what is queued, then closes.
        case closing
        case closed
    }

    /// What is on the other side.
    enum Kind: UInt8 {
        case client
        /// Another server of the cluster.
        case route
        /// A leaf node, or the hub of this one.
        case leaf
    }

    final let id: UInt64
    final let loop: ServerLoop
    final let shared: ServerShared
    final let backlog: Backlog
    /// Everything for this connection that is produced on its own loop goes through here, in order.
    final let outlet: Outlet
    final let accepted: NIODeadline
    final let kind: Kind
    /// Which other servers messages from here go to.
    final var audience: PeerTarget.Kinds
    /// The cluster of a leaf node, or of the hub: its messages do not come back to it by another connection; set once,
    /// before anything of it is seen by other loops.
    final var origin: [UInt8] = []

    /// Where its messages belong, and this loop's view of it; of a route those of the message under way.
    final var account: Account
    final var router: AccountRouter
    final var statistics = TrafficStatistics()
    final var phase: Phase = .open
    final var context: ChannelHandlerContext?
    final var closedReason: ClosedReason?
    /// What its requests to services of other accounts tell of it.
    final var knownInfo = RequestInfo()
    /// When a message came or went, or the subscriptions changed (nats-server client.go `last`).
    final var lastActivity: NIODeadline

    /// Nothing stands between this handler and the socket.
    final var writesDirectly = true
    /// TLS is between this handler and the socket: what is written is copied.
    final var isEncrypted = false {
        didSet { if self.isEncrypted { self.writesDirectly = false } }
    }
    /// Writes that the socket has not taken whole, and when it last took one.
    final var outstandingWrites = 0
    final var lastProgress: NIODeadline
    /// Small output that came while the socket was blocked.
    final var gathered = ByteBuffer()

    /// - Parameters:
    ///   - id: The client id, or the route id, which are of one sequence.
    ///   - loop: Where it lives.
    ///   - kind: What is on the other side.
    init(id: UInt64, loop: ServerLoop, kind: Kind) {
        let now = NIODeadline.now()
        self.id = id
        self.loop = loop
        self.shared = loop.shared
        self.kind = kind
        // One hop: what comes from another server of the cluster goes to no other one.
        self.audience = kind == .route ? .leafNode : .all
        self.account = loop.shared.accounts.global
        self.router = loop.router(for: loop.shared.accounts.global)
        self.backlog = Backlog(maximum: loop.shared.options.maxPending, now: now)
        self.accepted = now
        self.lastActivity = now
        self.lastProgress = now
        self.outlet = Outlet(loop: loop)
        self.outlet.attach(self)
    }

    final var logger: Logger { self.shared.logger }

    final var settings: LoopSettings { self.loop.settings }

    // MARK: What differs

    /// How the log names this connection.
    var label: String { "\(self.id)" }

    /// How many bytes may wait for the socket, in bytes: more of them mean that the other side is given up.
    var pendingLimit: Int { self.backlog.maximum }

    /// Whether anything but a handshake may be written now.
    var mayWrite: Bool { true }

    /// Something that others have staged is about to be written.
    func willWrite(_ context: ChannelHandlerContext) {}

    /// Ends the connection; the first reason counts.
    func close(_ reason: ClosedReason) {}

    /// A timer of this connection went off.
    func timerFired(_ kind: LoopTimers.Kind, deadline: NIODeadline) {}

    /// A reload has changed the options.
    func settingsChanged() {}

    /// Handles no more input for a moment: what it asks for takes the server too long.
    func pauseInput() {}

    /// How far away it is, in nanoseconds.
    var roundTripNanoseconds: Int64 { 0 }

    /// Sends a request to a service of another account.
    ///
    /// - Returns: whether anybody got it.
    func request(
        _ service: ServiceImport,
        _ subject: [UInt8],
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool { false }

    /// Who makes a request, as services of other accounts are told (nats-server events.go ClientInfo).
    func describe(isDetailed: Bool, service: String, namesServer: Bool?) -> [UInt8] { Array("{}".utf8) }

    /// Who published a message to the server itself; `nil` if another server did, or this one.
    var internalSender: InternalSender? { nil }
}

extension ServerConnection {
    /// Whether this is the server itself.
    final var isInternal: Bool { self.id == 0 }

    final var isRoute: Bool { self.kind == .route }

    /// Who answers a request whose latency is measured, as JSON, and how far away it is, in nanoseconds.
    final var responder: (info: [UInt8], roundTrip: Int64) {
        (self.describe(isDetailed: true, service: "", namesServer: nil), self.roundTripNanoseconds)
    }

    // MARK: Log

    final var isTracing: Bool { self.settings.isTracing }

    final func traceIn(_ line: @autoclosure () -> String) {
        guard self.isTracing else { return }
        let line = line()
        self.logger.trace("\(self.label) - <<- [\(line)]")
    }

    final func traceOut(_ line: @autoclosure () -> String) {
        guard self.isTracing else { return }
        let line = line()
        self.logger.trace("\(self.label) - ->> [\(line)]")
    }
}
