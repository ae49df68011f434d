import Foundation

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

    package let port: Int
    /// The port of the monitoring pages, if it serves them.
    package let monitoringPort: Int?
    /// The port of the WebSocket listener, if it has one.
    package let webSocketPort: Int?
    /// The port of the listener for routes, if it has one.
    package let clusterPort: Int?
    private let process: ChildProcess
    private let directory: TemporaryDirectory

    private init(
        port: Int,
        monitoringPort: Int?,
        webSocketPort: Int?,
        clusterPort: Int?,
        process: ChildProcess,
        directory: TemporaryDirectory
    ) {
        self.port = port
        self.monitoringPort = monitoringPort
        self.webSocketPort = webSocketPort
        self.clusterPort = clusterPort
        self.process = process
        self.directory = directory
    }

    /// Starts the server and waits until it accepts connections.
    package static func start(
        _ configuration: ServerConfiguration = ServerConfiguration(),
        version: Version = .current,
        arguments: [String] = []
    ) async throws -> OfficialServer {
        let directory = try TemporaryDirectory()
        let file = try directory.write(configuration.fileText(portsDirectory: directory.path), to: "server.conf")
        return try await Self.start(version: version, arguments: ["-c", file] + arguments, directory: directory)
    }

    /// Starts the server with a configuration text of the test; port and ports file are added to it.
    package static func start(configurationText: String, version: Version = .current) async throws -> OfficialServer {
        let directory = try TemporaryDirectory()
        let common = ServerConfiguration().fileText(portsDirectory: directory.path)
        let file = try directory.write(common + configurationText, to: "server.conf")
        return try await Self.start(version: version, arguments: ["-c", file], directory: directory)
    }

    private static func start(
        version: Version,
        arguments: [String],
        directory: TemporaryDirectory
    ) async throws -> OfficialServer {
        let path = try TestDependencies.require(
            TestDependencies.officialServer(version),
            "official nats-server \(version.rawValue)"
        )
        let process = try ChildProcess(path, arguments)
        let port = Watched<Int?>(nil)
        let monitoringPort = Watched<Int?>(nil)
        let webSocketPort = Watched<Int?>(nil)
        let clusterPort = Watched<Int?>(nil)
        try await eventually("ports file of the official server") {
            guard process.isRunning else {
                throw StartFailure(description: "nats-server \(arguments) ended:\n\(process.output)")
            }
            // The server writes the file when its listeners are up, not at one stroke: take it when it is complete.
            guard let name = directory.names.first(where: { $0.hasSuffix(".ports") }) else {
                return false
            }
            let text = directory.read(name)
            let found = Self.port("nats", in: text)
            port.update { $0 = found }
            monitoringPort.update { $0 = Self.port("monitoring", in: text) }
            webSocketPort.update { $0 = Self.port("websocket", in: text) }
            clusterPort.update { $0 = Self.port("cluster", in: text) }
            return found != nil
        }
        guard let port = port.value else {
            throw StartFailure(description: "nats-server told no port:\n\(process.output)")
        }
        return OfficialServer(
            port: port,
            monitoringPort: monitoringPort.value,
            webSocketPort: webSocketPort.value,
            clusterPort: clusterPort.value,
            process: process,
            directory: directory
        )
    }

    private static func port(_ kind: String, in text: String) -> Int? {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            let urls = object[kind] as? [String], let last = urls.first?.split(separator: ":").last
        else {
            return nil
        }
        return Int(last)
    }

    package var host: String { "127.0.0.1" }
    package var url: String { "nats://127.0.0.1:\(self.port)" }
    package var processID: Int { self.process.processID }

    /// Its log up to now, without what only a busy machine makes it say.
    package var log: String {
        self.process.output.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !Self.isOfBusyMachine($0) }
            .joined(separator: "\n")
    }

    /// Whether a line of the log only says that something took long (client.go readLoop, deliverMsg).
    package static func isOfBusyMachine(_ line: some StringProtocol) -> Bool {
        line.contains("[WRN]") && (line.contains("Readloop processing time: ") || line.contains(" took too long: "))
    }

    package func signal(_ number: CInt) {
        self.process.signal(number)
    }

    /// Gives the server another configuration file and waits until it has taken it over.
    package func reload(_ configuration: ServerConfiguration) async throws {
        try await self.reload(file: configuration.fileText(portsDirectory: self.directory.path))
    }

    /// The same with a configuration text of the test; port and ports file are added to it.
    package func reload(configurationText: String) async throws {
        let common = ServerConfiguration().fileText(portsDirectory: self.directory.path)
        try await self.reload(file: common + configurationText)
    }

    private func reload(file text: String) async throws {
        func reloads() -> Int { self.log.components(separatedBy: "Reloaded server configuration").count }
        let before = reloads()
        _ = try self.directory.write(text, to: "server.conf")
        self.signal(SIGHUP)
        try await eventually("the official server to reload, its log:\n\(self.log)") { reloads() > before }
    }

    /// Ends the server as an operator would (SIGTERM) and waits for it.
    package func stop() async {
        await self.process.stop()
    }

    package func waitForExit() async -> ChildProcess.Exit? {
        await self.process.waitForExit()
    }
}
