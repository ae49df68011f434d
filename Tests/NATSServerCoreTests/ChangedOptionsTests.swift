import Logging
import NATSTestSupport
import NATSWire
import Testing

@testable import NATSServerCore

/// Options that are replaced while clients are connected.
@Suite struct ChangedOptionsTests {
    private let lines = Watched<[String]>([])

    private var options: ServerOptions {
        var options = ServerOptions(logger: Logger(label: "test") { _ in CollectingLogHandler(lines: self.lines) })
        options.host = "127.0.0.1"
        options.port = -1
        options.eventLoopCount = 3
        return options
    }

    private func withServer(_ options: ServerOptions, _ body: (Server) async throws -> Void) async throws {
        let server = Server(options: options)
        try await server.start()
        do {
            try await body(server)
        } catch {
            await server.shutdown()
            throw error
        }
        await server.shutdown()
    }

    private func info(_ connection: RawConnection) async throws -> ServerInfo {
        try ServerInfo(json: Array(try await connection.readInfo().utf8))
    }

    private func connect(_ server: Server) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: server.boundPort, answersPings: true)
        try await connection.readInfo()
        await connection.send("CONNECT {\"verbose\":false}\r\nPING\r\n")
        _ = try await connection.read(until: "PONG\r\n")
        return connection
    }

    @Test("a lower max_payload holds at once, and INFO of new clients names it")
    func maxPayload() async throws {
        try await self.withServer(self.options) { server in
            let client = try await self.connect(server)
            var options = self.options
            options.maxPayload = 10
            await server.apply(options)
            await client.send("PUB a 10\r\n0123456789\r\nPING\r\n")
            try await client.expect("PONG\r\n")
            await client.send("PUB a 11\r\n01234567890\r\n")
            try await client.expect("-ERR 'Maximum Payload Violation'\r\n")
            try await client.expectEnd()
            let fresh = try RawConnection.connect(port: server.boundPort, answersPings: true)
            #expect(try await self.info(fresh).maxPayload == 10)
        }
    }

    @Test("max_payload -1 is no limit, and INFO says so")
    func noLimit() async throws {
        var options = self.options
        options.maxPayload = -1
        try await self.withServer(options) { server in
            let client = try RawConnection.connect(port: server.boundPort, answersPings: true)
            #expect(try await self.info(client).maxPayload == -1)
            let payload = String(repeating: "x", count: 2 << 20)
            await client.send(
                "CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPUB a \(payload.count)\r\n\(payload)\r\nPING\r\n"
            )
            _ = try await client.read(until: "PONG\r\n")
        }
    }

    @Test("a lower max_control_line holds at once")
    func maxControlLine() async throws {
        try await self.withServer(self.options) { server in
            let client = try await self.connect(server)
            var options = self.options
            options.maxControlLine = 100
            await server.apply(options)
            await client.send("SUB \(String(repeating: "a", count: 200)) 1\r\n")
            try await client.expect("-ERR 'maximum control line exceeded'\r\n")
        }
    }

    @Test("a lower max_connections refuses new clients, and closes as many as are too many")
    func maxConnections() async throws {
        try await self.withServer(self.options) { server in
            var clients: [RawConnection] = []
            for _ in 0..<5 { clients.append(try await self.connect(server)) }
            #expect(await server.closeConnectionsAboveLimit() == 0)
            var options = self.options
            options.maxConnections = 2
            await server.apply(options)
            #expect(await server.closeConnectionsAboveLimit() == 3)
            try await eventually("three are gone") { await server.statistics().connections == 2 }
            let refused = try RawConnection.connect(port: server.boundPort, answersPings: true)
            try await refused.readInfo()
            try await refused.expect("-ERR 'maximum connections exceeded'\r\n")
            // Four have been told; how many lines that makes is for the time between them to decide.
            let told = self.lines.value.count { $0.hasSuffix("maximum connections exceeded") }
            #expect((1...4).contains(told))
            // Zero refuses everybody.
            options.maxConnections = 0
            await server.apply(options)
            #expect(await server.closeConnectionsAboveLimit() == 2)
        }
    }

    @Test("the advertised address changes for new clients")
    func advertise() async throws {
        var options = self.options
        options.clientAdvertise = "nats.example:77"
        try await self.withServer(options) { server in
            let first = try await self.info(RawConnection.connect(port: server.boundPort, answersPings: true))
            #expect(first.host == "nats.example" && first.port == 77)
            await server.apply(self.options)
            let second = try await self.info(RawConnection.connect(port: server.boundPort, answersPings: true))
            #expect(second.host == "127.0.0.1" && second.port == server.boundPort)
        }
    }

    @Test("an advertised address that is none ends the start in the official words")
    func wrongAdvertise() async {
        var options = self.options
        options.clientAdvertise = "a:b:c"
        let server = Server(options: options)
        let text =
            "Error setting server INFO with ClientAdvertise value of a:b:c, err=address a:b:c: too many colons in address"
        await #expect {
            try await server.start()
        } throws: {
            "\($0)" == text
        }
        #expect(self.lines.value.last?.hasPrefix("Listening for client connections on ") == true)
    }

    @Test("tracing is switched on and off for clients that are there; only headers if so wanted")
    func tracing() async throws {
        try await self.withServer(self.options) { server in
            let client = try await self.connect(server)
            var options = self.options
            options.traceProtocol = true
            await server.apply(options)
            await client.send("PUB one 5\r\nhello\r\nPING\r\n")
            try await client.expect("PONG\r\n")
            #expect(self.lines.value.contains { $0.hasSuffix("<<- [PUB one 5]") })
            #expect(self.lines.value.contains { $0.hasSuffix(#"<<- MSG_PAYLOAD: ["hello"]"#) })

            options.traceHeaders = true
            options.maxTracedMessageLength = 14
            await server.apply(options)
            await client.send("CONNECT {\"verbose\":false,\"headers\":true}\r\n")
            await client.send(
                "SUB two 1\r\nPUB two 3\r\nbye\r\nHPUB two 22 24\r\nNATS/1.0\r\nA: b c d\r\n\r\nhi\r\nPING\r\n"
            )
            _ = try await client.read(until: "PONG\r\n")
            let traced = self.lines.value.filter { $0.contains("MSG_PAYLOAD") }.dropFirst()
            #expect(
                traced.map { $0.drop { $0 != "M" } } == [
                    #"MSG_PAYLOAD: ["NATS/1.0\r\nA: b..."]"#, #"MSG_PAYLOAD: ["NATS/1.0\r\nA: b..."]"#,
                ]
            )

            await server.apply(self.options)
            await client.send("PUB three 1\r\nx\r\nPING\r\n")
            try await client.expect("PONG\r\n")
            #expect(!self.lines.value.contains { $0.contains("three") })
        }
    }

    @Test("without kept match results messages find their way all the same")
    func noSublistCache() async throws {
        var options = self.options
        options.noSublistCache = true
        try await self.withServer(options) { server in
            let subscriber = try await self.connect(server)
            await subscriber.send("SUB a.* 1\r\nSUB a.> g 2\r\nPING\r\n")
            _ = try await subscriber.read(until: "PONG\r\n")
            let publisher = try await self.connect(server)
            for round in 0..<3 {
                await publisher.send("PUB a.b 1\r\n\(round)\r\nPUB a.b 1\r\n\(round)\r\nPING\r\n")
                _ = try await publisher.read(until: "PONG\r\n")
            }
            await subscriber.send("PING\r\n")
            let text = String(decoding: try await subscriber.read(until: "PONG\r\n"), as: UTF8.self)
            #expect(text.split(separator: "\r\n").count { $0.hasPrefix("MSG a.b ") } == 12)
        }
    }
}
