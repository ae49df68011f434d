import Logging
import NATSText
import NIOCore

/// The ends of a route.
extension RouteConnection {
    /// How long a connection that is to be closed may take to accept its last bytes.
    private static let lingerLimit: TimeAmount = .seconds(2)

    /// Answers with an error and closes.
    func fail(_ text: String, _ reason: ClosedReason) {
        guard self.phase == .open else { return }
        self.traceOut("-ERR \(text)")
        self.outlet.append(Array("-ERR '\(text)'\r\n".utf8))
        self.close(reason)
    }

    /// What ``close(_:)`` does.
    func closeRoute(_ reason: ClosedReason) {
        guard self.phase == .open else { return }
        self.phase = .closing
        self.closedReason = reason
        guard !self.address.isEmpty else {
            // A dial that failed: nobody knows of this connection.
            self.outlet.detach()
            return
        }
        self.endWatchers()
        self.dropInterest()
        self.cut = CutOperation()
        self.heldInput = nil
        self.pendingCheck?.cancel()
        self.pendingCheck = nil
        let remote = self.peerName.isEmpty ? "" : " - Remote: \(GoString.harmless(self.peerName.utf8))"
        self.logger.info("\(self.label) - Router connection closed: \(reason.rawValue)\(remote)")
        self.service.closed(self)
        guard let context = self.context, context.channel.isActive, reason.flushesFirst else {
            self.outlet.detach()
            self.context?.close(promise: nil)
            return
        }
        // After the flush of this tick, which carries what is staged.
        context.eventLoop.execute { self.closeWhenFlushed() }
    }

    private func closeWhenFlushed() {
        guard self.phase == .closing, let context = self.context else { return }
        self.writeGathered(context)
        // Writes complete in order, so an empty one at the end completes last.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in self.context?.close(promise: nil) }
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: promise)
        let limit = min(Self.lingerLimit, self.settings.writeDeadline)
        context.eventLoop.scheduleTask(in: limit) { self.context?.close(promise: nil) }
    }

    /// The socket is gone.
    func finish() {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.outlet.detach()
        self.loop.remove(self)
    }
}
