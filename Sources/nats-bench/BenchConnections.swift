import NATSBenchSupport
import NATSClient
import NATSCommandSupport
import NIOCore

/// The connections to one server, one for each client.
struct BenchConnections: Sendable {
    let senders: [NATSClient]
    let receivers: [NATSClient]

    /// Connects receivers, then senders, spread over the event loops.
    static func connect(
        _ plan: BenchPlan,
        _ context: ToolContext,
        _ settings: ConnectionSettings,
        _ loops: any EventLoopGroup
    ) async throws -> BenchConnections {
        var context = context
        context.settings = settings
        var clients: [NATSClient] = []
        for _ in 0..<(plan.receivers + plan.senders) {
            context.eventLoop = loops.next()
            clients.append(try await ToolConnection.connect(context, reconnect: .never))
        }
        return BenchConnections(
            senders: Array(clients.dropFirst(plan.receivers)),
            receivers: Array(clients.prefix(plan.receivers))
        )
    }

    var any: NATSClient? { self.senders.first ?? self.receivers.first }

    func close() async {
        for client in self.senders + self.receivers { await client.close() }
    }
}
