import NATSWire
import NIOCore

/// `/routez`: the connections to other servers of the cluster.
struct RoutezDocument {
    let head: ServerHead
    let clock: ServerClock
    let now: NIODeadline
    let subscriptions: ConnectionQuery.Subscriptions
    let routes: [RouteSnapshot]

    func json() -> [UInt8] {
        var writer = JSONDocumentWriter()
        writer.object { writer in
            writer.write("server_id", self.head.id)
            writer.write("server_name", self.head.name)
            writer.write("now", time: self.head.now)
            writer.write("num_routes", self.routes.count)
            writer.array("routes") { writer in
                for route in self.routes { self.write(route, to: &writer) }
            }
        }
        return writer.bytes
    }

    /// nats-server monitor.go RouteInfo.
    private func write(_ route: RouteSnapshot, to writer: inout JSONDocumentWriter) {
        let figures = route.figures
        writer.object { writer in
            writer.write("rid", figures.id)
            writer.write("remote_id", route.remoteID)
            writer.write("remote_name", route.remoteName)
            writer.write("did_solicit", route.isSolicited)
            writer.write("is_configured", route.isConfigured)
            writer.write("ip", route.ip)
            writer.write("port", route.port)
            writer.write("start", time: self.clock.wallNanoseconds(figures.start))
            writer.write("last_activity", time: self.clock.wallNanoseconds(figures.lastActivity))
            writer.write("rtt", TimeText.roundTrip(figures.roundTripNanoseconds))
            writer.write("uptime", TimeText.uptime((self.now - figures.start).nanoseconds))
            writer.write("idle", TimeText.uptime((self.now - figures.lastActivity).nanoseconds))
            writer.writeUnlessNil("import", route.importPermissions)
            writer.writeUnlessNil("export", route.exportPermissions)
            writer.write("pending_size", figures.pendingBytes)
            writer.write("in_msgs", figures.traffic.messagesIn)
            writer.write("out_msgs", figures.traffic.messagesOut)
            writer.write("in_bytes", figures.traffic.bytesIn)
            writer.write("out_bytes", figures.traffic.bytesOut)
            writer.write("subscriptions", figures.subscriptions)
            self.writeSubscriptions(of: route, to: &writer)
            writer.writeUnlessEmpty("account", route.account)
            writer.writeUnlessEmpty("compression", route.compression)
        }
    }

    private func writeSubscriptions(of route: RouteSnapshot, to writer: inout JSONDocumentWriter) {
        guard !route.subscriptions.isEmpty else { return }
        switch self.subscriptions {
        case .none: break
        case .subjects:
            writer.array("subscriptions_list") { writer in
                for subscription in route.subscriptions { writer.element(text: subscription.subject) }
            }
        case .detail:
            writer.array("subscriptions_list_detail") { writer in
                for subscription in route.subscriptions { writer.element(subscription) }
            }
        }
    }
}
