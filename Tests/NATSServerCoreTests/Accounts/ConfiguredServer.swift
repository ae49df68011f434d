import Logging
import NATSServerConfig
import NATSTestSupport

@testable import NATSServerCore

/// A server that was started from a configuration text: the official one, or ours, of which each case is to hold.
struct ConfiguredServer: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private enum Kind {
        case official(OfficialServer)
        case ours(Server)
    }

    private let kind: Kind
    private let collected: CollectedLog

    var port: Int {
        switch self.kind {
        case .official(let server): server.port
        case .ours(let server): server.boundPort
        }
    }

    /// The server, if it is ours.
    var ours: Server? {
        if case .ours(let server) = self.kind { return server }
        return nil
    }

    /// The port of the WebSocket listener; 0 if it has none.
    var webSocketPort: Int {
        switch self.kind {
        case .official(let server): server.webSocketPort ?? 0
        case .ours(let server): server.boundWebSocketPort
        }
    }

    /// The port of the listener for routes; 0 if it has none.
    var clusterPort: Int {
        switch self.kind {
        case .official(let server): server.clusterPort ?? 0
        case .ours(let server): server.boundClusterPort
        }
    }

    /// Its log up to now.
    var log: String {
        switch self.kind {
        case .official(let server): server.log
        case .ours: self.collected.lines.joined(separator: "\n")
        }
    }

    /// Starts a server, runs the body, stops the server.
    static func with<Result: Sendable>(
        _ server: ServerUnderTest,
        _ text: String,
        version: OfficialServer.Version = .current,
        change: (inout ServerOptions) -> Void = { _ in },
        _ body: (Self) async throws -> Result
    ) async throws -> Result {
        let running = try await self.start(server, text, version, change)
        do {
            let result = try await body(running)
            await running.stop()
            return result
        } catch {
            await running.stop()
            throw error
        }
    }

    /// With the time that a busy machine may need to say who somebody is, where a text has users and none of its own.
    ///
    /// Not where all that there is is the system account: with a block that it does not have otherwise, clients without
    /// credentials would be refused (nats-server server.go configureAccounts).
    private static func patient(_ text: String) -> String {
        let isBare = !text.contains("users:") || text.contains("authorization") || text.contains("\"$SYS\"")
        return isBare ? text : "authorization { timeout: 60 }\n" + text
    }

    private static func start(
        _ server: ServerUnderTest,
        _ text: String,
        _ version: OfficialServer.Version,
        _ change: (inout ServerOptions) -> Void
    ) async throws -> Self {
        let text = self.patient(text)
        let log = CollectedLog()
        guard server != .official else {
            let official = try await OfficialServer.start(configurationText: text, version: version)
            return Self(kind: .official(official), collected: log)
        }
        var options = try self.options(text, log)
        options.eventLoopCount = server == .oursOnManyLoops ? 3 : 1
        change(&options)
        let ours = Server(options: options)
        try await ours.start()
        return Self(kind: .ours(ours), collected: log)
    }

    private static func options(_ text: String, _ log: CollectedLog) throws -> ServerOptions {
        var checks = ConfigurationChecks()
        checks.checkJWTs()
        let loaded = try NATSServerConfig.ServerConfiguration.load(
            text: Array(text.utf8),
            path: "server.conf",
            readFile: { path throws(ConfigurationFileError) in
                do {
                    return try PlainFile.read(path)
                } catch {
                    throw ConfigurationFileError("\(error)")
                }
            },
            checks: checks
        )
        guard loaded.errors.isEmpty else { throw Failure(description: loaded.report) }
        var configuration = loaded.configuration
        configuration.completeFromOperator()
        if let key = SupportedKeys.firstUnsupported(configuration) {
            throw Failure(description: "not supported yet: \(key)")
        }
        var options = ServerOptions(configuration, logger: log.logger)
        options.host = "127.0.0.1"
        options.port = 0
        return options
    }

    func reload(_ text: String) async throws {
        let text = Self.patient(text)
        switch self.kind {
        case .official(let server): try await server.reload(configurationText: text)
        case .ours(let server):
            let options = try Self.options(text, self.collected)
            await server.apply(options)
            try await server.reload(authorization: options.authorization)
            server.useWebSocketTLS(try Server.loadTLS(options.webSocket?.tls))
            server.reloadCluster(try RouteTLS(options.cluster))
        }
    }

    private func stop() async {
        switch self.kind {
        case .official(let server): await server.stop()
        case .ours(let server): await server.shutdown()
        }
    }

    // MARK: Clients

    /// A connection that has read INFO.
    func connect(fileID: String = #fileID, line: Int = #line) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: self.port, answersPings: true)
        try await connection.readInfo(fileID: fileID, line: line)
        return connection
    }

    /// A connection of a user whose password is its name; its PING has been answered.
    func connect(
        _ user: String,
        _ more: String = "",
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> RawConnection {
        let connection = try await self.connect(fileID: fileID, line: line)
        let credentials = user.isEmpty ? "" : ",\"user\":\"\(user)\",\"pass\":\"\(user)\""
        await connection.send("CONNECT {\"verbose\":false,\"pedantic\":false\(credentials)\(more)}\r\nPING\r\n")
        try await connection.expect("PONG\r\n", fileID: fileID, line: line)
        return connection
    }

    /// Fetches a monitoring page; the configuration has to have `http: "127.0.0.1:-1"`.
    func fetch(_ target: String) async throws -> HTTPAnswer {
        let port: Int? =
            switch self.kind {
            case .official(let server): server.monitoringPort
            case .ours(let server): server.boundMonitoringPort
            }
        guard let port, port > 0 else { throw Failure(description: "no monitoring port") }
        return try await NATSTestSupport.fetch(target, port: port)
    }
}
