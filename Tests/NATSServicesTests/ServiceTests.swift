import NATSClient
import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSServices

@Suite struct ServiceTests {
    private struct Refusal: Error, CustomStringConvertible {
        let description = "not today"
    }

    @Test(
        "all services, those of a name and one instance answer all three questions",
        arguments: ServerUnderTest.available
    )
    func questions(server: ServerUnderTest) async throws {
        try await withClients(server) { provider, requester in
            try await provider.withService(.sums()) { sums in
                try await provider.withService(.init(name: "other", version: "0.1.0")) { other in
                    try await sums.addEndpoint("add", metadata: ["unit": "m"]) { try await $0.respond("3") }
                    try await provider.flush()
                    let asked = requester.services
                    let all = try await asked.ping(timeout: .seconds(30), stall: .seconds(30), maximum: 2)
                    #expect(Set(all) == [sums.identity, other.identity])
                    let sumsOnly = NATSServiceDiscovery.Scope.service("sums")
                    #expect(try await asked.ping(sumsOnly, timeout: .seconds(30), maximum: 1) == [sums.identity])
                    let one = NATSServiceDiscovery.Scope.instance(name: "sums", id: sums.identity.id)
                    #expect(try await asked.ping(one, timeout: .seconds(30)) == [sums.identity])
                    for scope in [sumsOnly, one] {
                        #expect(try await asked.info(scope, timeout: .seconds(30), maximum: 1) == [sums.info])
                        let answer = try await asked.statistics(scope, timeout: .seconds(30), maximum: 1)
                        #expect(answer == [sums.statistics])
                    }
                    let infos = try await asked.info(timeout: .seconds(30), stall: .seconds(30), maximum: 2)
                    #expect(Set(infos) == [sums.info, other.info])
                    let counts = try await asked.statistics(timeout: .seconds(30), stall: .seconds(30), maximum: 2)
                    #expect(Set(counts) == [sums.statistics, other.statistics])
                    #expect(sums.info.description == "adds up")
                    #expect(
                        sums.info.endpoints
                            == [.init(name: "add", subject: "add", queueGroup: "q", metadata: ["unit": "m"])]
                    )
                }
            }
            // Nobody is left to answer.
            #expect(try await requester.services.ping(timeout: .seconds(30)).isEmpty)
            await expectError(.badSubject) { _ = try await requester.services.ping(.service("a.*")) }
            await expectError(.badSubject) { _ = try await requester.services.ping(.instance(name: "a", id: ">")) }
        }
    }

    @Test(
        "groups put their prefix in front of subjects and hand their queue group down",
        arguments: ServerUnderTest.available
    )
    func groups(server: ServerUnderTest) async throws {
        try await withClients(server) { provider, requester in
            let service = try NATSService(.sums { $0.queueGroup = "s" }, client: provider)
            let echo: @Sendable (NATSServiceRequest) async throws -> Void = { request in
                try await request.respond(request.subject + " " + request.string, headers: request.headers)
            }
            try await service.addEndpoint("plain", echo)
            let outer = try service.group("v1", queueGroup: "g")
            try await outer.addEndpoint("one", echo)
            let inner = try outer.group("deep.er")
            try await inner.addEndpoint("two", subject: "by.*", queueGroup: "e", echo)
            try await inner.addEndpoint("three", queueGroup: .disabled, echo)
            let loose = try outer.group("", queueGroup: .disabled)
            try await loose.addEndpoint("four", echo)
            try await loose.addEndpoint("five", queueGroup: "f", echo)
            let expected: [(String, String, String)] = [
                ("plain", "plain", "s"), ("one", "v1.one", "g"), ("two", "v1.deep.er.by.*", "e"),
                ("three", "v1.deep.er.three", ""), ("four", "v1.four", ""), ("five", "v1.five", "f"),
            ]
            #expect(
                service.info.endpoints
                    == expected.map { .init(name: $0.0, subject: $0.1, queueGroup: $0.2) }
            )
            async let running: Void = service.run()
            try await eventually("the service to answer") {
                try await !requester.services.ping(.service("sums"), timeout: .seconds(30), maximum: 1).isEmpty
            }
            for subject in ["plain", "v1.one", "v1.deep.er.by.me", "v1.deep.er.three", "v1.four", "v1.five"] {
                let reply = try await requester.request("hello", to: subject, headers: ["A": "b"])
                #expect(reply.string == subject + " hello")
                #expect(reply.headers == ["A": "b"])
                #expect(reply.serviceError == nil)
            }
            // A response is sent before its request is counted.
            try await eventually("all to be counted") {
                service.statistics.endpoints.map(\.requests) == [1, 1, 1, 1, 1, 1]
            }
            service.stop()
            try await running
            #expect(service.isStopped)
            await expectError(.noResponders) { _ = try await requester.request("", to: "plain") }
        }
    }

    @Test("instances share the requests of a queue group; without one all get them")
    func sharing() async throws {
        try await withClients(.ours) { provider, requester in
            try await provider.withService(.sums()) { one in
                try await provider.withService(.sums()) { two in
                    #expect(one.identity.id != two.identity.id)
                    for service in [one, two] {
                        try await service.addEndpoint("shared") { try await $0.respond("") }
                        try await service.addEndpoint("all", queueGroup: .disabled) { try await $0.respond("") }
                    }
                    try await provider.flush()
                    for _ in 0..<20 {
                        _ = try await requester.request("", to: "shared")
                    }
                    let replies = try await requester.requestMany("", to: "all", timeout: .seconds(30), maximum: 2)
                    var count = 0
                    for try await _ in replies {
                        count += 1
                    }
                    #expect(count == 2)
                    // A response is sent before its request is counted.
                    try await eventually("all to be counted") {
                        let counts = [one, two].map { $0.statistics.endpoints.map(\.requests) }
                        return counts.map { $0[0] }.reduce(0, +) == 20 && counts.map { $0[1] } == [1, 1]
                    }
                }
            }
        }
    }

    @Test("errors of handlers are told in headers and counted", arguments: ServerUnderTest.available)
    func errors(server: ServerUnderTest) async throws {
        try await withClients(server) { provider, requester in
            try await provider.withService(.sums()) { service in
                try await service.addEndpoint("fail") { request in
                    switch request.string {
                    case "responds":
                        try await request.respond(
                            error: .init(code: 400, "bad\nrequest"),
                            payload: "more",
                            headers: ["A": "b"]
                        )
                    case "throws":
                        throw NATSServiceError(code: 404, "not found")
                    case "both":
                        try await request.respond(error: .init(code: 1, "first"))
                        throw NATSServiceError(code: 2, "second")
                    case "other":
                        throw Refusal()
                    default:
                        try await request.respond("fine")
                    }
                }
                try await provider.flush()
                func counts() -> [Int] {
                    service.statistics.endpoints.flatMap { [$0.requests, $0.errors] }
                }
                let responded = try await requester.request("responds", to: "fail")
                #expect(responded.serviceError == .init(code: 400, "bad request"))
                #expect(responded.string == "more")
                #expect(responded.headers.first("A") == "b")
                try await eventually { counts() == [1, 1] }
                #expect(service.statistics.endpoints.first?.lastError == "400:bad\nrequest")
                let thrown = try await requester.request("throws", to: "fail")
                #expect(thrown.serviceError == .init(code: 404, "not found"))
                #expect(thrown.payloadSize == 0)
                try await eventually { counts() == [2, 2] }
                let first = try await requester.request("both", to: "fail")
                #expect(first.serviceError == .init(code: 1, "first"))
                try await eventually { counts() == [3, 3] }
                #expect(service.statistics.endpoints.first?.lastError == "1:first")
                let other = try await requester.request("other", to: "fail")
                #expect(other.serviceError == .init(code: 500, "not today"))
                try await eventually { counts() == [4, 4] }
                #expect(try await requester.request("", to: "fail").string == "fine")
                // Nobody waits for the response: that is an error too, and not the end.
                try await requester.publish("", to: "fail")
                try await eventually { counts() == [6, 5] }
                let statistics = try #require(service.statistics.endpoints.first)
                #expect(statistics.processingTime > .zero)
                #expect(statistics.averageProcessingTime == statistics.processingTime / 6)
            }
        }
    }

    @Test("what others are told about an error is the service's choice")
    func describedErrors() async throws {
        try await withClients(.ours) { provider, requester in
            let configuration = NATSServiceConfiguration.sums {
                $0.describesError = { _ in NATSServiceError(code: 503, "try later") }
            }
            try await provider.withService(configuration) { service in
                try await service.addEndpoint("fail") { request in
                    throw request.string == "known" ? NATSServiceError(code: 7, "known") : Refusal() as any Error
                }
                try await provider.flush()
                #expect(try await requester.request("", to: "fail").serviceError == .init(code: 503, "try later"))
                #expect(try await requester.request("known", to: "fail").serviceError == .init(code: 7, "known"))
            }
        }
    }

    @Test("as many handlers of an endpoint run at a time as may, and no more", arguments: [1, 4])
    func concurrency(_ concurrency: Int) async throws {
        struct Count {
            var now = 0
            var most = 0
            var done = 0
        }
        try await withClients(.ours) { provider, requester in
            let running = Watched(Count())
            let mayGo = Watched(false)
            try await provider.withService(.sums { $0.concurrency = concurrency }) { service in
                try await service.addEndpoint("slow") { _ in
                    running.update {
                        $0.now += 1
                        $0.most = max($0.most, $0.now)
                    }
                    _ = await mayGo.wait { $0 }
                    running.update {
                        $0.now -= 1
                        $0.done += 1
                    }
                }
                try await provider.flush()
                for _ in 0..<10 {
                    try await requester.publish("", to: "slow")
                }
                #expect(await running.wait { $0.now == concurrency })
                // Other endpoints and questions are answered meanwhile.
                #expect(try await requester.services.ping(timeout: .seconds(30), maximum: 1).count == 1)
                mayGo.update { $0 = true }
                #expect(await running.wait { $0.done == 10 })
                #expect(running.value.most == concurrency)
            }
        }
    }

    @Test("a service that stops answers what has arrived", arguments: ServerUnderTest.available)
    func stopping(server: ServerUnderTest) async throws {
        try await withClients(server) { provider, requester in
            let begun = Watched(0)
            let mayGo = Watched(false)
            let service = try NATSService(.sums { $0.concurrency = 3 }, client: provider)
            try await service.addEndpoint("slow") { request in
                begun.update { $0 += 1 }
                _ = await mayGo.wait { $0 }
                try await request.respond(request.payload)
            }
            let replies = try await requester.subscribe("replies", confirm: true)
            async let running: Void = service.run()
            try await eventually("the service to answer") {
                try await !requester.services.ping(timeout: .seconds(30), maximum: 1).isEmpty
            }
            for number in 0..<8 {
                try await requester.publish("\(number)", to: "slow", reply: "replies")
            }
            try await requester.flush()
            #expect(await begun.wait { $0 == 3 })
            service.stop()
            try await eventually("the endpoint to be gone") {
                do {
                    _ = try await requester.request("late", to: "slow", timeout: .milliseconds(50))
                    return false
                } catch let error as NATSError {
                    return error.code == .noResponders
                }
            }
            mayGo.update { $0 = true }
            try await running
            var texts: Set<String> = []
            for _ in 0..<8 {
                texts.insert(try await replies.next(timeout: .seconds(30))?.string ?? "")
            }
            #expect(texts == Set((0..<8).map { "\($0)" }))
            #expect(try await requester.services.ping(timeout: .seconds(30)).isEmpty)
            await expectError(.connectionClosed) { try await service.addEndpoint("more") { _ in } }
            await expectError(.connectionClosed) { try await service.run() }
        }
    }

    @Test("draining the client ends its services after the requests that had arrived")
    func drainingTheClient() async throws {
        try await withClients(.ours) { provider, requester in
            let begun = Watched(0)
            let service = try NATSService(.sums { $0.concurrency = 2 }, client: provider)
            try await service.addEndpoint("slow") { request in
                begun.update { $0 += 1 }
                try await eventually { provider.state == .draining }
                try await request.respond("done")
            }
            async let running: Void = service.run()
            try await eventually("the service to answer") {
                try await !requester.services.ping(timeout: .seconds(30), maximum: 1).isEmpty
            }
            async let first = requester.request("", to: "slow")
            async let second = requester.request("", to: "slow")
            #expect(await begun.wait { $0 == 2 })
            try await provider.drain()
            try await running
            #expect(try await [first.string, second.string] == ["done", "done"])
            #expect(service.isStopped)
        }
    }

    @Test("cancelling ends a service and its handlers at once")
    func cancelling() async throws {
        try await withClients(.ours) { provider, requester in
            let begun = Watched(false)
            let service = try NATSService(.sums(), client: provider)
            try await service.addEndpoint("slow") { _ in
                begun.update { $0 = true }
                try await Task.sleep(for: .seconds(3600))
            }
            let running = Task {
                try await service.run()
            }
            try await eventually("the service to answer") {
                try await !requester.services.ping(timeout: .seconds(30), maximum: 1).isEmpty
            }
            async let reply = requester.request("", to: "slow")
            #expect(await begun.wait { $0 })
            running.cancel()
            await expectError(.cancelled) { try await running.value }
            #expect(try await reply.serviceError == .init(code: 503, "the service is stopping"))
            // The server knows then that nobody is subscribed any more.
            try await provider.flush()
            await expectError(.noResponders) { _ = try await requester.request("", to: "slow") }
        }
    }

    @Test("a handler that is cancelled within a call of its client says that the service is stopping")
    func cancellingCalls() async throws {
        try await withClients(.ours) { provider, requester in
            let silent = try await requester.subscribe("silent", confirm: true)
            let service = try NATSService(.sums(), client: provider)
            try await service.addEndpoint("slow") { request in
                try await request.respond(provider.request("", to: "silent").payload)
            }
            let running = Task {
                try await service.run()
            }
            try await eventually("the service to answer") {
                try await !requester.services.ping(timeout: .seconds(30), maximum: 1).isEmpty
            }
            async let reply = requester.request("", to: "slow")
            _ = try await silent.next(timeout: .seconds(30))
            running.cancel()
            await expectError(.cancelled) { try await running.value }
            #expect(try await reply.serviceError == .init(code: 503, "the service is stopping"))
        }
    }

    @Test("an error as long as a request may be is answered, and statistics are still told")
    func longErrors() async throws {
        try await withClients(.ours) { provider, requester in
            try await provider.withService(.sums()) { service in
                try await service.addEndpoint("add") { throw NATSServiceError(code: 400, $0.string) }
                try await provider.flush()
                let limit = try #require(requester.serverInfo?.maxPayload)
                let text = String(repeating: "x", count: limit - 100)
                let error = NATSServiceError(code: 400, String(text.prefix(1024)))
                #expect(try await requester.request(text, to: "add").serviceError == error)
                try await eventually("the error to be counted") { service.statistics.endpoints.first?.errors == 1 }
                let found = try await requester.services.statistics(timeout: .seconds(30), maximum: 1)
                #expect(found.first?.endpoints.first?.lastError == error.description)
            }
        }
    }

    @Test("discovery gives what it has when more is answered than it takes")
    func flood() async throws {
        try await withClients(.ours) { provider, requester in
            let questions = try await provider.subscribe("$SRV.PING", confirm: true)
            let isOver = Watched(false)
            let flooding = Task {
                let question = try #require(try await questions.next(timeout: .seconds(30)))
                let identity = NATSServiceIdentity(name: "a", id: "b", version: "1.0.0", metadata: [:])
                try await question.respond(ServiceDocuments.ping(identity))
                // Never an end: what limits this is who asks.
                let junk = "\"" + String(repeating: "x", count: 1_000_000) + "\""
                var sent = 0
                while !isOver.value {
                    try await question.respond(junk)
                    sent += junk.utf8.count
                    // No faster than it is taken, or the server would cut the one who asks off.
                    let bytes = sent
                    try await eventually { isOver.value || requester.statistics.bytesIn >= bytes }
                }
            }
            let found = try await requester.services.ping(timeout: .seconds(60), stall: .seconds(60))
            #expect(found.map(\.id) == ["b"])
            isOver.update { $0 = true }
            try await flooding.value
        }
    }

    @Test("a service that the server forbids ends with the server's refusal")
    func forbidden() async throws {
        var options = NATSTestServer.Options()
        options.users = [
            .init(
                name: "a",
                password: "b",
                permissions: .init(subscribe: .init(allow: [">"], deny: ["$SRV.>", "secret"]))
            )
        ]
        try await NATSTestServer.withServer(options) { server in
            let client = try await NATSClient.connect(testConfiguration(server.clientURL(user: "a", password: "b")))
            await expectError(.permissionViolation) {
                try await client.withService(.sums()) { _ in
                    // Ended by the service that fails.
                    try await Task.sleep(for: .seconds(3600))
                }
            }
            await client.close()
        }
    }

    @Test("counters begin again after a reset, and data of one's own is among them")
    func reset() async throws {
        try await withClients(.ours) { provider, requester in
            let configuration = NATSServiceConfiguration.sums {
                $0.statisticsData = { #"{"twice":\#($0.requests * 2)}"# }
            }
            try await provider.withService(configuration) { service in
                try await service.addEndpoint("add") { try await $0.respond("") }
                try await provider.flush()
                _ = try await requester.request("", to: "add")
                try await eventually { service.statistics.endpoints.first?.requests == 1 }
                let before = try #require(
                    try await requester.services.statistics(timeout: .seconds(30), maximum: 1).first
                )
                #expect(before.endpoints.first?.data == #"{"twice":2}"#)
                service.reset()
                let after = service.statistics
                #expect(after.endpoints.first?.requests == 0)
                #expect(after.endpoints.first?.processingTime == .zero)
                #expect(after.started > before.started)
            }
        }
    }

    @Test("an API prefix of one's own is used by the service and by who asks")
    func prefix() async throws {
        try await withClients(.ours) { provider, requester in
            try await provider.withService(.sums { $0.apiPrefix = "MINE" }) { service in
                try await provider.flush()
                #expect(try await requester.services.ping(timeout: .seconds(30)).isEmpty)
                let asked = NATSServiceDiscovery(requester, apiPrefix: "MINE")
                #expect(try await asked.ping(timeout: .seconds(30), maximum: 1) == [service.identity])
            }
        }
    }

    @Test("what cannot be a service is refused")
    func badConfigurations() async throws {
        try await NATSTestServer.withServer { server in
            let client = try await NATSClient.connect(testConfiguration(server.clientURL))
            await expectError(.invalidConfiguration) { _ = try NATSService(.sums { $0.name = "a b" }, client: client) }
            await expectError(.invalidConfiguration) { _ = try NATSService(.sums { $0.version = "1" }, client: client) }
            await expectError(.invalidConfiguration) {
                _ = try NATSService(.sums { $0.apiPrefix = "$SRV." }, client: client)
            }
            await expectError(.invalidConfiguration) {
                _ = try NATSService(.sums { $0.concurrency = 0 }, client: client)
            }
            await expectError(.badQueue) { _ = try NATSService(.sums { $0.queueGroup = "a b" }, client: client) }
            let service = try NATSService(.sums(), client: client)
            await expectError(.invalidConfiguration) { try await service.addEndpoint("a b") { _ in } }
            await expectError(.invalidConfiguration) { try await service.addEndpoint("a", concurrency: 0) { _ in } }
            await expectError(.badSubject) { try await service.addEndpoint("a", subject: "a..b") { _ in } }
            await expectError(.badQueue) { try await service.addEndpoint("a", queueGroup: "") { _ in } }
            await expectError(.badSubject) { _ = try service.group("a.>") }
            await expectError(.badQueue) { _ = try service.group("a", queueGroup: "a b") }
            #expect(service.info.endpoints.isEmpty)
            service.stop()
            #expect(service.isStopped)
            await expectError(.connectionClosed) { try await service.run() }
            await client.close()
        }
    }

    @Test("nothing is left of a service that has ended, nor of its client")
    func release() async throws {
        try await NATSTestServer.withServer { server in
            weak var weakService: NATSService?
            weak var weakClient: NATSClient?
            do {
                let client = try await NATSClient.connect(testConfiguration(server.clientURL))
                weakClient = client
                try await client.withService(.sums()) { service in
                    // A handler that holds its service lets go of it in the end.
                    try await service.addEndpoint("who") { try await $0.respond(service.identity.id) }
                    _ = try await client.request("", to: "who")
                }
                let service = try NATSService(.sums(), client: client)
                weakService = service
                try await service.addEndpoint("who") { [weak service] in
                    try await $0.respond(service?.identity.id ?? "")
                }
                async let running: Void = service.run()
                try await eventually { (try? await client.request("", to: "who")) != nil }
                service.stop()
                try await running
                await client.close()
            }
            try await eventually("the service to be gone") { weakService == nil }
            try await eventually("the client to be gone") { weakClient == nil }
        }
    }
}
