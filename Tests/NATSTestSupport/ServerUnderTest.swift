package import NATSTestServer

/// Who answers in a conformance test: each case holds for both.
package enum ServerUnderTest: String, Sendable, CaseIterable, CustomStringConvertible {
    case official
    /// Ours as it is by default.
    case ours
    /// Ours with more event loops than it takes by itself, so that messages go from one to another.
    case oursOnManyLoops

    package var description: String { self.rawValue }

    /// Those that can run here.
    ///
    /// Without the official server one line says so, except under CI, where its tests run and fail.
    package static let available: [ServerUnderTest] = {
        let server = TestDependencies.officialServer(.current)
        return TestDependencies.canRun(server, "official nats-server, half of the conformance tests")
            ? ServerUnderTest.allCases : ServerUnderTest.allCases.filter { $0 != .official }
    }()

    /// The official server and ours, for programs: how many event loops a server has is nothing to them.
    package static let both = available.filter { $0 != .oursOnManyLoops }

    /// Starts a server, runs the body, stops the server.
    package func withServer<Result: Sendable>(
        _ configuration: ServerConfiguration = ServerConfiguration(),
        _ body: (RunningServer) async throws -> Result
    ) async throws -> Result {
        try await self.start(configuration).use(body)
    }

    /// Starts a server that the caller must stop.
    package func start(_ configuration: ServerConfiguration = ServerConfiguration()) async throws -> RunningServer {
        switch self {
        case .official:
            return .official(try await OfficialServer.start(configuration))
        case .ours:
            return .ours(try await NATSTestServer.start(configuration.options))
        case .oursOnManyLoops:
            var options = configuration.options
            options.eventLoopCount = 3
            return .ours(try await NATSTestServer.start(options))
        }
    }
}

extension ServerUnderTest {
    /// Starts a server that trusts an operator, runs the body, stops the server.
    package func withServer<Result: Sendable>(
        _ authority: TestOperator,
        _ body: (RunningServer) async throws -> Result
    ) async throws -> Result {
        let server: RunningServer
        switch self {
        case .official:
            server = .official(try await OfficialServer.start(configurationText: authority.configurationText()))
        case .ours, .oursOnManyLoops:
            var options = try authority.testServerOptions()
            if self == .oursOnManyLoops { options.eventLoopCount = 3 }
            server = .ours(try await NATSTestServer.start(options))
        }
        return try await server.use(body)
    }
}

/// A server that a conformance test talks to.
package enum RunningServer: Sendable {
    case official(OfficialServer)
    case ours(NATSTestServer)

    package var port: Int {
        switch self {
        case .official(let server): server.port
        case .ours(let server): server.port
        }
    }

    /// The port of the monitoring pages, if they are wanted.
    package var monitoringPort: Int? {
        switch self {
        case .official(let server): server.monitoringPort
        case .ours(let server): server.monitoringURL.flatMap { $0.split(separator: ":").last }.flatMap { Int($0) }
        }
    }

    /// The port for WebSocket clients, if the server has a listener for them.
    package var webSocketPort: Int? {
        switch self {
        case .official(let server): server.webSocketPort
        case .ours(let server): server.webSocketURL.flatMap { $0.split(separator: ":").last }.flatMap { Int($0) }
        }
    }

    package var url: String { "nats://127.0.0.1:\(self.port)" }

    /// Runs the body, then stops the server.
    fileprivate func use<Result: Sendable>(_ body: (RunningServer) async throws -> Result) async throws -> Result {
        do {
            let result = try await body(self)
            await self.stop()
            return result
        } catch {
            await self.stop()
            throw error
        }
    }

    /// Ends the server in good order.
    package func stop() async {
        switch self {
        case .official(let server): await server.stop()
        case .ours(let server): await server.stop()
        }
    }

    /// Gives the running server other users and permissions; everything else must be as it was.
    package func reload(_ configuration: ServerConfiguration) async throws {
        switch self {
        case .official(let server): try await server.reload(configuration)
        case .ours(let server): try await server.reloadAuthorization(configuration.options)
        }
    }

    /// A connection that has sent nothing and read nothing.
    package func rawConnection(receiveBuffer: Int? = nil, answersPings: Bool = true) throws -> RawConnection {
        try RawConnection.connect(port: self.port, receiveBuffer: receiveBuffer, answersPings: answersPings)
    }

    /// A connection that has read INFO.
    ///
    /// It answers the server's PINGs, which begin two seconds after CONNECT, unless the test wants to see them.
    package func connect(
        answersPings: Bool = true,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> RawConnection {
        let connection = try self.rawConnection(answersPings: answersPings)
        try await connection.readInfo(fileID: fileID, line: line)
        return connection
    }

    /// A connection that has sent CONNECT with these JSON members, in braces, and whose PING was answered.
    package func connect(
        options: String,
        answersPings: Bool = true,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> RawConnection {
        let connection = try await self.connect(answersPings: answersPings, fileID: fileID, line: line)
        await connection.send("CONNECT \(options)\r\nPING\r\n")
        _ = try await connection.read(until: "PONG\r\n", fileID: fileID, line: line)
        // INFO follows the first PONG for clients of protocol 1 only.
        if options.contains("\"protocol\":1") {
            try await connection.readInfo(fileID: fileID, line: line)
        }
        return connection
    }
}

extension ServerConfiguration {
    /// The same for our server.
    package var options: NATSTestServer.Options {
        var options = NATSTestServer.Options()
        options.port = self.port
        options.serverName = self.serverName
        options.user = self.user
        options.password = self.password
        options.token = self.token
        options.users = self.users
        options.noAuthUser = self.noAuthUser
        options.defaultPermissions = self.defaultPermissions
        options.tls = self.tls
        options.webSocket = self.webSocket
        options.logger = self.logger
        if let authTimeout = self.authTimeout { options.authTimeout = authTimeout }
        if let maxPayload = self.maxPayload { options.maxPayload = maxPayload }
        if let maxControlLine = self.maxControlLine { options.maxControlLine = maxControlLine }
        if let maxPending = self.maxPending { options.maxPending = maxPending }
        if let writeDeadline = self.writeDeadline { options.writeDeadline = writeDeadline }
        if let maxConnections = self.maxConnections { options.maxConnections = maxConnections }
        if let maxSubscriptions = self.maxSubscriptions { options.maxSubscriptions = maxSubscriptions }
        if let tokens = self.maxSubscriptionTokens { options.maxSubscriptionTokens = tokens }
        if let pingInterval = self.pingInterval { options.pingInterval = pingInterval }
        if let pingsOutMax = self.pingsOutMax { options.pingsOutMax = pingsOutMax }
        if let headers = self.headers { options.headers = headers }
        if !self.systemAccount { options.systemAccount = nil }
        options.monitoring = self.monitoring
        return options
    }
}
