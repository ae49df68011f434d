import Logging
import NIOCore

extension Server {
    /// Whether the server sends its clients away and takes no new ones.
    package var isInLameDuckMode: Bool { self.shared.isInLameDuckMode }

    /// Takes no new clients, tells those that are there, and closes them one after the other; then shuts down.
    ///
    /// A call of ``shutdown()`` meanwhile ends it at once.
    ///
    /// - Returns: `false` if there was nothing to do: the server does not run, or is in lame duck mode already.
    package func enterLameDuckMode() async -> Bool {
        guard let listener = self.runningListener, self.shared.beginLameDuckMode() else { return false }
        let logger = self.shared.logger
        logger.info("Entering lame duck mode, stop accepting new clients")
        await self.shared.system?.tell("LAMEDUCK")
        try? await listener.close()
        await self.shared.webSocket?.stopListening()
        self.shared.routes?.announceLameDuckMode()
        let options = self.shared.options
        let clients = await self.clientsToSendAway()
        guard !clients.isEmpty else {
            await self.shutdown()
            return true
        }
        _ = await self.loops.answers { loop in loop.announceLameDuckMode() }

        let grace = TimeAmount(options.lameDuckGracePeriod)
        // A shutdown in between has closed everybody: nothing is left but to wait for its end.
        guard await self.pause(grace) else {
            await self.shutdown()
            return true
        }
        logger.info("Closing existing clients")
        let plan = LameDuckPlan(
            duration: options.lameDuckDuration,
            gracePeriod: options.lameDuckGracePeriod,
            clients: clients.count
        )
        var generator = SystemRandomNumberGenerator()
        for (index, client) in clients.enumerated() {
            self.loops.onLoop(client.loop) { $0.connections[client.id]?.close(.serverShutdown) }
            guard index < clients.count - 1, let pause = plan.pause(after: index, using: &generator) else { continue }
            guard await self.pause(.nanoseconds(pause)) else { break }
        }
        await self.shutdown()
        return true
    }

    private struct Client: Sendable {
        let loop: Int
        let id: UInt64
    }

    private func clientsToSendAway() async -> [Client] {
        let clients = await self.loops.answers { loop in
            loop.connections.keys.map { Client(loop: loop.index, id: $0) }
        }
        return clients.joined().shuffled()
    }

    /// Waits on an event loop.
    ///
    /// - Returns: `false` if the server has been shut down meanwhile.
    private func pause(_ time: TimeAmount) async -> Bool {
        await self.loops.wait(time) && self.runningListener != nil
    }
}

extension ServerLoop {
    /// Tells the clients that understand it (nats-server route.go sendAsyncInfoToClients).
    fileprivate func announceLameDuckMode() {
        for connection in self.connections.values { connection.sendLameDuckInfo() }
    }
}
