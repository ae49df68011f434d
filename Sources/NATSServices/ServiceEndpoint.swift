import NATSClient
import NIOConcurrencyHelpers

/// One subject that a service answers on, with its counters.
final class ServiceEndpoint: Sendable {
    typealias Handler = @Sendable (NATSServiceRequest) async throws -> Void

    private struct Counters {
        var requests = 0
        var errors = 0
        var lastError: NATSServiceError?
        var processingTime = Duration.zero
    }

    let info: NATSServiceInfo.Endpoint
    let queueGroup: String?
    let concurrency: Int
    let limits: NATSClientConfiguration.PendingLimits?
    private let counters = NIOLockedValueBox(Counters())

    init(
        name: String,
        subject: String,
        queueGroup: NATSServiceQueueGroup,
        metadata: [String: String],
        concurrency: Int,
        limits: NATSClientConfiguration.PendingLimits?
    ) {
        self.queueGroup = queueGroup.subscriptionName
        self.info = NATSServiceInfo.Endpoint(
            name: name,
            subject: subject,
            queueGroup: self.queueGroup ?? "",
            metadata: metadata
        )
        self.concurrency = concurrency
        self.limits = limits
    }

    var statistics: NATSServiceStatistics.Endpoint {
        let counters = self.counters.withLockedValue { $0 }
        var statistics = NATSServiceStatistics.Endpoint(
            name: self.info.name,
            subject: self.info.subject,
            queueGroup: self.info.queueGroup
        )
        statistics.requests = counters.requests
        statistics.errors = counters.errors
        statistics.lastError = counters.lastError?.description ?? ""
        statistics.processingTime = counters.processingTime
        if counters.requests > 0 {
            statistics.averageProcessingTime = counters.processingTime / counters.requests
        }
        return statistics
    }

    func reset() {
        self.counters.withLockedValue { $0 = Counters() }
    }

    /// Has one request handled; what goes wrong is told to who asked and counted, and never ends the endpoint.
    func handle(
        _ message: NATSMessage,
        _ handler: Handler,
        describing: (any Error) -> NATSServiceError
    ) async {
        let clock = ContinuousClock()
        let start = clock.now
        let outcome = NATSServiceRequest.Outcome()
        let request = NATSServiceRequest(message, outcome: outcome)
        do {
            try await handler(request)
        } catch {
            let description = describing(error)
            outcome.fail(description)
            // The requester may expect no response at all.
            try? await message.respond("" as StaticString, headers: description.headers(adding: [:]))
        }
        let elapsed = clock.now - start
        self.counters.withLockedValue { counters in
            counters.requests += 1
            counters.processingTime += elapsed
            if let error = outcome.error {
                counters.errors += 1
                counters.lastError = error
            }
        }
    }
}
