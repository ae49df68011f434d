import NATSServerCore

/// The server of a node: one of this process, or a program.
protocol ClusterMember: Sendable {
    /// Where clients connect.
    var port: Int { get }
    var isRunning: Bool { get }
    /// The server's id while it runs; a restarted server has another one.
    var serverID: String { get }
    /// Connections to another server that are for everything, if both have a pool; 0 without a pool.
    var poolSize: Int { get }

    /// Whether it has all connections to those that it is connected with, as far as it knows itself.
    var isComplete: Bool { get }
    /// Accounts that have a connection of their own to other servers, if both have a pool.
    var dedicatedAccounts: Set<String> { get }

    /// Its connections to other servers, by their ids; `nil` if it does not say.
    func connections() async throws -> [String: Int]?

    func stop() async
    func kill() async
    func restart() async throws
    func enterLameDuckMode() async
}

/// A server of this process.
struct OwnMember: ClusterMember {
    let server: NATSTestServer
    let poolSize: Int
    let dedicatedAccounts: Set<String>

    var port: Int { self.server.port }
    var isRunning: Bool { self.server.currentServer.boundPort > 0 }
    var serverID: String { self.server.serverID }

    var isComplete: Bool { self.server.currentServer.hasAllRoutes }

    func connections() -> [String: Int]? { self.server.currentServer.routePeers }

    func stop() async { await self.server.stop() }
    func kill() async { await self.server.kill() }
    func restart() async throws { try await self.server.restart() }
    func enterLameDuckMode() async { await self.server.enterLameDuckMode() }
}

extension ClusterMember {
    /// Whether it has its connections to each of some servers, and to none that is not known.
    ///
    /// - Parameters:
    ///   - others: Servers that it can reach.
    ///   - known: The ids of all that run.
    /// - Returns: As far as it says.
    /// - Throws: If it says nothing.
    func isConnected(to others: [any ClusterMember], known: Set<String>) async throws -> Bool {
        guard let counts = try await self.connections(), counts.keys.allSatisfy(known.contains) else { return false }
        return others.allSatisfy { other in
            let isPooled = self.poolSize > 0 && other.poolSize > 0
            let dedicated = self.dedicatedAccounts.intersection(other.dedicatedAccounts).count
            let count = isPooled ? max(self.poolSize, other.poolSize) + dedicated : 1
            return counts[other.serverID, default: 0] >= count
        }
    }
}
