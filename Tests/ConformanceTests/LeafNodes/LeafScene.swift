import NATSTestSupport
import NATSWire

/// A hub and a leaf node, as programs, each with an account of its own.
struct LeafScene {
    private static let hub = """
        leafnodes {
          listen: "127.0.0.1:-1", compression: off
          authorization { user: u, password: p, account: A, timeout: 60 }
        }
        accounts {
          A {
            users: [ {user: a, password: pw} ], exports: [ {stream: "given.>"} ]
            imports: [ {service: {account: SYS, subject: "$SYS.DEBUG.SUBSCRIBERS"}} ]
          }
          B { users: [ {user: b, password: pw} ], imports: [ {stream: {account: A, subject: "given.>"}, prefix: "got"} ] }
          SYS { users: [ {user: sys, password: pw} ], exports: [ {service: "$SYS.DEBUG.SUBSCRIBERS"} ] }
        }
        system_account: SYS
        """

    private static func leaf(_ port: Int) -> String {
        """
        leafnodes {
          reconnect: "100ms"
          remotes: [
            { url: "nats://u:p@127.0.0.1:\(port)", account: L, compression: off, deny_imports: ["x.>"], deny_exports: y }
          ]
        }
        accounts {
          L { users: [ {user: l, password: pw} ] }
          SYS { users: [ {user: sys, password: pw} ] }
        }
        system_account: SYS
        """
    }

    let nodes: [ClusterNode]

    /// Runs both, connected, then stops them.
    static func with(
        hub: ClusterNode.Kind,
        leaf: ClusterNode.Kind,
        _ body: (LeafScene) async throws -> Void
    ) async throws {
        var nodes: [ClusterNode] = []
        do {
            nodes.append(try await ClusterNode(hub, "HUB", Self.hub))
            nodes.append(try await ClusterNode(leaf, "LEAF", Self.leaf(nodes[0].leafNodePort)))
            let scene = LeafScene(nodes: nodes)
            try await eventually("the connection") {
                for index in 0..<2 {
                    guard try await scene.page("/leafz", of: index)["leafnodes"].text == "1" else { return false }
                }
                return true
            }
            try await body(scene)
        } catch {
            for node in nodes { await node.stop() }
            throw error
        }
        for node in nodes { await node.stop() }
    }

    /// A page with names instead of what is made up by a server.
    func page(_ target: String, of index: Int) async throws -> JSONValue {
        let text = try await self.nodes[index].page(target).text
        let parts = text.split(separator: "$LDS.", omittingEmptySubsequences: false).map(String.init)
        let named = ([parts[0]] + parts.dropFirst().map { "…" + $0.drop { $0.isLetter || $0.isNumber } })
        return try JSONValue.parse(Array(named.joined(separator: "$LDS.").utf8))
    }

    /// Ends the leaf node.
    func endLeafNode() async { await self.nodes[1].stop() }

    /// One client on each side, and what they have sent each other.
    func exchange() async throws -> [SystemClient] {
        let near = try await self.nodes[0].client("a", name: "near")
        let far = try await self.nodes[1].client("l", name: "far")
        try await near.connection.flush("SUB foo 1\r\nSUB bar.* 2\r\nSUB q g1 3\r\n")
        try await far.connection.flush("SUB back 1\r\nSUB work g2 2\r\n")
        try await eventually("interest on both sides") {
            let wanted = [["back", "work"], ["foo", "bar.*", "q"]]
            for index in 0..<2 {
                let leafs = try await self.page("/leafz?subs=1", of: index)["leafs"].elements
                let subjects = leafs.first?["subscriptions_list"].elements.map(\.text) ?? []
                guard wanted[index].allSatisfy(subjects.contains) else { return false }
            }
            return true
        }
        for _ in 0..<5 { await near.connection.send("PUB back 5\r\nhello\r\n") }
        await near.connection.send("HPUB back 18 19\r\nNATS/1.0\r\nA: b\r\n\r\nx\r\nPUB work 2\r\nqq\r\n")
        try await near.connection.flush("PUB nobody 3\r\nzzz\r\n")
        for _ in 0..<7 { _ = try await far.next() }
        try await far.connection.flush("PUB foo 7\r\nanswer!\r\nPUB q 1\r\n!\r\n")
        for _ in 0..<2 { _ = try await near.next() }
        return [near, far]
    }
}
