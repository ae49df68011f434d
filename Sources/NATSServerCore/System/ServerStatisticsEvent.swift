internal import NATSWire

/// How the server is, as it tells the system account (nats-server events.go ServerStatsMsg).
struct ServerStatisticsEvent {
    let snapshot: ServerSnapshot
    let routes: [RouteSnapshot]
    var activeAccounts = 0
    /// Servers that are heard of, this one included.
    var activeServers = 1

    func json(_ server: ServerBlock) -> [UInt8] {
        SystemEvents.document { writer in
            writer.object("server") { server.write(to: &$0) }
            writer.object("statsz") { self.write(to: &$0) }
        }
    }

    private func write(to writer: inout JSONDocumentWriter) {
        let statistics = self.snapshot.statistics
        let traffic = statistics.traffic
        writer.write("start", time: self.snapshot.start)
        writer.write("mem", self.snapshot.usage.residentMemory)
        writer.write("cores", self.snapshot.cores)
        writer.write("cpu", number: self.snapshot.usage.processorPercent)
        writer.write("connections", statistics.connections)
        writer.write("total_connections", statistics.totalConnections)
        writer.write("active_accounts", self.activeAccounts)
        writer.write("subscriptions", statistics.subscriptions)
        let clients = statistics.clients
        writer.object("sent") { SystemEvents.write(traffic.messagesOut, traffic.bytesOut, to: &$0) }
        writer.object("sent_to_clients") { SystemEvents.write(clients.messagesOut, clients.bytesOut, to: &$0) }
        writer.object("received") { SystemEvents.write(traffic.messagesIn, traffic.bytesIn, to: &$0) }
        writer.object("received_from_clients") { SystemEvents.write(clients.messagesIn, clients.bytesIn, to: &$0) }
        writer.write("slow_consumers", statistics.slowConsumers)
        if statistics.slowConsumers > 0 {
            writer.object("slow_consumer_stats") { statistics.writeSlowConsumers(to: &$0) }
        }
        writer.writeUnlessZero("stale_connections", statistics.staleConnections)
        if statistics.staleConnections > 0 {
            writer.object("stale_connection_stats") { statistics.writeStaleConnections(to: &$0) }
        }
        writer.writeUnlessZero("stalled_clients", statistics.stalls)
        if !self.routes.isEmpty {
            writer.array("routes") { writer in
                for route in self.routes { writer.object { Self.write(route, to: &$0) } }
            }
        }
        writer.write("active_servers", self.activeServers)
        writer.write("gomaxprocs", self.snapshot.eventLoops)
    }

    /// nats-server events.go RouteStat.
    private static func write(_ route: RouteSnapshot, to writer: inout JSONDocumentWriter) {
        let traffic = route.figures.traffic
        writer.write("rid", route.figures.id)
        writer.writeUnlessEmpty("name", route.remoteName)
        writer.object("sent") { SystemEvents.write(traffic.messagesOut, traffic.bytesOut, to: &$0) }
        writer.object("received") { SystemEvents.write(traffic.messagesIn, traffic.bytesIn, to: &$0) }
        writer.write("pending", route.figures.pendingBytes)
    }
}
