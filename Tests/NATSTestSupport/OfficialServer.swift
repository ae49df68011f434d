import Foundation
import NATSTestServer

/// A running official nats-server.
package final class OfficialServer: Sendable {
    package enum Version: String, Sendable, CaseIterable {
        /// The version that we are compatible with.
        case current = "2.15.1"
        /// The version that Debian 12 has.
        case old = "2.9.10"
    }

    /// The server did not start.
    package struct StartFailure: Error, CustomStringConvertible {
        package let description: String
    }

    private let program: ServerProgram

    private init(_ program: ServerProgram) { self.program = program }

    /// Starts the server and waits until it accepts connections.
    package static func start(
        _ configuration: ServerConfiguration = ServerConfiguration(),
        version: Version = .current,
        arguments: [String] = []
    ) async throws -> OfficialServer {
        try await Self.start(version, arguments) { try configuration.fileText(portsDirectory: $0) }
    }

    /// Starts the server with a configuration text of the test; port and ports file are added to it.
    package static func start(configurationText: String, version: Version = .current) async throws -> OfficialServer {
        try await Self.start(version, []) { try ServerConfiguration().fileText(portsDirectory: $0) + configurationText }
    }

    private static func start(
        _ version: Version,
        _ arguments: [String],
        _ configuration: (String) throws -> String
    ) async throws -> OfficialServer {
        let path = try TestDependencies.require(
            TestDependencies.officialServer(version),
            "official nats-server \(version.rawValue)"
        )
        do {
            return Self(try await ServerProgram.start(path, arguments: arguments, configuration: configuration))
        } catch let error as NATSTestServerError {
            throw StartFailure(description: error.message)
        }
    }

    /// The port for clients.
    package var port: Int { self.program.ports["nats"] ?? 0 }
    /// The port of the monitoring pages, if it serves them.
    package var monitoringPort: Int? { self.program.ports["monitoring"] }
    /// The port of the WebSocket listener, if it has one.
    package var webSocketPort: Int? { self.program.ports["websocket"] }
    /// The port of the listener for routes, if it has one.
    package var clusterPort: Int? { self.program.ports["cluster"] }
    package var host: String { "127.0.0.1" }
    package var url: String { "nats://127.0.0.1:\(self.port)" }
    package var processID: Int { self.program.processID }

    /// Its log up to now, without what only a busy machine makes it say.
    package var log: String {
        self.program.output.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !Self.isOfBusyMachine($0) }
            .joined(separator: "\n")
    }

    /// Whether a line of the log only says that something took long (client.go readLoop, deliverMsg).
    package static func isOfBusyMachine(_ line: some StringProtocol) -> Bool {
        line.contains("[WRN]") && (line.contains("Readloop processing time: ") || line.contains(" took too long: "))
    }

    package func signal(_ number: CInt) {
        self.program.send(number)
    }

    /// Gives the server another configuration file and waits until it has taken it over.
    package func reload(_ configuration: ServerConfiguration) async throws {
        try await self.reload(file: try configuration.fileText(portsDirectory: self.program.portsDirectory))
    }

    /// The same with a configuration text of the test; port and ports file are added to it.
    package func reload(configurationText: String) async throws {
        let common = try ServerConfiguration().fileText(portsDirectory: self.program.portsDirectory)
        try await self.reload(file: common + configurationText)
    }

    private func reload(file text: String) async throws {
        func reloads() -> Int { self.log.components(separatedBy: "Reloaded server configuration").count }
        let before = reloads()
        try self.program.write(configuration: text)
        self.signal(SIGHUP)
        try await eventually("the official server to reload, its log:\n\(self.log)") { reloads() > before }
    }

    /// Ends the server as an operator would (SIGTERM) and waits for it.
    package func stop() async {
        await self.program.stop()
    }

    /// Waits for its end; nil when a minute has passed.
    package func waitForExit() async -> ChildProcess.Exit? {
        let exit = Watched<ChildProcess.Exit?>(nil)
        self.program.whenEnded { status in exit.update { $0 = ChildProcess.Exit(status: status) } }
        _ = await exit.wait(timeout: .seconds(60)) { $0 != nil }
        return exit.value
    }
}
