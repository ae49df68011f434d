import Logging
import NATSWire
import NIOCore

/// The ends of a connection.
extension ClientConnection {
    /// How long a connection that is to be closed may take to accept its last bytes.
    private static let lingerLimit: TimeAmount = .seconds(2)

    /// Answers with an error and closes.
    func fail(_ text: String, _ reason: ClosedReason) {
        guard self.phase == .open else { return }
        self.sendError(text)
        self.close(reason)
    }

    /// Answers with an error, closes, and only then says so in the log, as the official server does with these.
    func failLogged(_ text: String, _ reason: ClosedReason) {
        self.fail(text, reason)
        self.logInputError(text)
    }

    /// Logs why no more input is handled; on a WebSocket connection such errors are the reader's (nats-server client.go
    /// readLoop).
    func logInputError(_ text: String) {
        let kind = self.webSocket == nil ? "" : "read error: "
        self.logger.error("\(self.label) - \(kind)\(text)")
    }

    /// Logs what many clients can cause at once, at most once in a second.
    func logRateLimited(_ level: Logger.Level, _ text: String) {
        guard self.logger.logLevel <= level else { return }
        let (account, user) = self.session.rateLimitedSuffix
        guard self.shared.shouldLog(text + account) else { return }
        self.logger.log(level: level, "\(self.label) - \(text)\(account)\(user)")
    }

    /// There are too many connections, this one among them.
    func maxConnectionsExceeded() {
        self.logRateLimited(.error, "maximum connections exceeded")
        self.fail("maximum connections exceeded", .maxConnectionsExceeded)
    }

    /// Tells a client that understands it of something new.
    func sendInfo() {
        guard self.phase == .open, self.session.takesInfo else { return }
        self.outlet.append(self.makeLaterInfo().encode())
    }

    /// Tells a client that understands it to look for another server.
    func sendLameDuckInfo() {
        guard self.phase == .open, self.session.takesInfo else { return }
        var info = self.makeLaterInfo()
        info.lameDuckMode = true
        self.outlet.append(info.encode())
    }

    /// INFO for a client that is known: what its account allows is not taken back.
    func makeLaterInfo() -> ServerInfo {
        var info = self.makeInfo()
        info.maxPayload = self.announcedMaxPayload(info.maxPayload)
        return info
    }

    func sendError(_ text: String) {
        self.traceOut("-ERR \(text)")
        self.outlet.append(Array("-ERR '\(text)'\r\n".utf8))
    }

    /// What ``close(_:)`` does.
    func closeClient(_ reason: ClosedReason) {
        guard self.phase == .open else { return }
        let reason = self.webSocket == nil ? reason : reason.ofWebSocket
        self.phase = .closing
        self.closedReason = reason
        self.remember(reason)
        self.tellDisconnected(reason)
        let dropped = self.subscriptions.values
        self.dropSubscriptions()
        self.leaveAccount()
        self.cut = CutOperation()
        self.heldInput = nil
        self.pendingCheck?.cancel()
        self.pendingCheck = nil
        self.logger.debug("\(self.label) - Client connection closed: \(reason.rawValue)")
        if self.isTracing, reason != .serverShutdown { dropped.forEach(self.traceDeleted) }
        guard let context = self.context, context.channel.isActive, reason.flushesFirst else {
            self.outlet.detach()
            self.closeChannel(saysGoodbye: reason == .tlsHandshakeFailure)
            return
        }
        // After the flush of this tick, which carries what is staged.
        context.eventLoop.execute { self.closeWhenFlushed() }
    }

    private func closeWhenFlushed() {
        guard self.phase == .closing, let context = self.context else { return }
        self.writeGathered(context)
        self.webSocket?.sendClose(self.closedReason ?? .clientClosed)
        guard self.outstandingWrites > 0 || self.webSocket != nil else {
            self.closeChannel(saysGoodbye: true)
            return
        }
        // Writes complete in order, so an empty one at the end completes last.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in self.closeChannel(saysGoodbye: true) }
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer()), promise: promise)
        let limit = min(Self.lingerLimit, self.settings.writeDeadline)
        context.eventLoop.scheduleTask(in: limit) { self.closeChannel(saysGoodbye: false) }
    }

    /// The socket is gone.
    func finish() {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.outlet.detach()
        self.loop.remove(self)
        if self.isCounted { self.shared.connectionClosed() }
    }

    func dropSubscriptions() {
        guard !self.subscriptions.isEmpty else { return }
        self.account.index.remove(contentsOf: self.subscriptions.values)
        for subscription in self.subscriptions.values { self.removeShadows(of: subscription) }
        self.endUnwantedRequests(self.subscriptions.values)
        self.subscriptions = [:]
    }
}
