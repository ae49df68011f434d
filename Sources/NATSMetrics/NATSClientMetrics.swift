public import CoreMetrics
public import NATSClient
import NIOConcurrencyHelpers

/// Keeps the counters of a client in the program's metrics.
///
/// | Label | Kind | What it counts |
/// |---|---|---|
/// | `nats_client_messages_in`, `nats_client_messages_out` | counter | messages received and published |
/// | `nats_client_bytes_in`, `nats_client_bytes_out` | counter | bytes of headers and payloads |
/// | `nats_client_socket_bytes_in`, `nats_client_socket_bytes_out` | counter | bytes of the sockets |
/// | `nats_client_reconnects` | counter | connections made again |
/// | `nats_client_disconnects` | counter | connections lost |
/// | `nats_client_errors` | counter | errors that no caller waits for |
/// | `nats_client_dropped` | counter | messages dropped for slow consumers |
/// | `nats_client_connected` | gauge | 1 while there is a connection, else 0 |
/// | `nats_client_pending_bytes` | gauge | bytes that wait to be written |
/// | `nats_client_outstanding_requests` | gauge | requests that wait for a reply |
/// | `nats_client_subscription_pending_messages`, `nats_client_subscription_pending_bytes` | gauge | what waits for the consumers given to ``watch(_:)`` |
/// | `nats_client_request_duration` | timer | requests made through ``request(_:to:headers:timeout:)`` |
/// | `nats_client_request_errors` | counter | those of them that failed |
///
/// Counting costs the client nothing: its own counters are read from time to time while ``run()`` runs.
public final class NATSClientMetrics: Sendable {
    private struct Progress {
        var statistics: NATSStatistics?
        var subscriptions = WatchedSubscriptions()
    }

    private let client: NATSClient
    private let interval: Duration
    private let factory: any MetricsFactory
    private let dimensions: [(String, String)]
    private let progress = NIOLockedValueBox(Progress())
    private let instruments: Instruments

    /// Metrics of a client.
    ///
    /// - Parameters:
    ///   - client: The client, which is held.
    ///   - interval: How often ``run()`` reads the client's counters; at least a millisecond.
    ///   - dimensions: Dimensions of all metrics, such as the name of the connection where there are several.
    ///   - factory: Where to; nil for the factory that the program bootstrapped.
    public init(
        _ client: NATSClient,
        interval: Duration = .seconds(10),
        dimensions: [(String, String)] = [],
        factory: (any MetricsFactory)? = nil
    ) {
        self.client = client
        self.interval = max(interval, .milliseconds(1))
        self.factory = factory ?? MetricsSystem.factory
        self.dimensions = dimensions
        self.instruments = Instruments(factory: self.factory, dimensions: dimensions)
    }

    /// Counts what waits for a consumer too, until the subscription ends.
    ///
    /// With the dimensions `subject` and `queue_group` (empty without one): subscriptions that have both in common are
    /// counted together. The subscription is not held.
    public func watch(_ subscription: NATSSubscription) {
        self.progress.withLockedValue { $0.subscriptions.add(subscription) }
    }

    /// Keeps the metrics up to date until the client is closed or the task is cancelled.
    ///
    /// In a `ServiceGroup`, behind the client:
    /// `ClosureService { await cancelWhenGracefulShutdown { await metrics.run() } }`.
    public func run() async {
        let events = self.client.events
        guard !self.client.isClosed else {
            self.update()
            return
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    self.update()
                    try? await Task.sleep(for: self.interval)
                }
            }
            for await event in events {
                self.record(event)
            }
            group.cancelAll()
        }
        self.update()
    }

    /// Brings the metrics up to date now.
    public func update() {
        let instruments = self.instruments
        // Read and counted under the lock: two updates at a time must not count the same messages.
        let now = self.progress.withLockedValue { progress in
            let now = self.client.statistics
            let before = progress.statistics
            instruments.messagesIn.increment(by: now.messagesIn.increase(since: before?.messagesIn ?? 0))
            instruments.messagesOut.increment(by: now.messagesOut.increase(since: before?.messagesOut ?? 0))
            instruments.bytesIn.increment(by: now.bytesIn.increase(since: before?.bytesIn ?? 0))
            instruments.bytesOut.increment(by: now.bytesOut.increase(since: before?.bytesOut ?? 0))
            instruments.socketBytesIn.increment(by: now.socketBytesIn.increase(since: before?.socketBytesIn ?? 0))
            instruments.socketBytesOut.increment(by: now.socketBytesOut.increase(since: before?.socketBytesOut ?? 0))
            instruments.dropped.increment(by: now.dropped.increase(since: before?.dropped ?? 0))
            instruments.reconnects.increment(by: now.reconnects.increase(since: before?.reconnects ?? 0))
            progress.statistics = now
            progress.subscriptions.update(factory: self.factory, dimensions: self.dimensions)
            return now
        }
        instruments.connected.record(self.client.isConnected ? 1 : 0)
        instruments.pendingBytes.record(now.bufferedBytes)
        instruments.outstandingRequests.record(now.outstandingRequests)
    }

    /// Sends a request and records how long the reply took.
    ///
    /// - Parameters:
    ///   - payload: The bytes.
    ///   - subject: Where to; no wildcards, no empty tokens, no white space.
    ///   - headers: Headers; need a server that supports them.
    ///   - timeout: As of the client's `request`.
    /// - Returns: The reply.
    /// - Throws: As the client's `request`.
    public func request(
        _ payload: some NATSPayload,
        to subject: String,
        headers: NATSHeaders = NATSHeaders(),
        timeout: Duration? = nil
    ) async throws(NATSError) -> NATSMessage {
        let start = ContinuousClock.now
        do throws(NATSError) {
            let reply = try await self.client.request(payload, to: subject, headers: headers, timeout: timeout)
            let (seconds, attoseconds) = (ContinuousClock.now - start).components
            let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            self.instruments.requestDuration.recordNanoseconds(
                overflow ? Int64.max : whole &+ attoseconds / 1_000_000_000
            )
            return reply
        } catch {
            self.instruments.requestErrors.increment()
            throw error
        }
    }

    private func record(_ event: NATSEvent) {
        switch event {
        case .connected, .reconnected:
            self.instruments.connected.record(1)
        case .disconnected:
            self.instruments.connected.record(0)
            self.instruments.disconnects.increment()
        case .error:
            self.instruments.errors.increment()
        default:
            break
        }
    }
}

extension UInt64 {
    fileprivate func increase(since before: UInt64) -> Int64 {
        Int64(clamping: self > before ? self - before : 0)
    }
}
