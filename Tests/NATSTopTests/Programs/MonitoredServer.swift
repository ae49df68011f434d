import NATSTestSupport

/// A server process whose monitoring port stays the same over restarts.
final class MonitoredServer: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case official
        case ours

        /// The program.
        func path() throws -> String {
            switch self {
            case .official:
                guard let path = TestDependencies.officialServer(.current) else {
                    throw ConditionNotMet(description: "no official server")
                }
                return path
            case .ours: return try BuiltProgram.path("nats-server")
            }
        }
    }

    /// Those that can run here.
    static let available = Kind.allCases.filter { kind in
        kind == .ours || TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server")
    }

    private let reserved: ReservedPort
    private let process: ChildProcess

    /// Starts one whose monitoring port is the reserved one.
    init(_ kind: Kind, on reserved: ReservedPort, arguments: [String] = []) throws {
        self.reserved = reserved
        let port = arguments.isEmpty ? ["-m", String(reserved.port)] : []
        self.process = try ChildProcess(kind.path(), ["-a", "127.0.0.1", "-p", "-1"] + port + arguments)
    }

    func stop() async { await self.process.stop() }

    /// Waits until nats-top can read its pages.
    func waitUntilReady() async throws {
        let port = self.reserved.port
        try await eventually("the server's log to say that it is ready, in \(self.process.output)") {
            self.process.output.contains("Server is ready")
        }
        _ = try RawConnection.connect(port: port)
    }
}
