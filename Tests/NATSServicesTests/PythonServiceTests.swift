import NATSClient
import NATSServices
import NATSTestSupport
import Testing

/// Services of nats-py and ours find and call each other.
@Suite("nats-py services", .enabled(if: TestDependencies.canRun(TestDependencies.python, "Python with nats-py")))
struct PythonServiceTests {
    private let script = TestDependencies.packageRoot + "/Scripts/nats-py-services"

    @Test("nats-py finds, watches and calls our service", arguments: ServerUnderTest.available)
    func theirClient(server: ServerUnderTest) async throws {
        let python = try #require(TestDependencies.python)
        try await server.withServer { server in
            let client = try await NATSClient.connect(testConfiguration(server.url))
            // What Scripts/nats-py-services serves itself: it compares the answers of both, field by field.
            var configuration = NATSServiceConfiguration.sums { $0.queueGroup = "sums-group" }
            configuration.statisticsData = { _ in #"{"answer": 42}"# }
            let text = try await client.withService(configuration) { service in
                try await service.addEndpoint("add", metadata: ["unit": "m"]) { request in
                    let numbers = request.string.split(separator: " ").map { Int($0) }
                    guard !numbers.contains(nil) else {
                        throw NATSServiceError(code: 400, "not numbers")
                    }
                    try await request.respond("\(numbers.compactMap { $0 }.reduce(0, +))")
                }
                let group = try service.group("v1", queueGroup: "v1-group")
                try await group.addEndpoint("echo", subject: "say.*") { request in
                    try await request.respond(request.payload, headers: request.headers)
                }
                try await client.flush()
                let process = try ChildProcess(python, [self.script, "call", server.url, service.identity.id])
                let exit = await process.waitForExit(timeout: .seconds(120))
                #expect(exit == .exited(0), "\(process.output)")
                let last = service.statistics.endpoints
                #expect(last.map(\.requests) == [2, 1])
                #expect(last.map(\.lastError) == ["400:not numbers", ""])
                return process.output
            }
            #expect(text.contains("passed: everything"), "\(text)")
            await client.close()
        }
    }

    @Test("our client finds, watches and calls a service of nats-py", arguments: ServerUnderTest.available)
    func theirService(server: ServerUnderTest) async throws {
        let python = try #require(TestDependencies.python)
        try await server.withServer { server in
            let client = try await NATSClient.connect(testConfiguration(server.url))
            let process = try ChildProcess(python, [self.script, "serve", server.url])
            try await eventually("the service to run, printed \(process.output)", timeout: .seconds(120)) {
                !process.isRunning || process.output.contains("serving")
            }
            let found = try await client.services.ping(.service("sums"), timeout: .seconds(60), maximum: 1)
            let identity = try #require(found.first, "\(process.output)")
            #expect(identity.version == "1.2.3")
            #expect(identity.metadata == ["zone": "a"])
            let one = NATSServiceDiscovery.Scope.instance(name: "sums", id: identity.id)
            let info = try #require(try await client.services.info(one, timeout: .seconds(60)).first)
            #expect(info.identity == identity)
            #expect(info.description == "adds up")
            #expect(
                info.endpoints == [
                    .init(name: "add", subject: "add", queueGroup: "sums-group", metadata: ["unit": "m"]),
                    .init(name: "echo", subject: "v1.say.*", queueGroup: "v1-group"),
                ]
            )
            #expect(try await client.request("1 2 3", to: "add").string == "6")
            let failure = try await client.request("one", to: "add")
            #expect(failure.serviceError == NATSServiceError(code: 400, "not numbers"))
            let echo = try await client.request("hello", to: "v1.say.it", headers: ["A": "b"])
            #expect(echo.string == "hello")
            #expect(echo.headers == ["A": "b"])
            let counts = try #require(try await client.services.statistics(one, timeout: .seconds(60)).first)
            #expect(counts.endpoints.map(\.requests) == [2, 1])
            #expect(counts.endpoints.map(\.errors) == [1, 0])
            #expect(counts.endpoints.first?.lastError == "400:not numbers")
            #expect(counts.endpoints.first?.data == #"{"answer":42}"#)
            #expect(counts.endpoints.allSatisfy { $0.processingTime > .zero && $0.averageProcessingTime > .zero })
            #expect(counts.started.hasSuffix("Z"))
            try await client.publish("", to: "end")
            #expect(await process.waitForExit(timeout: .seconds(60)) == .exited(0), "\(process.output)")
            await client.close()
        }
    }
}
