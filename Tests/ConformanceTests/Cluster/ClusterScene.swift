import NATSTestSupport
import NATSWire

/// Servers that are one cluster, with accounts of which one offers a service.
struct ClusterScene {
    static let accounts = """
        system_account: SYS
        accounts {
          SYS { users: [ {user: sys, password: pw} ] }
          A {
            users: [ {user: a, password: pw} ]
            exports: [ {service: svc, latency: {sampling: 100, subject: lat}}, {service: other} ]
          }
          B { users: [ {user: b, password: pw} ], imports: [ {service: {account: A, subject: svc}} ] }
          L { users: [ {user: l, password: pw} ], limits: {max_connections: 2} }
        }
        """

    let nodes: [ClusterNode]

    /// Runs a cluster whose servers know each other, then stops it.
    static func with(
        _ kinds: [ClusterNode.Kind],
        accounts: String = Self.accounts,
        _ body: (ClusterScene) async throws -> Void
    ) async throws {
        var nodes: [ClusterNode] = []
        do {
            for (index, kind) in kinds.enumerated() {
                let more = "server_tags: [\"az:\(index)\", \"all\"]\n\(accounts)"
                let name = ["one", "two", "three"][index]
                let routes = nodes.first.map { "nats-route://127.0.0.1:\($0.clusterPort)" } ?? ""
                let cluster = "name: C1, listen: \"127.0.0.1:-1\", routes: [\(routes)]"
                nodes.append(try await ClusterNode(kind, name, cluster: cluster, more))
            }
            let scene = ClusterScene(nodes: nodes)
            try await scene.waitUntilWhole()
            try await body(scene)
        } catch {
            for node in nodes { await node.stop() }
            throw error
        }
        for node in nodes { await node.stop() }
    }

    /// Every pair has its three connections, and one for the system account.
    private func waitUntilWhole() async throws {
        let others = self.nodes.count - 1
        try await eventually("all routes") {
            for node in self.nodes {
                let varz = try JSONValue.parse(try await node.page("/varz").body)
                guard varz["remotes"].text == "\(others)", varz["routes"].text == "\(others * 4)" else { return false }
                let routes = try JSONValue.parse(try await node.page("/routez").body)["routes"].elements
                // Interest in the system account, of which there is much, has come.
                let system = routes.filter { $0["account"].text == "SYS" }
                guard system.allSatisfy({ Self.number($0["subscriptions"]) > 50 }) else { return false }
            }
            return true
        }
    }

    static func number(_ value: JSONValue) -> Int { Int(value.text) ?? 0 }

    /// Names instead of the identities of servers.
    func normal(_ text: String) async throws -> String {
        var text = text
        for node in self.nodes {
            let id = try JSONValue.parse(try await node.page("/varz").body)["server_id"].text
            text = text.replacing(id, with: "<\(node.name)>")
        }
        return text
    }

    /// A page with names instead of identities, and without what depends on when it was asked for.
    func page(_ target: String, of index: Int) async throws -> JSONValue {
        let answer = try await self.nodes[index].page(target)
        return try JSONValue.parse(Array(try await self.normal(answer.text).utf8))
    }

    /// Identity of a server.
    func id(of index: Int) async throws -> String {
        try JSONValue.parse(try await self.nodes[index].page("/varz").body)["server_id"].text
    }

    // MARK: Traffic

    /// Two clients of one account on the first two servers, and what they have sent each other.
    func exchange() async throws -> [SystemClient] {
        let alpha = try await self.nodes[0].client("a", name: "alpha")
        let beta = try await self.nodes[1].client("a", name: "beta")
        try await alpha.connection.flush("SUB foo 1\r\nSUB bar.* 2\r\nSUB q g1 3\r\n")
        try await beta.connection.flush("SUB back 1\r\n")
        try await eventually("interest on both sides") {
            let first = try await self.page("/subsz?acc=A", of: 0)
            let second = try await self.page("/subsz?acc=A", of: 1)
            return first["num_subscriptions"].text == "8" && second["num_subscriptions"].text == "8"
        }
        for _ in 0..<5 { await beta.connection.send("PUB foo 5\r\nhello\r\n") }
        await beta.connection.send("HPUB foo 18 19\r\nNATS/1.0\r\nA: b\r\n\r\nx\r\nPUB q 2\r\nqq\r\n")
        try await beta.connection.flush("PUB nobody 3\r\nzzz\r\n")
        for _ in 0..<7 { _ = try await alpha.next() }
        try await alpha.connection.flush("PUB back 7\r\nanswer!\r\n")
        _ = try await beta.next()
        return [alpha, beta]
    }
}
