import NATSClient
import NATSTestSupport
import Testing

/// Which programs the servers A, B and C (or T) of the old documents are.
struct ClusterCast: Sendable, CustomTestStringConvertible {
    let programs: [Program]

    /// All ours, all official, and mixed ones; only ours where the official program is not installed.
    static var available: [ClusterCast] {
        let all: [[Program]] = [
            [.ours, .ours, .ours], [.official, .official, .official], [.official, .ours, .official],
            [.ours, .official, .ours],
        ]
        let programs = Program.available
        return all.filter { $0.allSatisfy(programs.contains) }.map(ClusterCast.init)
    }

    var testDescription: String { self.programs.map(\.rawValue).joined(separator: ", ") }
}

/// A place for a server of a cluster: two ports that nobody else gets, whether a server runs on them or not.
final class ClusterPlace: Sendable {
    private let client: ReservedPort
    private let route: ReservedPort

    init() throws {
        self.client = try ReservedPort()
        self.route = try ReservedPort()
    }

    var clientURL: String { self.client.url }
    var clientPort: Int { self.client.port }
    var routePort: Int { self.route.port }
    /// As the documents write it.
    var routeURL: String { "nats://localhost:\(self.route.port)" }

    /// The flags of this place, with more behind them.
    func flags(_ more: String...) -> [String] { self.listening + ["-cluster", self.routeURL] + more }

    /// The flags of this place without those of the cluster.
    var listening: [String] { ["-a", "127.0.0.1", "-p", "\(self.clientPort)"] }

    /// A client that knows only this place, and of others what it is told.
    func withClient<Result>(_ body: (NATSClient) async throws -> sending Result) async throws -> sending Result {
        var configuration = NATSClientConfiguration(servers: [self.clientURL])
        configuration.connectTimeout = .seconds(30)
        return try await NATSClient.withClient(configuration, body)
    }

    /// Waits until clients are let in.
    func expectReady() async throws {
        try await eventually("a server on port \(self.clientPort)") {
            (try? await self.withClient { $0.isConnected }) ?? false
        }
    }

    /// Waits until what is published here arrives at the other place, and the other way.
    func expectRoute(to other: ClusterPlace) async throws {
        try await self.expectMessages(to: other)
        try await other.expectMessages(to: self)
    }

    private func expectMessages(to other: ClusterPlace) async throws {
        try await other.withClient { there in
            let subject = there.newInbox()
            let messages = try await there.subscribe(subject, confirm: true)
            try await self.withClient { here in
                try await eventually("a message from \(self.clientPort) at \(other.clientPort)") {
                    try await here.publish("hi", to: subject)
                    try await here.flush(timeout: .seconds(60))
                    return (try? await messages.next(timeout: .milliseconds(20))) != nil
                }
            }
        }
    }
}

extension ClusterCast {
    /// Starts the servers in their order, each with flags of its own, and ends them, which has to go well.
    func run(_ flags: [[String]], _ body: ([ProgramRun]) async throws -> Void) async throws {
        try await self.run(flags[...], after: [], body)
    }

    private func run(
        _ flags: ArraySlice<[String]>,
        after running: [ProgramRun],
        _ body: ([ProgramRun]) async throws -> Void
    ) async throws {
        guard let first = flags.first else { return try await body(running) }
        let run = try ProgramRun(self.programs[running.count], first)
        try await run.use {
            try await run.waitForLog("Server is ready")
            try await self.run(flags.dropFirst(), after: running + [run], body)
        }
    }
}
