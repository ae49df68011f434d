import NIOCore

// Whether the server is still there: PINGs, and whether the socket takes what it is given. On the event loop.
extension ConnectionCore {
    func startKeepAlive() {
        self.stopKeepAlive()
        self.keepAlive = KeepAlive(maxPingsOut: self.configuration.maxPingsOut)
        self.scheduleKeepAlive()
        self.writeProgress = WriteProgress()
        self.scheduleWriteCheck()
    }

    func stopKeepAlive() {
        self.keepAliveTimer?.cancel()
        self.writeTimer?.cancel()
    }

    private func scheduleKeepAlive() {
        guard self.configuration.pingInterval > .zero else {
            return
        }
        self.keepAliveTimer = self.eventLoop.scheduleTask(in: self.configuration.pingInterval.timeAmount) {
            [weak self] in
            self?.keepAliveTick()
        }
    }

    private func keepAliveTick() {
        guard case .connected = self.phase else {
            return
        }
        guard self.pausingReads.isEmpty else {
            // Answers wait with everything else: silence says nothing about the server.
            return self.scheduleKeepAlive()
        }
        switch self.keepAlive.tick() {
        case .sendPing:
            _ = self.outbound.ping(.init { _ in })
            self.scheduleKeepAlive()
        case .stale:
            self.handler?.fail(NATSError(.staleConnection, "the server does not answer PING"))
        }
    }

    /// Looks twice in the write timeout whether the write that is under way is still the same, and none of it is gone.
    ///
    /// A timer for each write would cost more than the write.
    private func scheduleWriteCheck() {
        guard self.configuration.writeTimeout > .zero else {
            return
        }
        self.writeTimer = self.eventLoop.scheduleTask(in: (self.configuration.writeTimeout / 2).timeAmount) {
            [weak self] in
            self?.checkWrites()
        }
    }

    private func checkWrites() {
        guard case .connected = self.phase else {
            return
        }
        var statistics = NATSStatistics()
        self.outbound.addStatistics(to: &statistics)
        let channel = self.handler?.context?.channel
        self.writeProgress.look(
            isWriting: self.writeInFlight != nil,
            taken: statistics.socketBytesOut,
            buffered: (try? channel?.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0,
            acknowledged: channel?.acknowledgedBytes
        )
        if self.writeProgress.ticksWithout >= 2 {
            self.handler?.fail(NATSError(.staleConnection, "the server takes nothing of what it is sent"))
        } else {
            self.scheduleWriteCheck()
        }
    }
}
