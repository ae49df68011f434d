#if os(Linux) || os(macOS)
import NATSWire
import NIOConcurrencyHelpers

/// A server of a cluster that is a program.
final class ProgramMember: ClusterMember {
    /// What stays the same when the server is started again.
    struct Setup: Sendable {
        /// Where the program is.
        let path: String
        let name: String
        let clusterName: String
        /// URLs of other servers.
        let routes: [String]
        let poolSize: Int
        /// Accounts with connections of their own that are known to be there.
        let dedicatedAccounts: Set<String>
        /// All that is configured besides names, listeners and the cluster.
        let configuration: String
        let place: Int
        let relay: RouteRelay
    }

    private struct State {
        var program: ServerProgram
        var serverID: String
        /// How often it has been stopped, so that a restart notices a stop in the middle of it.
        var stops = 0
    }

    /// The first minor version whose routes have pools.
    private static let firstPooled = (2, 10)

    let poolSize: Int
    let port: Int
    /// Whether the program knows pools.
    private let isPooled: Bool
    private let setup: Setup
    private let state: NIOLockedValueBox<State>

    private init(_ setup: Setup, isPooled: Bool, _ program: ServerProgram, serverID: String) {
        self.setup = setup
        self.isPooled = isPooled
        self.poolSize = isPooled ? max(0, setup.poolSize) : 0
        self.port = program.ports["nats"] ?? 0
        self.state = NIOLockedValueBox(State(program: program, serverID: serverID))
    }

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - setup: What it is like.
    ///   - port: The port for clients; 0 for a free one.
    /// - Returns: The member; its listeners stand.
    /// - Throws: ``NATSTestServerError`` if it is no server, or ends.
    static func start(_ setup: Setup, port: Int) async throws -> ProgramMember {
        let numbers = try await ServerProgram.version(of: setup.path).split(separator: ".").compactMap { Int($0) }
        let isPooled = numbers.count > 1 && (numbers[0], numbers[1]) >= Self.firstPooled
        let (program, serverID) = try await Self.launch(setup, isPooled: isPooled, port: port)
        return ProgramMember(setup, isPooled: isPooled, program, serverID: serverID)
    }

    private static func launch(
        _ setup: Setup,
        isPooled: Bool,
        port: Int
    ) async throws -> (program: ServerProgram, serverID: String) {
        let links = setup.relay.links
        // It may dial others before we know its id.
        links.willStart()
        defer { links.hasStarted() }
        let program = try await ServerProgram.start(setup.path) { directory in
            setup.text(portsDirectory: directory, isPooled: isPooled, port: port)
        }
        do {
            guard let pages = program.ports["monitoring"], let cluster = program.ports["cluster"],
                case .string(let id) = try await MonitoringPage.fetch("/varz", port: pages)["server_id"]
            else { throw NATSTestServerError(message: "\(setup.path) does not say who it is:\n\(program.output)") }
            links.setNode(setup.place, of: id)
            setup.relay.setTarget(port: cluster, node: setup.place)
            return (program, id)
        } catch {
            await program.kill()
            throw error
        }
    }

    var isRunning: Bool { self.program.isRunning }
    var serverID: String { self.state.withLockedValue { $0.serverID } }
    /// What the program has printed since it was last started.
    var output: String { self.program.output }

    private var program: ServerProgram { self.state.withLockedValue { $0.program } }

    var isComplete: Bool { true }
    var dedicatedAccounts: Set<String> { self.setup.dedicatedAccounts }

    func connections() async throws -> [String: Int]? {
        guard let port = self.program.ports["monitoring"],
            case .array(let routes) = try await MonitoringPage.fetch("/routez", port: port)["routes"]
        else { return nil }
        var counts: [String: Int] = [:]
        for case .object(let members) in routes {
            guard case .string(let id) = members.first(where: { $0.key == "remote_id" })?.value else { continue }
            counts[id, default: 0] += 1
        }
        return counts
    }

    func stop() async { await self.noteStop().stop() }

    func kill() async { await self.noteStop().kill() }

    func enterLameDuckMode() async { await self.noteStop().enterLameDuckMode() }

    private func noteStop() -> ServerProgram {
        self.state.withLockedValue { state in
            state.stops += 1
            return state.program
        }
    }

    func restart() async throws {
        await self.stop()
        let stops = self.state.withLockedValue { $0.stops }
        let (program, id) = try await NATSTestServer.whileAddressIsInUse {
            try await Self.launch(self.setup, isPooled: self.isPooled, port: self.port)
        }
        let wasStopped = self.state.withLockedValue { state in
            guard state.stops == stops else { return true }
            state.program = program
            state.serverID = id
            return false
        }
        if wasStopped {
            await program.stop()
            throw NATSTestServerError(message: "the server was stopped while it was being restarted")
        }
    }
}

extension ProgramMember.Setup {
    fileprivate func text(portsDirectory: String, isPooled: Bool, port: Int) -> String {
        let routes = self.routes.map(ConfigurationText.quoted).joined(separator: ", ")
        // Older ones do not know what a pool is.
        let pool = isPooled ? "pool_size: \(self.poolSize > 0 ? self.poolSize : -1)" : ""
        return """
            host: "127.0.0.1"
            port: \(port == 0 ? -1 : port)
            server_name: \(ConfigurationText.quoted(self.name))
            http: "127.0.0.1:-1"
            ports_file_dir: \(ConfigurationText.quoted(portsDirectory))
            cluster {
              name: \(ConfigurationText.quoted(self.clusterName))
              listen: "127.0.0.1:-1"
              advertise: "127.0.0.1:\(self.relay.port)"
              routes: [\(routes)]
              \(pool)
            }
            \(self.configuration)
            """
    }
}
#endif
