import NATSClient
import NATSTestSupport

/// Clients beside those of the drill, one at each server, that find out whether the servers have found each other.
struct DrillMesh: Sendable {
    private let clients: [NATSClient]

    /// Runs the body with a client at each of the servers.
    static func with<Result>(
        _ nodes: [DrillNode],
        _ body: (DrillMesh) async throws -> Result
    ) async throws -> Result {
        var clients: [NATSClient] = []
        do {
            for node in nodes {
                var configuration = NATSClientConfiguration(servers: [node.clientURL])
                configuration.ignoreDiscoveredServers = true
                configuration.connectTimeout = .seconds(60)
                clients.append(try await NATSClient.connect(configuration))
            }
            let result = try await body(DrillMesh(clients: clients))
            for client in clients { await client.close() }
            return result
        } catch {
            for client in clients { await client.close() }
            throw error
        }
    }

    /// Waits until messages get from each server to each other one, and so all subscriptions are known everywhere.
    func await() async throws {
        // The first subscription may be told of among the others, when servers meet; the second one is behind them.
        for _ in 0..<2 {
            for receiver in self.clients {
                let subject = receiver.newInbox()
                let messages = try await receiver.subscribe(subject, confirm: true)
                for (number, sender) in self.clients.enumerated() where sender !== receiver {
                    try await eventually("a message from one server at the other", timeout: .seconds(120)) {
                        try await sender.publish("\(number)", to: subject)
                        while let message = try? await messages.next(timeout: .milliseconds(20)) {
                            if message.string == "\(number)" { return true }
                        }
                        return false
                    }
                }
                messages.unsubscribe()
            }
        }
    }

    /// Publishes at each server until `isReady` says that the messages have come to everybody.
    ///
    /// - Parameter isReady: Asked about the names of publishers whose messages everybody has to have.
    /// - Throws: What `isReady` throws, or if that takes longer than two minutes.
    func probe(until isReady: (Set<String>) throws -> Bool) async throws {
        let names = self.clients.indices.map { "probe\($0)" }
        try await eventually("all clients have their subscriptions", timeout: .seconds(120)) {
            for (client, name) in zip(self.clients, names) {
                try await client.publish("0", to: DrillSubject.plain(name))
                try await client.flush(timeout: .seconds(60))
            }
            return try isReady(Set(names))
        }
    }
}
