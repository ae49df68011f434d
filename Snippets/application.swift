// The sample of README.md with the packages around, between the marks; needs a server on the default port when it runs.
// snippet.show
import Logging
import NATSClient
import NATSMetrics
import NATSServiceLifecycle
import NATSTracing
import ServiceLifecycle

let client = try await NATSClient.connect()
let traced = NATSTracing(client)
let metrics = NATSClientMetrics(client)

let workers = NATSHandlerRunner(client, subject: "orders.*", queue: "workers", concurrency: 8) { order in
    // Within a span that continues the trace of whoever published the order; what is published carries it on.
    try await traced.process(order) { order in
        try await traced.publish(order.payload, to: "done." + order.subject)
    }
}
let upkeep = ClosureService { await cancelWhenGracefulShutdown { await metrics.run() } }

// SIGTERM: what has arrived is handled, then the client drains.
let group = ServiceGroup(
    services: [client, upkeep, workers],
    gracefulShutdownSignals: [.sigterm],
    logger: Logger(label: "orders")
)
try await group.run()
// snippet.hide
