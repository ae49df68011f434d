import Logging
import NATSServerConfig
import NATSServerCore
import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The life of the process around the engine: limits, log, files, signals, exit codes.
final class ServerProgram: Sendable {
    private struct State {
        var configuration: ServerConfiguration
        /// Ends when the server listens.
        var start: Task<Void, Never>?
    }

    private let request: StartRequest
    private let output: LogOutput
    private let logger: Logger
    private let server: Server
    private let state: NIOLockedValueBox<State>
    /// The last reload that was begun; the next one waits for it.
    private let lastReload = NIOLockedValueBox<Task<StartConfiguration.Failure?, Never>?>(nil)

    /// Serves until a signal or a fatal error ends the process.
    static func run(_ start: StartConfiguration, _ request: StartRequest) -> Never {
        var signals = Signals()
        let fileLimit = OpenFileLimit.raise()
        let program = ServerProgram(start, request)
        program.begin(fileLimit: fileLimit, start.configuration)
        while true {
            program.handle(signals.next(), &signals)
        }
    }

    private init(_ start: StartConfiguration, _ request: StartRequest) {
        let output: LogOutput
        do {
            output = try LogOutput(start.logSettings)
        } catch {
            // There is no log yet: Go's `log.Fatalf`.
            StandardStreams.timedError(error.description)
            exit(1)
        }
        self.output = output
        self.request = request
        self.logger = Logger(label: "nats-server") { _ in OfficialLogHandler(output) }
        self.server = Server(options: Self.options(start, request, self.logger))
        self.state = NIOLockedValueBox(State(configuration: start.configuration))
    }

    private static func options(_ start: StartConfiguration, _ request: StartRequest, _ logger: Logger) -> ServerOptions
    {
        var options = ServerOptions(start.configuration, logger: logger)
        options.configFile = request.configFile
        options.configDigest = start.digest
        options.monitoring.configurationDigest = start.digest ?? ""
        options.monitoring.commandLine = ArgumentRedaction.redacted(CommandLine.arguments)
        return options
    }

    // MARK: Start and end

    private func begin(fileLimit: Int?, _ configuration: ServerConfiguration) {
        waitForTask {
            do {
                try await self.server.openOperators()
            } catch {
                // As everything that is found before there is a log.
                StandardStreams.error("nats-server: \(error)\n")
                self.finish(1)
            }
        }
        self.server.announce()
        if let warning = OpenFileLimit.warning(limit: fileLimit, maximumConnections: configuration.maxConnections) {
            self.logger.warning("\(warning)")
        }
        if let path = configuration.pidFile {
            do {
                try self.writePIDFile(path)
            } catch {
                self.fail("Could not write pidfile: \(error)")
            }
        }
        self.server.setReload {
            await self.waitForStart()
            return await self.reloadInTurn()?.description
        }
        self.server.setWillExit { self.removePortsFile(self.state.withLockedValue { $0.configuration.portsFileDir }) }
        let start = Task.detached {
            do {
                try await self.server.start()
            } catch {
                self.fail("\(error)")
            }
            self.writePortsFile(self.state.withLockedValue { $0.configuration.portsFileDir })
        }
        self.state.withLockedValue { $0.start = start }
    }

    private func waitForStart() async {
        await self.state.withLockedValue { $0.start }?.value
    }

    private func fail(_ message: String) -> Never {
        self.output.write(message, label: .fatal)
        self.finish(1)
    }

    private func finish(_ status: CInt) -> Never {
        self.output.flush()
        exit(status)
    }

    // MARK: Signals

    private func handle(_ signal: Signals.Signal, _ signals: inout Signals) {
        if signal == .quit {
            // What the Go runtime does, but for its list of goroutines.
            StandardStreams.error("SIGQUIT: quit\n")
            self.finish(2)
        }
        self.logger.info("Trapped \"\(signal.name)\" signal")
        switch signal {
        case .interrupt:
            self.shutDown(&signals)
        case .terminate:
            // nats-server signal.go handleSignal: a server in lame duck mode ends by itself.
            if !self.server.isInLameDuckMode { self.shutDown(&signals) }
        case .hangup:
            waitForTask {
                await self.waitForStart()
                await self.reload()
            }
        case .user1:
            self.reopenLog()
        case .user2:
            Task.detached {
                await self.waitForStart()
                if await self.server.enterLameDuckMode() { self.finish(0) }
            }
        case .quit:
            break
        }
    }

    private func shutDown(_ signals: inout Signals) -> Never {
        Task.detached {
            await self.waitForStart()
            await self.server.shutdown()
            self.finish(0)
        }
        // As with the official server, later signals are not answered any more.
        while true { _ = signals.next() }
    }

    private func reopenLog() {
        do {
            if try self.output.reopen() {
                self.logger.info("File log re-opened")
            } else {
                self.logger.info("File log re-open ignored, not a file logger")
            }
        } catch {
            self.logger.error("\(error)")
        }
    }

    // MARK: Reload

    /// Takes over what has changed in the configuration file, all or nothing.
    private func reload() async {
        guard let failure = await self.reloadInTurn() else { return }
        self.output.write(
            "Failed to reload server configuration: \(failure)",
            label: .error,
            keepsLineFeeds: true
        )
    }

    /// Reloads when those before have ended: a signal and the system account may ask at the same time.
    private func reloadInTurn() async -> StartConfiguration.Failure? {
        let reload = self.lastReload.withLockedValue { last in
            let previous = last
            let reload = Task { () -> StartConfiguration.Failure? in
                _ = await previous?.value
                do throws(StartConfiguration.Failure) {
                    try await self.tryReload()
                    return nil
                } catch {
                    return error
                }
            }
            last = reload
            return reload
        }
        return await reload.value
    }

    private func tryReload() async throws(StartConfiguration.Failure) {
        guard self.request.configFile != nil else {
            throw StartConfiguration.Failure(
                description: "can only reload config when a file is provided using -c or --config"
            )
        }
        let start = try StartConfiguration(self.request)
        if let problem = start.problem, !start.isProblemOfAccounts {
            throw StartConfiguration.Failure(description: problem)
        }
        let plan: ReloadPlan
        let log: LogOutput.Prepared?
        let clusterTLS: RouteTLS?
        let leafNodeTLS: LeafTLS?
        do {
            plan = try ReloadPlan(
                from: self.state.withLockedValue { $0.configuration },
                to: start.configuration,
                port: self.server.boundPort,
                webSocketPort: self.server.boundWebSocketPort,
                clusterPort: self.server.boundClusterPort,
                tlsFilesChanged: self.server.tlsContext?.seemsChanged(to: start.certificates) ?? false
            )
        } catch {
            throw StartConfiguration.Failure(description: error.description)
        }
        if let problem = start.problem {
            throw StartConfiguration.Failure(description: problem)
        }
        if let part = start.firstUnsupported {
            throw StartConfiguration.Failure(description: "not supported yet: \(part)")
        }
        let options = Self.options(start, self.request, self.logger)
        if let problem = options.authorization.firstProblem() {
            throw StartConfiguration.Failure(description: problem)
        }
        do {
            clusterTLS = try RouteTLS(options.cluster)
            leafNodeTLS = try self.server.loadLeafNodeTLS()
        } catch {
            throw StartConfiguration.Failure(description: error.description)
        }
        do {
            // Opened before anything changes, and when nothing else can fail: what was opened is used.
            log = plan.changesLogging ? try self.output.prepare(start.logSettings) : nil
        } catch {
            throw StartConfiguration.Failure(description: error.description)
        }

        self.state.withLockedValue { $0.configuration = start.configuration }
        await self.server.apply(options)
        await self.server.useTLS(start.certificates)
        self.server.useWebSocketTLS(start.webSocketCertificates)
        self.server.useLeafNodeTLS(leafNodeTLS)
        for change in plan.changes {
            await self.carryOut(change.effect, clusterTLS)
            self.logger.info("\(change.text)")
        }
        if let log {
            self.output.change(to: log)
            await self.server.applyLoopSettings()
        }
        do {
            try await self.server.reload(authorization: options.authorization)
        } catch {
            // Not to be expected: the options have been looked at.
            throw StartConfiguration.Failure(description: error.description)
        }
        self.server.configurationLoaded(digest: start.digest ?? "")
        self.logger.info("Reloaded server configuration \(start.digest.map { "(\($0))" } ?? "")")
    }

    private func carryOut(_ effect: ReloadPlan.Effect, _ clusterTLS: RouteTLS?) async {
        switch effect {
        case .maxConnections:
            let closed = await self.server.closeConnectionsAboveLimit()
            if closed > 0 { self.logger.info("Closed \(closed) connections to fall within max_connections") }
        case .pidFile(let path):
            do {
                try self.writePIDFile(path)
            } catch {
                self.logger.error("Failed to write pidfile: \(error)")
            }
        case .portsFile(let old, let new):
            // As the official server: where there was none, it tries to remove the new one, and says that it cannot.
            self.removePortsFile(old ?? new)
            self.writePortsFile(new)
        case .cluster:
            self.server.reloadCluster(clusterTLS)
        case .routes:
            self.server.reloadRoutes()
        case .nothing, .logging, .tls:
            break
        }
    }

    // MARK: Files

    private func writePIDFile(_ path: String) throws(SystemCallError) {
        try SystemCalls.writeFile(path, "\(SystemCalls.processID())", mode: 0o600)
    }

    private func portsFile(_ directory: String?) -> PortsFile? {
        directory.map {
            PortsFile(
                directory: $0,
                program: CommandLine.arguments.first ?? "nats-server",
                processID: SystemCalls.processID()
            )
        }
    }

    private func writePortsFile(_ directory: String?) {
        guard let file = self.portsFile(directory), self.server.boundPort > 0 else { return }
        var ports = PortsFile.Ports()
        let configuration = self.state.withLockedValue { $0.configuration }
        ports.clients = LocalAddresses.hostPorts(host: configuration.host, port: self.server.boundPort)
            .map { "nats://\($0)" }
        let monitoringPort = self.server.boundMonitoringPort
        if monitoringPort > 0 {
            let scheme = configuration.httpsPort == 0 ? "http" : "https"
            let host = configuration.httpHost ?? configuration.host
            ports.monitoring = LocalAddresses.hostPorts(host: host, port: monitoringPort).map { "\(scheme)://\($0)" }
        }
        if let webSocket = configuration.websocket, self.server.boundWebSocketPort > 0 {
            let scheme = webSocket.tls == nil ? "ws" : "wss"
            ports.webSocket = LocalAddresses.hostPorts(host: webSocket.host, port: self.server.boundWebSocketPort)
                .map { "\(scheme)://\($0)" }
        }
        if let cluster = configuration.cluster, self.server.boundClusterPort > 0 {
            ports.cluster = LocalAddresses.hostPorts(host: cluster.host, port: self.server.boundClusterPort)
                .map { "nats://\($0)" }
        }
        do {
            try file.write(ports)
        } catch {
            self.logger.error("Error writing ports file (\(file.path)): \(error)")
        }
    }

    private func removePortsFile(_ directory: String?) {
        guard let file = self.portsFile(directory) else { return }
        do {
            try file.remove()
        } catch {
            self.logger.error("Error cleaning up ports file \(file.path): \(error)")
        }
    }
}
