import NATSTestSupport
import NATSWire
import Testing

/// The monitoring pages of a hub and its leaf node that have traffic, of official servers and of ours.
@Suite("monitoring of leaf nodes", .enabled(if: ServerUnderTest.available.contains(.official)))
struct LeafMonitoringTests {
    struct Pair: Sendable, CustomStringConvertible {
        let hub: ClusterNode.Kind
        let leaf: ClusterNode.Kind

        var description: String { "\(self.leaf) as a leaf node of \(self.hub)" }
    }

    static let pairs = [
        Pair(hub: .ours, leaf: .ours), Pair(hub: .official, leaf: .ours), Pair(hub: .ours, leaf: .official),
    ]

    /// Those of the hub and those of the leaf node.
    static let targets = [
        ["/connz?acc=A&subs=detail&auth=1", "/connz?acc=A&state=all", "/connz?subs=1&sort=subs", "/accountz?acc=A"],
        [
            "/connz?acc=L&subs=detail&auth=1", "/connz?filter_subject=foo&acc=L", "/connz?sort=msgs_to",
            "/accountz?acc=L",
        ],
    ].map { ["/leafz", "/leafz?subs=1", "/leafz?acc=A", "/leafz?acc=NOPE", "/varz", "/accstatz?unused=1"] + $0 }

    /// Without what differs in official servers from run to run, too.
    private static func normal(_ page: JSONValue, _ target: String) -> JSONValue {
        if target == "/varz" { return page.replacing(["subscriptions", "urls"]) }
        return target.hasPrefix("/leafz") ? page.replacing(["id"]) : ClusterPage.normal(page, target, true)
    }

    @Test("every page that tells of leaf nodes is filled as the official one", arguments: Self.pairs)
    func pages(pair: Pair) async throws {
        try await LeafScene.with(hub: .official, leaf: .official) { official in
            try await LeafScene.with(hub: pair.hub, leaf: pair.leaf) { scene in
                let theirs = try await official.exchange()
                let ours = try await scene.exchange()
                for (index, targets) in Self.targets.enumerated() {
                    for target in targets {
                        let expected = Self.normal(try await official.page(target, of: index), target)
                        let actual = Self.normal(try await scene.page(target, of: index), target)
                        let problems = MonitoringComparison.problems(expected, actual, target: target)
                        #expect(problems.isEmpty, "\(target) of \(index): \(problems.joined(separator: "; "))")
                    }
                }
                for client in theirs + ours { client.connection.close() }
            }
        }
    }

    @Test("a leaf node that has gone is among the closed connections", arguments: Self.pairs)
    func closed(pair: Pair) async throws {
        func page(_ scene: LeafScene) async throws -> JSONValue {
            let clients = try await scene.exchange()
            await scene.endLeafNode()
            let closed = Watched<JSONValue>(.null)
            try await eventually("the end of the leaf node") {
                let page = try await scene.page("/connz?state=closed&subs=detail&auth=1", of: 0)
                closed.update { $0 = page }
                return page["num_connections"].text == "1"
            }
            for client in clients { client.connection.close() }
            return closed.value
        }
        try await LeafScene.with(hub: .official, leaf: .official) { official in
            try await LeafScene.with(hub: pair.hub, leaf: pair.leaf) { scene in
                let target = "/connz?state=closed"
                let problems = MonitoringComparison.problems(
                    try await page(official),
                    try await page(scene),
                    target: target
                )
                #expect(problems.isEmpty, "\(problems.joined(separator: "; "))")
            }
        }
    }

    @Test("leaf nodes have figures of their own, and are no clients", arguments: [ClusterNode.Kind.official, .ours])
    func figures(kind: ClusterNode.Kind) async throws {
        try await LeafScene.with(hub: kind, leaf: kind) { scene in
            let clients = try await scene.exchange()
            for index in 0..<2 {
                let leaf = try #require(try await scene.page("/leafz", of: index)["leafs"].elements.first)
                let (seven, two) = index == 0 ? ("out", "in") : ("in", "out")
                #expect(leaf["\(seven)_msgs"].text == "7" && leaf["\(seven)_bytes"].text == "46", "\(leaf)")
                #expect(leaf["\(two)_msgs"].text == "2" && leaf["\(two)_bytes"].text == "8", "\(leaf)")
                let varz = try await scene.page("/varz", of: index)
                let (from, to) = index == 0 ? ("8", "2") : ("2", "7")
                #expect(varz["in_client_msgs"].text == from && varz["out_client_msgs"].text == to, "\(varz)")
            }
            for client in clients { client.connection.close() }
        }
    }

    @Test("subscriptions behind a leaf node are counted", arguments: [ClusterNode.Kind.official, .ours])
    func subscribers(kind: ClusterNode.Kind) async throws {
        try await LeafScene.with(hub: kind, leaf: kind) { scene in
            let clients = try await scene.exchange()
            let near = clients[0]
            await near.connection.send("SUB back 7\r\nSUB in 8\r\n")
            for (question, count) in [("back", 2), ("work", 1), ("work g2", 1), ("work g3", 0), ("wo>", 0), ("*", 6)] {
                let size = question.utf8.count
                await near.connection.send("PUB $SYS.DEBUG.SUBSCRIBERS in \(size)\r\n\(question)\r\n")
                #expect(try await near.next().text == "\(count)", "\(question)")
            }
            for client in clients { client.connection.close() }
        }
    }
}
