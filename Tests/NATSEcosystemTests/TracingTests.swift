import InMemoryTracing
import NATSClient
import NATSTestServer
import NATSTestSupport
import Testing
import Tracing

@testable import NATSTracing

@Suite struct TracingTests {
    private struct Refusal: Error {}

    /// Waits for the finished spans, which end a moment after what they are about.
    private func spans(_ tracer: W3CTracer, _ count: Int) async throws -> [FinishedInMemorySpan] {
        try await eventually("\(count) spans") { tracer.base.finishedSpans.count >= count }
        return tracer.base.finishedSpans
    }

    private func text(_ span: FinishedInMemorySpan, _ name: String) -> String? {
        guard case .string(let text) = span.attributes.get(name) else {
            return nil
        }
        return text
    }

    @Test("a published message carries its span's context as W3C headers, and processing it continues the trace")
    func publishAndProcess() async throws {
        try await withClient { client, server in
            let tracer = W3CTracer()
            let traced = NATSTracing(client, tracer: tracer)
            let messages = try await client.subscribe("orders.*", queue: "workers")
            try await traced.publish("3 apples", to: "orders.new", headers: ["A": "b"])
            let message = try #require(try await messages.next(timeout: .seconds(30)))
            let sent = try #require(try await self.spans(tracer, 1).first)
            #expect(message.headers.first("A") == "b")
            #expect(message.headers.first("traceparent") == "00-\(sent.traceID)-\(sent.spanID)-01")
            #expect(message.headers.first("tracestate") == "vendor=\(sent.traceID)")
            #expect(sent.operationName == "publish orders.new")
            #expect(sent.kind == .producer)
            #expect(self.text(sent, "messaging.system") == "nats")
            #expect(self.text(sent, "messaging.operation.name") == "publish")
            #expect(self.text(sent, "messaging.operation.type") == "send")
            #expect(self.text(sent, "messaging.destination.name") == "orders.new")
            #expect(self.text(sent, "messaging.client.id") == client.serverInfo.map { String($0.clientID) })
            #expect(self.text(sent, "server.address") == "127.0.0.1")
            #expect(sent.attributes.get("server.port") == .int64(Int64(server.port)))
            #expect(sent.attributes.get("messaging.message.body.size") == .int64(8))

            let inner = try await traced.process(message, of: ("orders.*", "workers")) { message in
                #expect(message.string == "3 apples")
                return ServiceContext.current?.inMemorySpanContext
            }
            let processed = try #require(try await self.spans(tracer, 2).last)
            #expect(processed.operationName == "process orders.*")
            #expect(processed.kind == .consumer)
            #expect(processed.traceID == sent.traceID)
            #expect(processed.parentSpanID == sent.spanID)
            #expect(inner?.spanID == processed.spanID)
            #expect(self.text(processed, "messaging.operation.type") == "process")
            #expect(self.text(processed, "messaging.destination.name") == "orders.new")
            #expect(self.text(processed, "messaging.destination.template") == "orders.*")
            #expect(self.text(processed, "messaging.consumer.group.name") == "workers")
            #expect(processed.errors.isEmpty)
        }
    }

    @Test("a request, the handler behind it and what that publishes are one trace")
    func requestAndHandle() async throws {
        try await withClient { client, _ in
            let tracer = W3CTracer()
            let traced = NATSTracing(client, tracer: tracer)
            let results = try await client.subscribe("results")
            let handling = Task {
                try await traced.handle("work", queue: "workers", concurrency: 2) { message in
                    if message.payloadSize > 0 {
                        try await traced.publish("result", to: "results")
                    }
                    try await message.respond("done")
                }
            }
            try await eventually { (try? await client.request("", to: "work")) != nil }
            _ = try await self.spans(tracer, 1)
            tracer.base.clearAll()
            #expect(try await traced.request("do", to: "work").string == "done")
            let result = try #require(try await results.next(timeout: .seconds(30)))
            let spans = try await self.spans(tracer, 3)
            let request = try #require(spans.first { $0.operationName == "request work" })
            let process = try #require(spans.first { $0.operationName == "process work" })
            let publish = try #require(spans.first { $0.operationName == "publish results" })
            #expect(request.kind == .client)
            #expect(request.parentSpanID == nil)
            #expect(process.parentSpanID == request.spanID)
            #expect(publish.parentSpanID == process.spanID)
            #expect(Set([request.traceID, process.traceID, publish.traceID]).count == 1)
            #expect(result.headers.first("traceparent") == "00-\(publish.traceID)-\(publish.spanID)-01")
            handling.cancel()
            await #expect(throws: NATSError.self) { try await handling.value }
        }
    }

    @Test("what goes wrong is recorded in the span and thrown on")
    func errors() async throws {
        try await withClient { client, _ in
            let tracer = W3CTracer()
            let traced = NATSTracing(client, tracer: tracer)
            await #expect(throws: NATSError.self) { _ = try await traced.request("", to: "nobody") }
            await #expect(throws: Refusal.self) {
                try await traced.process(NATSMessage(subject: "_INBOX.abc.1", payload: "")) { _ in throw Refusal() }
            }
            let spans = try await self.spans(tracer, 2)
            #expect(spans.map { self.text($0, "error.type") } == ["noResponders", "Refusal"])
            #expect(spans.allSatisfy { $0.errors.count == 1 && $0.status?.code == .error })
            // Inboxes have no end: their names are not those of spans.
            #expect(spans.last?.operationName == "process (temporary)")
            #expect(spans.last?.attributes.get("messaging.destination.temporary") == .bool(true))
        }
    }

    @Test("inboxes with a prefix of one's own are not names of spans either")
    func inboxPrefix() async throws {
        try await NATSTestServer.withServer { server in
            var configuration = testConfiguration(server.clientURL)
            configuration.inboxPrefix = "_MINE"
            let client = try await NATSClient.connect(configuration)
            let tracer = W3CTracer()
            let traced = NATSTracing(client, tracer: tracer)
            try await traced.publish("", to: client.newInbox())
            try await traced.publish("", to: "_MINEs.a")
            let spans = try await self.spans(tracer, 2)
            #expect(spans.map(\.operationName) == ["publish (temporary)", "publish _MINEs.a"])
            await client.close()
        }
    }

    @Test("headers of a context are found in any case, and what cannot be a header is not put into one")
    func propagation() {
        var headers: NATSHeaders = ["Traceparent": "00-a-b-01"]
        #expect(NATSHeadersExtractor().extract(key: "traceparent", from: headers) == "00-a-b-01")
        #expect(NATSHeadersExtractor().extract(key: "tracestate", from: headers) == nil)
        NATSHeadersInjector().inject("x\r\nEvil: 1", forKey: "tracestate", into: &headers)
        #expect(headers.count == 1)
        NATSHeadersInjector().inject("x=1", forKey: "tracestate", into: &headers)
        NATSHeadersInjector().inject("x=2", forKey: "tracestate", into: &headers)
        #expect(headers.values("tracestate") == ["x=2"])
        // Passed on with a new context, the old one is gone in any case of its name.
        NATSHeadersInjector().inject("00-c-d-01", forKey: "traceparent", into: &headers)
        #expect(headers.values(ignoringCase: "traceparent") == ["00-c-d-01"])
        #expect(headers.count == 2)
        let states: NATSHeaders = ["tracestate": "a=1", "Tracestate": "b=2"]
        #expect(NATSHeadersExtractor().extract(key: "tracestate", from: states) == "a=1,b=2")
    }

    @Test(
        "servers are named by host and port",
        arguments: [
            ("nats://127.0.0.1:4222", "127.0.0.1", Int64(4222)), ("tls://[::1]:4222", "::1", 4222),
            ("a.example", "a.example", nil), ("ws://a.example:80/path", "a.example", 80), ("[::1]", "::1", nil),
            ("", "", nil),
        ] as [(String, String, Int64?)]
    )
    func addresses(url: String, host: String, port: Int64?) {
        let found = NATSTracing.hostAndPort(of: url)
        #expect(found.host == host)
        #expect(found.port == port)
    }
}
