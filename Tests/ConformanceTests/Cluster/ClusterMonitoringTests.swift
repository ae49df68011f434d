import NATSTestSupport
import NATSWire
import Testing

/// The monitoring pages of two servers that are one cluster and have traffic, of official servers and of ours.
@Suite("monitoring of a cluster", .enabled(if: ServerUnderTest.available.contains(.official)))
struct ClusterMonitoringTests {
    static let targets = [
        "/routez", "/routez?subs=1", "/routez?subs=detail", "/varz", "/accstatz?unused=1", "/subsz?acc=A",
        "/subsz?acc=A&subs=1", "/subsz?acc=B&subs=1", "/accountz?acc=A", "/connz?acc=A&subs=detail&auth=1", "/healthz",
        "/leafz", "/gatewayz", "/jsz",
    ]

    @Test(
        "every page that tells of routes is filled as the official one",
        arguments: [[ClusterNode.Kind.ours, .ours], [.official, .ours], [.ours, .official]]
    )
    func pages(kinds: [ClusterNode.Kind]) async throws {
        try await ClusterScene.with([.official, .official]) { official in
            try await ClusterScene.with(kinds) { scene in
                let theirs = try await official.exchange()
                let ours = try await scene.exchange()
                for index in 0..<2 {
                    for target in Self.targets {
                        let isOurs = kinds[index] == .ours
                        let expected = ClusterPage.normal(try await official.page(target, of: index), target, isOurs)
                        let actual = ClusterPage.normal(try await scene.page(target, of: index), target, isOurs)
                        let problems = MonitoringComparison.problems(expected, actual, target: target)
                        let what: Comment = "\(kinds) \(target) of \(index): \(problems.joined(separator: "; "))"
                        #expect(problems.isEmpty, what)
                    }
                }
                for client in theirs + ours { client.connection.close() }
            }
        }
    }

    @Test(
        "the cluster part of /varz is as the official one, whatever is configured",
        arguments: [
            #"name: C2, listen: "127.0.0.1:-1", pool_size: -1"#,
            #"name: C2, listen: "127.0.0.1:-1", pool_size: 5, accounts: [A], no_advertise: true"#,
            #"listen: "127.0.0.1:-1", authorization { user: u, password: p, timeout: 1.5 }"#,
            """
            name: C2, listen: "127.0.0.1:-1", advertise: "localhost:7000", connect_retries: 3
            routes: ["nats-route://user:secret@localhost:1", "nats://127.0.0.1:2"]
            """,
        ]
    )
    func options(cluster: String) async throws {
        func block(_ kind: ClusterNode.Kind) async throws -> JSONValue {
            let node = try await ClusterNode(kind, "one", cluster: cluster, ClusterScene.accounts)
            let body = try await node.page("/varz").body
            await node.stop()
            return try JSONValue.parse(body)["cluster"]
        }
        let (theirs, ours) = (try await block(.official), try await block(.ours))
        #expect(theirs.keys == ours.keys, "\(theirs) \(ours)")
        for key in theirs.keys where key != "cluster_port" && (key != "name" || cluster.contains("name:")) {
            #expect(theirs[key] == ours[key], "\(key)")
        }
    }

    @Test("routes have figures of their own, and are no clients", arguments: [ClusterNode.Kind.official, .ours])
    func figures(kind: ClusterNode.Kind) async throws {
        try await ClusterScene.with([kind, kind]) { scene in
            let clients = try await scene.exchange()
            let routes = try await scene.page("/routez?subs=detail", of: 1)["routes"].elements
            let own = try #require(routes.first { $0["subscriptions"].text == "3" && $0["account"] == .null })
            #expect(own["out_msgs"].text == "7" && own["out_bytes"].text == "46")
            #expect(own["in_msgs"].text == "1" && own["in_bytes"].text == "7")
            let counts = own["subscriptions_list_detail"].elements.map { "\($0["subject"].text) \($0["msgs"].text)" }
            #expect(Set(counts) == ["foo 6", "bar.* 0", "q 1"])
            let varz = try await scene.page("/varz", of: 1)
            #expect(varz["in_client_msgs"].text == "8" && varz["out_client_msgs"].text == "1", "\(varz)")
            #expect(ClusterScene.number(varz["out_msgs"]) >= 8 && ClusterScene.number(varz["in_msgs"]) >= 9, "\(varz)")
            for client in clients { client.connection.close() }
        }
    }
}

/// Pages without what nobody can foresee: how often servers have told each other how they are.
enum ClusterPage {
    private static let traffic: Set<String> = ["in_msgs", "in_bytes", "out_msgs", "out_bytes"]

    // The sids of routes count where `hasSids`. An official server gives them an older form where the peer does not say `lnoc`.
    static func normal(_ page: JSONValue, _ target: String, _ hasSids: Bool) -> JSONValue {
        var page = page
        if target == "/varz" {
            // The official server has more subscriptions of its own, also in accounts that nobody uses.
            page = page.replacing(Self.traffic.union(["subscriptions", "connect_urls", "cluster_port", "urls"]))
        }
        if target.hasPrefix("/routez") {
            page = page.mapping("routes") { route in
                guard route["account"].text == "SYS" else { return route.replacing(["rid", "cid"]) }
                return route.replacing(Self.traffic.union(["rid", "cid", "msgs"]))
            }
            if !hasSids { page = page.replacing(["sid"]) }
        }
        if target.hasPrefix("/accstatz") {
            page = page.filtering("account_statz") { ["A", "B", "L"].contains($0["acc"].text) }
        }
        if target.hasPrefix("/accountz"), case .object(var members) = page {
            for (index, member) in members.enumerated() where member.key == "account_detail" {
                members[index].value = member.value.sorting(["imports", "exports"])
            }
            page = .object(members)
        }
        // Which of its own subscriptions a server made first.
        if target.hasPrefix("/subsz") { page = page.replacing(["sid"]) }
        return page
    }
}

extension JSONValue {
    /// Members with these names, wherever they stand, without a value that counts; lists of texts lose their texts.
    func replacing(_ names: Set<String>) -> JSONValue {
        switch self {
        case .object(let members):
            .object(
                members.map { member in
                    guard names.contains(member.key) else { return (member.key, member.value.replacing(names)) }
                    if case .array(let elements) = member.value {
                        return (member.key, .array(elements.map { _ in .string("") }))
                    }
                    return (member.key, .string("…"))
                }
            )
        case .array(let elements): .array(elements.map { $0.replacing(names) })
        default: self
        }
    }

    fileprivate func mapping(_ name: String, _ body: (JSONValue) -> JSONValue) -> JSONValue {
        self.changing(name) { $0.map(body) }
    }

    fileprivate func filtering(_ name: String, _ body: (JSONValue) -> Bool) -> JSONValue {
        self.changing(name) { elements in
            elements.filter(body).sorted { $0["acc"].text < $1["acc"].text }
        }
    }

    fileprivate func sorting(_ names: Set<String>) -> JSONValue {
        names.reduce(self) { value, name in
            value.changing(name) { elements in elements.sorted { "\($0)" < "\($1)" } }
        }
    }

    private func changing(_ name: String, _ body: ([JSONValue]) -> [JSONValue]) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(
            members.map { member in
                guard member.key == name, case .array(let elements) = member.value else { return member }
                return (member.key, .array(body(elements)))
            }
        )
    }
}
