import NATSTestSupport
import NATSWire
import Testing

/// What the monitoring pages show of accounts, on the official server and ours.
@Suite("monitoring of accounts")
struct AccountMonitoringTests {
    private static let text = """
        http: "127.0.0.1:-1"
        no_sys_acc: true
        mappings = { gm: "gn" }
        accounts {
          A { users: [{user: a, password: a}, {user: a2, password: a2}]
              mappings = { "m.*": [{destination: "n.$1", weight: 20}, {destination: "o.$1", weight: 30}], x: y } }
          B { users: [{user: b, password: b}] }
          C {}
        }

        """

    private func scene<Result: Sendable>(
        _ server: ServerUnderTest,
        _ body: (ConfiguredServer) async throws -> Result
    ) async throws -> Result {
        try await ConfiguredServer.with(server, Self.text) { server in
            let first = try await server.connect("a", ",\"name\":\"first\"")
            let second = try await server.connect("a2", ",\"name\":\"second\"")
            let other = try await server.connect("b", ",\"name\":\"other\"")
            try await first.flush("SUB foo 1\r\nSUB bar q 2\r\n")
            try await other.flush("SUB foo 1\r\nPUB foo.other 4\r\nabcd\r\n")
            await second.send("PUB foo 5\r\nhello\r\nPUB foo 0\r\n\r\nPUB none 2\r\nxx\r\n")
            try await first.expect("MSG foo 1 5\r\nhello\r\nMSG foo 1 0\r\n\r\n")
            try await second.expectNothing()
            let left = try await server.connect("b", ",\"name\":\"left\"")
            try await left.flush("SUB bye 1\r\n")
            left.close()
            try await eventually("the one that left is in the list") {
                try await server.fetch("/connz?state=closed").text.contains("\"total\": 1")
            }
            let result = try await body(server)
            withExtendedLifetime([first, second, other]) {}
            return result
        }
    }

    /// Lines that tell of a moment or a place.
    private static let volatile = [
        "server_id", "now", "update_time", "cid", "port", "start", "last_activity", "rtt", "uptime", "idle", "stop",
        "num_cache", "num_matches", "cache_hit_rate", "max_fanout", "avg_fanout", "num_inserts", "num_removes",
    ]

    /// The page with rows in an order of their own.
    private func page(_ server: ConfiguredServer, _ target: String) async throws -> [String] {
        let answer = try await server.fetch(target)
        var lines = ["\(answer.status)"]
        for line in answer.text.split(separator: "\n") {
            let isVolatile = Self.volatile.contains { line.contains("\"\($0)\": ") }
            // Trailing commas depend on the order.
            lines.append(isVolatile ? "…" : line.hasSuffix(",") ? String(line.dropLast()) : String(line))
        }
        return lines.sorted()
    }

    private static let targets = [
        "/accountz", "/accountz?acc=A", "/accountz?acc=C", "/accountz?acc=$G", "/accountz?acc=nobody", "/accstatz",
        "/accstatz?unused=1", "/connz", "/connz?auth=1", "/connz?acc=A&auth=1&subs=detail", "/connz?acc=B&state=any",
        "/connz?acc=B&state=closed&auth=1&subs=detail", "/connz?acc=C", "/connz?acc=$G", "/connz?acc=nobody",
        "/connz?user=a2&auth=1", "/subsz?subs=1", "/subsz?subs=1&acc=A", "/subsz?subs=1&acc=B", "/subsz?acc=nobody",
        "/subsz?subs=1&test=foo",
    ]

    @Test("pages show the same as the official server's", .timeLimit(.minutes(1)))
    func pages() async throws {
        var pages: [ServerUnderTest: [String: [String]]] = [:]
        for server in ServerUnderTest.available {
            pages[server] = try await self.scene(server) { server in
                var result: [String: [String]] = [:]
                for target in Self.targets { result[target] = try await self.page(server, target) }
                return result
            }
        }
        for (server, own) in pages where server != .official {
            for target in Self.targets where pages[.official] != nil {
                let theirs = pages[.official]?[target] ?? []
                #expect(own[target] == theirs, "\(server) \(target)")
            }
        }
    }
}
