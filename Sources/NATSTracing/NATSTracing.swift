public import NATSClient
public import Tracing

/// A client whose messages carry the context of a trace, with spans for publishing, requesting and processing.
///
/// Spans have the names and attributes of OpenTelemetry's conventions for messaging. What they say about a message is its
/// subject and size, never its payload. A server without headers gets messages without context.
///
/// ```swift
/// let traced = NATSTracing(client)
/// try await traced.publish("3 apples", to: "orders.new")
/// try await traced.handle("orders.*", queue: "workers", concurrency: 8) { order in
///     // Within a span that continues the trace of whoever published the order.
/// }
/// ```
public struct NATSTracing: Sendable {
    /// The client that messages go through.
    public let client: NATSClient
    private let ownTracer: (any Tracer)?

    /// Traces through a client.
    ///
    /// - Parameters:
    ///   - client: The client.
    ///   - tracer: Makes the spans; nil for the tracer that the program bootstrapped.
    public init(_ client: NATSClient, tracer: (any Tracer)? = nil) {
        self.client = client
        self.ownTracer = tracer
    }

    private var tracer: any Tracer {
        self.ownTracer ?? InstrumentationSystem.tracer
    }

    // MARK: Sending

    /// Publishes a message within a span of its own, whose context it carries.
    ///
    /// - Parameters:
    ///   - payload: The bytes.
    ///   - subject: Where to; no wildcards, no empty tokens, no white space.
    ///   - reply: Where a response is expected, if one is.
    ///   - headers: Headers; those of the context are added.
    /// - Throws: As the client's `publish`.
    public func publish(
        _ payload: some NATSPayload,
        to subject: String,
        reply: String? = nil,
        headers: NATSHeaders = NATSHeaders()
    ) async throws {
        try await self.send("publish", .producer, subject, payload, headers) { headers in
            try await self.client.publish(payload, to: subject, reply: reply, headers: headers)
        }
    }

    /// Sends a request and waits for its reply within a span of its own, whose context the request carries.
    ///
    /// - Parameters:
    ///   - payload: The bytes.
    ///   - subject: Where to; no wildcards, no empty tokens, no white space.
    ///   - headers: Headers; those of the context are added.
    ///   - timeout: As of the client's `request`.
    /// - Returns: The reply.
    /// - Throws: As the client's `request`.
    public func request(
        _ payload: some NATSPayload,
        to subject: String,
        headers: NATSHeaders = NATSHeaders(),
        timeout: Duration? = nil
    ) async throws -> NATSMessage {
        try await self.send("request", .client, subject, payload, headers) { headers in
            try await self.client.request(payload, to: subject, headers: headers, timeout: timeout)
        }
    }

    private func send<Result: Sendable>(
        _ operation: String,
        _ kind: SpanKind,
        _ subject: String,
        _ payload: some NATSPayload,
        _ headers: NATSHeaders,
        _ body: (NATSHeaders) async throws -> Result
    ) async throws -> Result {
        var attributes = self.attributes(of: operation, "send", subject)
        attributes.set("messaging.message.body.size", value: .int64(payload.withPayloadBytes { Int64($0.count) }))
        return try await Self.withSpan(
            self.tracer,
            "\(operation) \(self.destination(of: subject))",
            .current ?? .topLevel,
            kind,
            attributes
        ) { context in
            try await body(self.headers(headers, carrying: context))
        }
    }

    /// Headers with the context of a trace, for messages that are sent by other means.
    ///
    /// - Parameters:
    ///   - headers: The headers so far.
    ///   - context: The context; nil for that of the current task.
    /// - Returns: The headers with those of the context; as they were if the server supports no headers.
    public func headers(_ headers: NATSHeaders, carrying context: ServiceContext? = nil) -> NATSHeaders {
        guard self.client.serverInfo?.supportsHeaders ?? true, let context = context ?? .current else {
            return headers
        }
        var headers = headers
        self.tracer.inject(context, into: &headers, using: NATSHeadersInjector())
        return headers
    }

    // MARK: Processing

    /// Processes a message within a span that continues the trace whose context the message carries.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - subscription: The subject and queue group that it was received for, if the span shall name them.
    ///   - body: What is done with it.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; the span has it then.
    public func process<Result: Sendable>(
        _ message: NATSMessage,
        of subscription: (subject: String, queueGroup: String?)? = nil,
        _ body: (NATSMessage) async throws -> Result
    ) async throws -> Result {
        var context = ServiceContext.current ?? .topLevel
        if message.hasHeaders {
            self.tracer.extract(message.headers, into: &context, using: NATSHeadersExtractor())
        }
        let subject = message.subject
        var attributes = self.attributes(of: "process", "process", subject)
        attributes.set("messaging.message.body.size", value: .int64(Int64(message.payloadSize)))
        var destination = self.destination(of: subject)
        if let subscription {
            if subscription.subject != subject {
                attributes.set("messaging.destination.template", value: .string(subscription.subject))
                destination = subscription.subject
            }
            if let queueGroup = subscription.queueGroup {
                attributes.set("messaging.consumer.group.name", value: .string(queueGroup))
            }
        }
        return try await Self.withSpan(self.tracer, "process \(destination)", context, .consumer, attributes) { _ in
            try await body(message)
        }
    }

    /// Calls a handler for each message of a subject, each within a span that continues the trace of the message.
    ///
    /// - Parameters:
    ///   - subject: The subject; `*` stands for one token, `>` at the end for one or more.
    ///   - queue: A queue group: each message goes to one of its members.
    ///   - limits: Pending limits; nil for those of the client.
    ///   - concurrency: How many handlers may run at a time.
    ///   - handler: Gets a message. What it throws ends the subscription.
    /// - Throws: As the client's `handle`.
    public func handle(
        _ subject: String,
        queue: String? = nil,
        limits: NATSClientConfiguration.PendingLimits? = nil,
        concurrency: Int = 1,
        _ handler: @escaping @Sendable (NATSMessage) async throws -> Void
    ) async throws {
        try await self.client.handle(subject, queue: queue, limits: limits, concurrency: concurrency) { message in
            try await self.process(message, of: (subject, queue), handler)
        }
    }

    // MARK: Spans

    private static func withSpan<T: Tracer, Result: Sendable>(
        _ tracer: T,
        _ name: String,
        _ context: ServiceContext,
        _ kind: SpanKind,
        _ attributes: SpanAttributes,
        _ body: (ServiceContext) async throws -> Result
    ) async throws -> Result {
        try await tracer.withSpan(name, context: context, ofKind: kind) { span in
            span.updateAttributes { $0.merge(attributes) }
            do {
                return try await body(span.context)
            } catch {
                let type = (error as? NATSError)?.code.description ?? String(describing: Swift.type(of: error))
                span.updateAttributes { $0.set("error.type", value: .string(type)) }
                throw error
            }
        }
    }

    /// OpenTelemetry's attributes of messaging spans, version 1.30 of its conventions.
    private func attributes(of operation: String, _ type: String, _ subject: String) -> SpanAttributes {
        var attributes = SpanAttributes()
        attributes.set("messaging.system", value: .string("nats"))
        attributes.set("messaging.operation.name", value: .string(operation))
        attributes.set("messaging.operation.type", value: .string(type))
        attributes.set("messaging.destination.name", value: .string(subject))
        if self.isInbox(subject) {
            attributes.set("messaging.destination.temporary", value: .bool(true))
        }
        if let server = self.client.serverInfo {
            attributes.set("messaging.client.id", value: .string(String(server.clientID)))
            let (host, port) = Self.hostAndPort(of: server.url)
            attributes.set("server.address", value: .string(host))
            if let port {
                attributes.set("server.port", value: .int64(port))
            }
        }
        return attributes
    }

    /// Each inbox is another one: names of spans are to be few.
    private func destination(of subject: String) -> String {
        self.isInbox(subject) ? "(temporary)" : subject
    }

    private func isInbox(_ subject: String) -> Bool {
        subject.hasPrefix("_INBOX.") || subject.hasPrefix(self.client.inboxPrefix + ".")
    }

    static func hostAndPort(of url: String) -> (host: String, port: Int64?) {
        var rest = Substring(url)
        if let colon = rest.firstIndex(of: ":"), rest[colon...].hasPrefix("://") {
            rest = rest[colon...].dropFirst(3)
        }
        if let end = rest.firstIndex(of: "/") {
            rest = rest[..<end]
        }
        if rest.hasPrefix("["), let bracket = rest.firstIndex(of: "]") {
            let host = rest[rest.index(after: rest.startIndex)..<bracket]
            let tail = rest[rest.index(after: bracket)...]
            return (String(host), tail.first == ":" ? Int64(tail.dropFirst()) : nil)
        }
        guard let colon = rest.lastIndex(of: ":") else {
            return (String(rest), nil)
        }
        return (String(rest[..<colon]), Int64(rest[rest.index(after: colon)...]))
    }
}
