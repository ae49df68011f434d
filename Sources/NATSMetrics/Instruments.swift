import CoreMetrics

/// What a client's metrics are recorded with.
struct Instruments: Sendable {
    let messagesIn: Counter
    let messagesOut: Counter
    let bytesIn: Counter
    let bytesOut: Counter
    let socketBytesIn: Counter
    let socketBytesOut: Counter
    let reconnects: Counter
    let disconnects: Counter
    let errors: Counter
    let dropped: Counter
    let connected: Gauge
    let pendingBytes: Gauge
    let outstandingRequests: Gauge
    let requestDuration: Timer
    let requestErrors: Counter

    init(factory: any MetricsFactory, dimensions: [(String, String)]) {
        func counter(_ name: String) -> Counter {
            Counter(label: "nats_client_" + name, dimensions: dimensions, factory: factory)
        }
        func gauge(_ name: String) -> Gauge {
            Gauge(label: "nats_client_" + name, dimensions: dimensions, factory: factory)
        }
        self.messagesIn = counter("messages_in")
        self.messagesOut = counter("messages_out")
        self.bytesIn = counter("bytes_in")
        self.bytesOut = counter("bytes_out")
        self.socketBytesIn = counter("socket_bytes_in")
        self.socketBytesOut = counter("socket_bytes_out")
        self.reconnects = counter("reconnects")
        self.disconnects = counter("disconnects")
        self.errors = counter("errors")
        self.dropped = counter("dropped")
        self.connected = gauge("connected")
        self.pendingBytes = gauge("pending_bytes")
        self.outstandingRequests = gauge("outstanding_requests")
        self.requestDuration = Timer(label: "nats_client_request_duration", dimensions: dimensions, factory: factory)
        self.requestErrors = counter("request_errors")
    }
}
