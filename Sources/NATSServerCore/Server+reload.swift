import Logging
import NIOCore

extension Server {
    /// Lets the server run on with other options.
    ///
    /// Whoever calls it has made sure that only what can be changed differs (``ReloadPlan``). Limits hold at once, also for
    /// the clients that are connected; those beyond a lower `max_connections` stay until
    /// ``closeConnectionsAboveLimit()``.
    package func apply(_ options: ServerOptions) async {
        self.shared.replaceOptions(options)
        let port = self.boundPort
        if port > 0, let address = try? self.advertisedAddress(options, port: port) {
            self.shared.setInfo(address)
        }
        await self.applyLoopSettings()
    }

    /// Lets the loops look at the options, and at the log's level, once more.
    package func applyLoopSettings() async {
        let settings = LoopSettings(self.shared.options)
        _ = await self.loops.answers { loop in loop.apply(settings) }
    }

    /// Closes as many clients as there are beyond `max_connections`, whichever.
    ///
    /// - Returns: how many.
    package func closeConnectionsAboveLimit() async -> Int {
        let limit = max(0, self.shared.options.maxConnections)
        let counts = await self.loops.answers { loop in (loop: loop.index, connections: loop.connections.count) }
        var surplus = counts.reduce(0) { $0 + $1.connections } - limit
        guard surplus > 0 else { return 0 }
        var closed = 0
        for (index, count) in counts {
            let share = min(surplus, count)
            surplus -= share
            guard share > 0 else { continue }
            closed += await self.loops.answer(of: index) { $0.closeConnections(share) } ?? 0
        }
        return closed
    }
}

extension ServerLoop {
    /// Closes some connections because there are too many.
    ///
    /// - Returns: how many.
    fileprivate func closeConnections(_ count: Int) -> Int {
        let chosen = self.connections.values.filter { $0.phase == .open }.prefix(count)
        for connection in chosen { connection.maxConnectionsExceeded() }
        return chosen.count
    }
}
