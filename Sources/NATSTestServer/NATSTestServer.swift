import NATSServerCore
import NIOConcurrencyHelpers

/// A complete NATS server inside a test.
///
/// The server listens on a free port of the loopback interface and is ready when ``start(_:)`` returns, in milliseconds.
/// Any number of them run side by side: nothing is global, no signal is handled, nothing is printed unless a logger is
/// given.
///
/// ```swift
/// try await NATSTestServer.withServer { server in
///     let client = try await NATSClient.connect(.init(servers: [server.clientURL]))
///     …
/// }
/// ```
public final class NATSTestServer: Sendable {
    private struct Running {
        var server: Server
        var port: Int
        /// The same for routes.
        var clusterPort: Int
        /// How often the server has been stopped, so that a restart notices a stop in the middle of it.
        var stops = 0
    }

    private let options: Options
    private let willStart: @Sendable (String) -> Void
    private let running: NIOLockedValueBox<Running>

    private init(_ options: Options, _ server: Server, _ willStart: @escaping @Sendable (String) -> Void) {
        self.options = options
        self.willStart = willStart
        self.running = NIOLockedValueBox(
            Running(server: server, port: server.boundPort, clusterPort: server.boundClusterPort)
        )
    }

    /// Starts a server, runs `body`, and stops the server however `body` ends.
    ///
    /// - Parameters:
    ///   - options: What differs from a default server.
    ///   - body: The work; the server is ready when it is called.
    /// - Returns: What `body` returns.
    /// - Throws: ``NATSTestServerError`` if the server cannot be started, or what `body` throws.
    public static func withServer<R>(
        _ options: Options = Options(),
        _ body: (NATSTestServer) async throws -> R
    ) async throws -> R {
        let server = try await self.start(options)
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    /// Starts a server that runs until ``stop()``.
    ///
    /// - Parameter options: What differs from a default server.
    /// - Returns: The server, ready for clients.
    /// - Throws: ``NATSTestServerError`` if the address cannot be listened on.
    public static func start(_ options: Options = Options()) async throws -> NATSTestServer {
        try await self.start(options) { _ in }
    }

    /// The same; `willStart` gets the server's id before anybody else can, at the first start and at others.
    static func start(
        _ options: Options,
        willStart: @escaping @Sendable (String) -> Void
    ) async throws -> NATSTestServer {
        let clusterPort = options.cluster?.port ?? 0
        let server = try await self.launch(options, port: options.port, clusterPort: clusterPort, willStart)
        return NATSTestServer(options, server, willStart)
    }

    /// Host that clients connect to.
    public var host: String { self.options.host }

    /// Port that clients connect to; stays the same over ``restart()``.
    public var port: Int { self.running.withLockedValue { $0.port } }

    /// URL for clients, such as `nats://127.0.0.1:43121`.
    public var clientURL: String {
        let host = self.options.host.contains(":") ? "[\(self.options.host)]" : self.options.host
        return "nats://\(host):\(self.port)"
    }

    /// URL for clients of a user, such as `nats://web:secret@127.0.0.1:43121`.
    ///
    /// - Parameters:
    ///   - user: The user's name.
    ///   - password: The user's password, not its hash.
    /// - Returns: the URL, with what has a meaning in URLs escaped.
    public func clientURL(user: String, password: String) -> String {
        func escaped(_ text: String) -> String {
            let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)
            let digits = Array("0123456789ABCDEF".utf8)
            let bytes = text.utf8.flatMap { byte in
                plain.contains(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        return self.clientURL.replacing("://", with: "://\(escaped(user)):\(escaped(password))@", maxReplacements: 1)
    }

    /// URL of the monitoring pages, such as `http://127.0.0.1:43122`, without a slash at its end.
    ///
    /// `nil` unless ``Options/monitoring`` is on and the server runs; a restarted server has a new port.
    public var monitoringURL: String? {
        let port = self.running.withLockedValue { $0.server }.boundMonitoringPort
        guard port > 0 else { return nil }
        let host = self.options.host.contains(":") ? "[\(self.options.host)]" : self.options.host
        return "http://\(host):\(port)"
    }

    /// URL for WebSocket clients, such as `ws://127.0.0.1:43123`.
    ///
    /// `nil` unless ``Options/webSocket`` is set and the server runs; a restarted server has a new port.
    public var webSocketURL: String? {
        guard let webSocket = self.options.webSocket else { return nil }
        let port = self.currentServer.boundWebSocketPort
        guard port > 0 else { return nil }
        let host = self.options.host.contains(":") ? "[\(self.options.host)]" : self.options.host
        return "\(webSocket.tls == nil ? "ws" : "wss")://\(host):\(port)"
    }

    /// The server's identity as clients see it in INFO; a restarted server has a new one.
    public var serverID: String { self.running.withLockedValue { $0.server.serverID } }

    /// The port for routes; stays the same over ``restart()``.
    var clusterPort: Int { self.running.withLockedValue { $0.clusterPort } }

    var currentServer: Server { self.running.withLockedValue { $0.server } }

    /// Stops the server: what is queued is sent, then all clients see the end of the stream.
    ///
    /// Stopping a stopped server does nothing.
    public func stop() async {
        let server = self.running.withLockedValue { running in
            running.stops += 1
            return running.server
        }
        await server.shutdown()
    }

    /// Ends the server as if its process had been killed: clients see their connections reset, what is queued is lost, and
    /// nobody is told anything.
    ///
    /// Does nothing if it does not run; ``restart()`` starts it again.
    public func kill() async {
        let server = self.running.withLockedValue { running in
            running.stops += 1
            return running.server
        }
        await server.kill()
    }

    /// Stops the server if it runs, and starts a new one with the same options on the same port.
    ///
    /// - Throws: ``NATSTestServerError`` if the port has been taken meanwhile, and stays so for a second, or if the server
    ///   is stopped meanwhile; or `CancellationError`.
    public func restart() async throws {
        await self.stop()
        let stops = self.running.withLockedValue { $0.stops }
        let server = try await self.relaunch()
        let wasStopped = self.running.withLockedValue { running in
            guard running.stops == stops else { return true }
            running.server = server
            return false
        }
        if wasStopped {
            await server.shutdown()
            throw NATSTestServerError(message: "the server was stopped while it was being restarted")
        }
    }

    /// What the server has done since it was started.
    public func statistics() async -> Statistics {
        Statistics(await self.running.withLockedValue { $0.server }.statistics())
    }

    /// Starts on the former port.
    ///
    /// A program that the process is just starting may hold the old listener for the moment between `fork` and `exec`, so
    /// an address in use is tried again for a while.
    private func relaunch() async throws -> Server {
        try await Self.whileAddressIsInUse { try await self.launchAgain() }
    }

    /// Tries again for a while whatever fails for an address in use.
    static func whileAddressIsInUse<R>(_ start: () async throws -> R) async throws -> R {
        let pause = Duration.milliseconds(10)
        for _ in 0..<100 {
            do {
                return try await start()
            } catch let error as NATSTestServerError where error.message.contains("address already in use") {
                try await Task.sleep(for: pause)
            }
        }
        return try await start()
    }

    private func launchAgain() async throws -> Server {
        let clusterPort = self.running.withLockedValue { $0.clusterPort }
        return try await Self.launch(self.options, port: self.port, clusterPort: clusterPort, self.willStart)
    }

    private static func launch(
        _ options: Options,
        port: Int,
        clusterPort: Int,
        _ willStart: (String) -> Void
    ) async throws -> Server {
        let server = Server(options: try options.serverOptions(port: port, clusterPort: clusterPort))
        willStart(server.serverID)
        do {
            try await server.start()
        } catch {
            throw NATSTestServerError(message: error.description)
        }
        return server
    }
}

/// A test server that could not be started.
public struct NATSTestServerError: Error, CustomStringConvertible {
    /// The cause, in the words of the official server.
    public let message: String

    /// The same as ``message``.
    public var description: String { self.message }
}
