import Logging
import NATSTestSupport
import NATSWire
import Testing

@testable import NATSServerCore

@Suite struct MonitoringServerTests {
    private func options(_ change: (inout ServerOptions) -> Void = { _ in }) -> ServerOptions {
        var options = ServerOptions(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        options.host = "127.0.0.1"
        options.port = -1
        options.monitoring.port = -1
        change(&options)
        return options
    }

    private func withServer(
        _ options: ServerOptions,
        _ body: (Server, _ monitoringPort: Int) async throws -> Void
    ) async throws {
        let server = Server(options: options)
        try await server.start()
        do {
            try await body(server, server.boundMonitoringPort)
        } catch {
            await server.shutdown()
            throw error
        }
        await server.shutdown()
    }

    private func connect(
        _ server: Server,
        _ connect: String = "{\"verbose\":false,\"pedantic\":false}"
    ) async throws
        -> RawConnection
    {
        let connection = try RawConnection.connect(port: server.boundPort, answersPings: true)
        try await connection.readInfo()
        await connection.send("CONNECT \(connect)\r\nPING\r\n")
        try await connection.expect("PONG\r\n")
        return connection
    }

    private func document(_ target: String, _ port: Int) async throws -> JSONValue {
        try JSONValue.parse(try await fetch(target, port: port).body)
    }

    // MARK: Life

    @Test("the pages are served before clients are, and end with the server")
    func life() async throws {
        let lines = Watched<[String]>([])
        let options = self.options { $0.logger = Logger(label: "test") { _ in CollectingLogHandler(lines: lines) } }
        var port = 0
        try await self.withServer(options) { server, monitoringPort in
            port = monitoringPort
            #expect(monitoringPort > 0)
            let texts = lines.value
            let monitor = try #require(texts.firstIndex(of: "Starting http monitor on 127.0.0.1:\(monitoringPort)"))
            let clients = try #require(texts.firstIndex { $0.hasPrefix("Listening for client connections") })
            #expect(monitor < clients)
            #expect(try await fetch("/healthz", port: monitoringPort).text == "{\"status\":\"ok\"}")
        }
        #expect(throws: (any Error).self) { _ = try RawConnection.connect(port: port) }
    }

    @Test("in lame duck mode the pages stay, and say that no clients are taken")
    func lameDuckMode() async throws {
        let options = self.options {
            $0.lameDuckGracePeriod = .seconds(3600)
            $0.monitoring.configurationDigest = "sha256:one"
        }
        try await self.withServer(options) { server, port in
            #expect(try await self.document("/varz", port).member("config_digest") == .string("sha256:one"))
            server.configurationLoaded(digest: "sha256:two")
            #expect(try await self.document("/varz", port).member("config_digest") == .string("sha256:two"))
            let client = try await self.connect(server)
            async let end: Bool = server.enterLameDuckMode()
            try await eventually("lame duck mode") { server.isInLameDuckMode }
            let answer = try await fetch("/healthz", port: port)
            #expect(answer.status == 500 && answer.text.contains("failed to be ready for connections"))
            #expect(try await self.document("/varz", port).member("connections") == .number("1"))
            await server.shutdown()
            _ = await end
            _ = try await client.readToEnd()
        }
    }

    @Test("a port that is taken stops the start, with the official text")
    func portTaken() async throws {
        try await self.withServer(self.options()) { _, port in
            let second = Server(options: self.options { $0.monitoring.port = port })
            let error = await #expect(throws: ServerStartError.self) { try await second.start() }
            #expect(
                error?.description == "Can't start monitoring: can't listen to the monitor port: "
                    + "listen tcp 127.0.0.1:\(port): bind: address already in use"
            )
            #expect(second.boundPort == 0 && second.boundMonitoringPort == 0)
            await second.shutdown()
        }
    }

    @Test("HTTP and HTTPS together, or HTTPS without a certificate, stop the start")
    func contradictions() async throws {
        let both = Server(options: self.options { $0.monitoring.httpsPort = -1 })
        let error = await #expect(throws: ServerStartError.self) { try await both.start() }
        #expect(error?.description == "Can't start monitoring: can't specify both HTTP (-1) and HTTPs (-1) ports")
        let bare = Server(
            options: self.options {
                $0.monitoring.port = 0
                $0.monitoring.httpsPort = -1
            }
        )
        let missing = await #expect(throws: ServerStartError.self) { try await bare.start() }
        #expect(missing?.description == "Can't start monitoring: TLS cert and key required for HTTPS")
        await both.shutdown()
        await bare.shutdown()
    }

    @Test("a request that is under way does not hold the shutdown up, nor break it")
    func shutdownInRequest() async throws {
        for _ in 0..<10 {
            let server = Server(options: self.options { $0.eventLoopCount = 3 })
            try await server.start()
            let port = server.boundMonitoringPort
            var readers: [RawConnection] = []
            for _ in 0..<8 {
                let reader = try RawConnection.connect(port: port)
                for target in ["/connz", "/varz", "/subsz?subs=1", "/accstatz"] {
                    await reader.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
                }
                readers.append(reader)
            }
            await server.shutdown()
            for reader in readers { _ = try await reader.readToEnd() }
        }
    }

    @Test("a base path is in front of every page, and in the links")
    func basePath() async throws {
        try await self.withServer(self.options { $0.monitoring.basePath = "mon/" }) { _, port in
            let varz = try await self.document("/mon/varz", port)
            #expect(varz == .object([]) || varz.member("http_base_path") == .string("mon/"))
            #expect(try await fetch("/mon", port: port).text.contains("href=\"./mon/varz\""))
            for target in ["/", "/varz", "/mon/"] {
                let answer = try await fetch(target, port: port)
                #expect(answer.status == 404 && answer.text == "404 page not found\n")
            }
            #expect(varz.member("http_req_stats")?.member("/varz") == .number("1"))
        }
    }

    @Test("a callback makes a script of every document")
    func scripts() async throws {
        try await self.withServer(self.options()) { _, port in
            for path in [
                "varz", "connz", "routez", "subsz", "leafz", "gatewayz", "accountz", "accstatz", "jsz", "healthz",
            ] {
                let answer = try await fetch("/\(path)?callback=a.b", port: port)
                #expect(answer.status == 200 && answer.header("Content-Type") == "application/javascript", "\(path)")
                #expect(answer.text.hasPrefix("a.b({") && answer.text.hasSuffix("})"), "\(path)")
            }
            let wrong = try await fetch("/varz?callback=alert(1)", port: port)
            #expect(wrong.status == 400 && wrong.text == "invalid callback name")
        }
    }

    @Test("/debug/vars shows the command line it was given, and the memory")
    func debugVars() async throws {
        try await self.withServer(self.options { $0.monitoring.commandLine = ["nats-server", "--pass", "<x>"] }) {
            _,
            port in
            let answer = try await fetch("/debug/vars", port: port)
            #expect(
                answer.text.hasPrefix(
                    "{\n\"cmdline\": [\"nats-server\",\"--pass\",\"\\u003cx\\u003e\"],\n\"memstats\": {"
                )
            )
            let memory = try JSONValue.parse(answer.body).member("memstats")
            guard case .number(let text) = try #require(memory?.member("Alloc")) else { return }
            #expect(try #require(Int(text)) > 1 << 20)
        }
    }

    // MARK: Engine

    @Test("last activity moves with messages, deliveries and subscriptions, not with PING", arguments: [1, 3])
    func lastActivity(loops: Int) async throws {
        try await self.withServer(self.options { $0.eventLoopCount = loops }) { server, port in
            let peer = try await self.connect(server)
            func last() async throws -> JSONValue? {
                try await self.document("/connz", port).member("connections")?.element(0)?.member("last_activity")
            }
            var previous = try #require(try await last())
            await peer.send("PING\r\n")
            try await peer.expect("PONG\r\n")
            #expect(try await last() == previous)
            for step in ["SUB foo 1\r\n", "PUB nobody 2\r\nok\r\n", "PUB foo 2\r\nok\r\n", "UNSUB 1\r\n"] {
                await peer.send(step + "PING\r\n")
                _ = try await peer.read(until: "PONG\r\n")
                let now = try #require(try await last())
                #expect(now != previous, "\(step)")
                previous = now
            }
            // A delivery alone does it too.
            await peer.send("SUB bar 2\r\nPING\r\n")
            _ = try await peer.read(until: "PONG\r\n")
            previous = try #require(try await last())
            let other = try await self.connect(server)
            await other.send("PUB bar 1\r\nx\r\n")
            try await peer.expect("MSG bar 2 1\r\nx\r\n")
            #expect(try await last() != previous)
        }
    }

    @Test("closed connections are kept with their reasons, as many as asked for")
    func closedConnections() async throws {
        let options = self.options {
            $0.maxClosedClients = 3
            $0.maxPayload = 100
            $0.username = "u"
            $0.password = "p"
            $0.maxConnections = 1
        }
        let credentials = "{\"verbose\":false,\"user\":\"u\",\"pass\":\"p\"}"
        try await self.withServer(options) { server, port in
            func closed() async throws -> [JSONValue] {
                let document = try await self.document("/connz?state=closed&auth=1&sort=stop", port)
                guard case .array(let rows) = document.member("connections") ?? .null else { return [] }
                return rows
            }
            func waitForReason(_ reason: String, user: String?) async throws {
                try await eventually(reason) {
                    let row = try await closed().first
                    return row?.member("reason") == .string(reason)
                        && row?.member("authorized_user") == user.map { .string($0) }
                }
                // The place is free again.
                try await eventually("no connection") { await server.statistics().connections == 0 }
            }
            let left = try await self.connect(server, credentials)
            left.close()
            try await waitForReason("Client Closed", user: "u")
            let wrong = try RawConnection.connect(port: server.boundPort)
            await wrong.send("CONNECT {\"user\":\"mallory\",\"pass\":\"x\"}\r\n")
            _ = try await wrong.readToEnd()
            try await waitForReason("Authentication Failure", user: "mallory")
            let large = try await self.connect(server, credentials)
            await large.send("PUB foo 101\r\n")
            _ = try await large.readToEnd()
            try await waitForReason("Maximum Message Payload Exceeded", user: "u")
            let first = try await self.connect(server, credentials)
            let second = try RawConnection.connect(port: server.boundPort)
            _ = try await second.readToEnd()
            first.close()
            try await waitForReason("Client Closed", user: "u")
            let reasons = try await closed().compactMap { $0.member("reason") }
            #expect(
                reasons == [
                    .string("Client Closed"), .string("Maximum Connections Exceeded"),
                    .string("Maximum Message Payload Exceeded"),
                ]
            )
        }
    }

    @Test("the sums stay right when connections come and go", arguments: [1, 3])
    func sums(loops: Int) async throws {
        try await self.withServer(self.options { $0.eventLoopCount = loops }) { server, port in
            let subscriber = try await self.connect(server)
            await subscriber.send("SUB foo 1\r\nPING\r\n")
            try await subscriber.expect("PONG\r\n")
            for _ in 0..<20 {
                let publisher = try await self.connect(server)
                await publisher.send("PUB foo 3\r\nabc\r\nPING\r\n")
                try await publisher.expect("PONG\r\n")
                publisher.close()
                try await subscriber.expect("MSG foo 1 3\r\nabc\r\n")
            }
            let varz = try await self.document("/varz", port)
            #expect(varz.member("in_msgs") == .number("20") && varz.member("in_bytes") == .number("60"))
            #expect(varz.member("out_msgs") == .number("20") && varz.member("out_bytes") == .number("60"))
            #expect(varz.member("total_connections") == .number("21"))
            let statistics = await server.statistics()
            #expect(statistics.traffic.messagesIn == 20 && statistics.traffic.bytesOut == 60)
        }
    }

    @Test("a list of more connections than a slice comes whole and in order", arguments: [1, 2])
    func manyConnections(loops: Int) async throws {
        let count = ServerLoops.sliceSize + 90
        try await self.withServer(self.options { $0.eventLoopCount = loops }) { server, port in
            var peers: [RawConnection] = []
            for _ in 0..<count { peers.append(try RawConnection.connect(port: server.boundPort)) }
            try await eventually("all connections") { await server.statistics().connections == count }
            for sort in ["cid", "idle"] {
                let document = try await self.document("/connz?limit=100000&sort=\(sort)", port)
                #expect(document.member("total") == .number("\(count)"))
                guard case .array(let rows) = document.member("connections") ?? .null else { return }
                let ids = rows.compactMap { row -> Int? in
                    guard case .number(let text) = row.member("cid") ?? .null else { return nil }
                    return Int(text)
                }
                #expect(Set(ids).count == count)
                if sort == "cid" { #expect(ids == ids.sorted()) }
            }
            let page = try await self.document("/connz?limit=10&offset=\(count - 4)", port)
            #expect(page.member("num_connections") == .number("4"))
        }
    }
}

extension JSONValue {
    func member(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    func element(_ index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}
