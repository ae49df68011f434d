import NATSTestSupport
import Testing

@testable import NATSServerCore

/// A hub and a leaf node, in every combination with one of ours.
struct LeafPair: Sendable, CustomStringConvertible {
    let hub: ServerUnderTest
    let leaf: ServerUnderTest

    var description: String { "\(self.leaf) as a leaf node of \(self.hub)" }

    static let all = ServerUnderTest.available.flatMap { hub in
        ServerUnderTest.available.map { LeafPair(hub: hub, leaf: $0) }
    }

    /// The same without what only differs in the number of event loops.
    static let kinds = Self.all.filter { $0.hub != .oursOnManyLoops && $0.leaf != .oursOnManyLoops }

    /// A hub's configuration.
    static func hub(_ more: String = "", _ rest: String = "") -> String {
        "server_name: HUB\ndebug: true\nleafnodes { listen: \"127.0.0.1:-1\" \(more) }\n\(rest)\n"
    }

    /// A leaf node's configuration.
    static func leaf(_ port: Int, login: String = "", _ more: String = "", _ rest: String = "") -> String {
        """
        server_name: LEAF
        debug: true
        leafnodes { reconnect: "100ms", remotes: [ { url: "nats://\(login)127.0.0.1:\(port)" \(more) } ] }
        \(rest)

        """
    }

    /// Runs a body with both, once messages go from one to the other.
    func with(
        hub hubMore: String = "",
        leaf leafMore: String = "",
        hubRest: String = "",
        leafRest: String = "",
        login: String = "",
        isJoined: (_ hub: ConfiguredServer, _ leaf: ConfiguredServer) async throws -> Void = Self.expectJoined,
        _ body: (_ hub: ConfiguredServer, _ leaf: ConfiguredServer) async throws -> Void
    ) async throws {
        try await ConfiguredServer.with(self.hub, Self.hub(hubMore, hubRest)) { hub in
            let text = Self.leaf(hub.leafNodePort, login: login, leafMore, leafRest)
            try await ConfiguredServer.with(self.leaf, text) { leaf in
                do {
                    try await isJoined(hub, leaf)
                    try await body(hub, leaf)
                } catch {
                    Issue.record("hub:\n\(hub.log)\n\nleaf node:\n\(leaf.log)")
                    throw error
                }
            }
        }
    }

    /// Waits until messages go both ways.
    static func expectJoined(_ hub: ConfiguredServer, _ leaf: ConfiguredServer) async throws {
        for (here, there) in [(hub, leaf), (leaf, hub)] {
            let subscriber = try await there.connect("")
            let publisher = try await here.connect("")
            await subscriber.send("SUB leaf.test 1\r\n")
            try await self.settle(publisher, "leaf.test", subscriber)
            subscriber.close()
            publisher.close()
        }
    }

    /// Publishes until a subscription on the other server gets it: from then on that one is known.
    static func settle(_ publisher: RawConnection, _ subject: String, _ subscriber: RawConnection) async throws {
        try await eventually("the interest of the other server") {
            await publisher.send("PUB \(subject) ready 0\r\n\r\nPING\r\n")
            try await publisher.expect("PONG\r\n")
            return await subscriber.wait(timeout: .milliseconds(20)) { !$0.bytes.isEmpty }
        }
        // What is still on its way comes before this.
        await publisher.send("PUB \(subject) last 0\r\n\r\n")
        _ = try await subscriber.read(until: " last 0\r\n\r\n")
    }
}

extension ConfiguredServer {
    /// The port where leaf nodes are accepted; 0 if they are not.
    var leafNodePort: Int {
        if let ours = self.ours { return ours.boundLeafNodePort }
        // It is not among those of the ports file.
        let line = self.log.split(separator: "\n").first { $0.contains("Listening for leafnode connections on ") }
        return line?.split(separator: ":").last.flatMap { Int($0) } ?? 0
    }
}
