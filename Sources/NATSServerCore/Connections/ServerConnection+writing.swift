import Logging
import NATSText
import NIOCore

/// Writing what was staged, and noticing that the socket does not take it.
extension ServerConnection {
    enum WriteProgress {
        case flushed
        case blocked
        case closed
    }

    /// So much small output is put together while the socket is blocked.
    private static let gatheredMaximum = 64 << 10

    /// Writes what was staged for this connection.
    ///
    /// - Parameters:
    ///   - staged: The output of one producing loop.
    ///   - isCounted: Whether the bytes are in ``backlog`` already.
    ///   - now: The time of the loop's tick.
    func send(_ staged: consuming Outlet.Staged, isCounted: Bool = false, now: NIODeadline) {
        let bytes = staged.bytes
        guard self.phase != .closed, let context = self.context, let last = staged.last.take() else {
            if isCounted { self.backlog.change(by: -bytes) }
            return
        }
        guard self.mayWrite else {
            // Only a handshake may be written, and nothing else is meant for a client that has not spoken.
            if isCounted { self.backlog.change(by: -bytes) }
            return
        }
        if staged.messages > 0 {
            self.statistics.messagesOut &+= staged.messages
            self.statistics.bytesOut &+= staged.payloadBytes
            let (messages, bytes) = (staged.messages, staged.payloadBytes)
            switch self.kind {
            case .client:
                self.loop.totals.traffic.messagesOut &+= messages
                self.loop.totals.traffic.bytesOut &+= bytes
                self.router.totals.traffic.messagesOut &+= messages
                self.router.totals.traffic.bytesOut &+= bytes
            case .route:
                // Whose messages they are was counted when they were staged.
                self.loop.totals.routedOut(messages: messages, bytes: bytes)
            case .leaf:
                self.loop.totals.leafOut(messages: messages, bytes: bytes)
                self.router.totals.leafOut(messages: messages, bytes: bytes)
            }
            self.lastActivity = now
        }
        if staged.messages > 0 { self.willWrite(context) }
        let pending = self.backlog.change(by: isCounted ? 0 : bytes)
        if self.phase == .open, pending > self.pendingLimit, self.outstandingWrites > 0 {
            self.logger.notice("\(self.label) - Slow Consumer Detected: MaxPending of \(self.backlog.maximum) Exceeded")
            self.loop.totals.slowConsumers += 1
            if !self.isRoute { self.router.totals.slowConsumers += 1 }
            self.close(.slowConsumerPendingBytes)
            return
        }
        if self.outstandingWrites > 0, bytes < Self.gatheredMaximum / 4 {
            // A write of its own would cost the socket's queue far more memory than these bytes.
            self.gather(staged.earlier, last)
            return
        }
        self.writeGathered(context)
        self.write(staged.earlier, last, bytes, context)
    }

    private func write(
        _ earlier: [ByteBuffer],
        _ last: consuming ByteBuffer,
        _ bytes: Int,
        _ context: ChannelHandlerContext
    ) {
        if earlier.isEmpty, self.outstandingWrites == 0, self.writesDirectly {
            self.writeToIdleSocket(last, bytes, context)
            return
        }
        if self.outstandingWrites == 0 { self.lastProgress = .now() }
        self.outstandingWrites += 1
        for buffer in earlier { context.write(NIOAny(buffer), promise: nil) }
        let buffers = earlier + [copy last]
        // What TLS has encrypted it does not need any more, while the socket may take long to take it.
        let isCopied = self.isEncrypted
        let kept = isCopied ? [] : buffers
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { result in
            self.written(kept, bytes, succeeded: (try? result.get()) != nil)
        }
        context.writeAndFlush(NIOAny(last), promise: promise)
        if isCopied { for buffer in buffers { self.loop.pool.recycle(buffer) } }
        if self.outstandingWrites > 0 { self.loop.watch(self) }
    }

    /// An idle socket nearly always takes everything at once, which shows in the channel not holding the buffer any more:
    /// cheaper to see than a promise is to make.
    private func writeToIdleSocket(_ buffer: consuming ByteBuffer, _ bytes: Int, _ context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(copy buffer), promise: nil)
        if buffer.modifyIfUniquelyOwned({ _ in }) != nil {
            self.backlog.change(by: -bytes)
            self.loop.pool.recycle(buffer)
            return
        }
        // Whatever was written before has been taken.
        self.lastProgress = .now()
        self.backlog.progressed(now: self.lastProgress)
        self.outstandingWrites += 1
        // Writes complete in order, so an empty one completes right after this one.
        let promise = context.eventLoop.makePromise(of: Void.self)
        let buffers = [buffer]
        promise.futureResult.whenComplete { result in
            self.written(buffers, bytes, succeeded: (try? result.get()) != nil)
        }
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: promise)
        if self.outstandingWrites > 0 { self.loop.watch(self) }
    }

    func written(_ buffers: [ByteBuffer], _ bytes: Int, succeeded: Bool) {
        self.outstandingWrites -= 1
        self.backlog.change(by: -bytes)
        guard succeeded else { return }
        self.lastProgress = .now()
        self.backlog.progressed(now: self.lastProgress)
        for buffer in buffers { self.loop.pool.recycle(buffer) }
        if self.outstandingWrites == 0, let context = self.context { self.writeGathered(context) }
    }

    private func gather(_ earlier: [ByteBuffer], _ last: consuming ByteBuffer) {
        for buffer in earlier {
            self.gathered.writeImmutableBuffer(buffer)
            self.loop.pool.recycle(buffer)
        }
        self.gathered.writeImmutableBuffer(last)
        self.loop.pool.recycle(last)
        if self.gathered.readableBytes >= Self.gatheredMaximum, let context = self.context {
            self.writeGathered(context)
        }
    }

    /// Writes what was gathered; its bytes are in the backlog already.
    func writeGathered(_ context: ChannelHandlerContext) {
        guard self.gathered.readableBytes > 0 else { return }
        let buffer = self.gathered
        self.gathered = ByteBuffer()
        let bytes = buffer.readableBytes
        self.write([], buffer, bytes, context)
    }

    /// Cuts the connection off if its socket has taken nothing for too long.
    func checkWriteDeadline(_ deadline: TimeAmount, now: NIODeadline) -> WriteProgress {
        guard self.phase == .open else { return .closed }
        guard self.outstandingWrites > 0 else { return .flushed }
        guard now - self.lastProgress >= deadline else { return .blocked }
        self.logger.notice(
            """
            \(self.label) - Slow Consumer Detected: WriteDeadline of \(GoDuration.text(self.shared.options.writeDeadline)) exceeded with \
            \(self.outstandingWrites) chunks of \(self.backlog.pending) total bytes.
            """
        )
        self.loop.totals.slowConsumers += 1
        switch self.kind {
        case .client: self.router.totals.slowConsumers += 1
        case .route: self.loop.totals.slowRoutes += 1
        case .leaf:
            self.loop.totals.slowLeafs += 1
            self.router.totals.slowConsumers += 1
        }
        self.close(.slowConsumerWriteDeadline)
        return .closed
    }
}
