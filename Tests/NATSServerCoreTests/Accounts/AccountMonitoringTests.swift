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
          E { users: [{user: e, password: e}]
              exports: [{stream: "s.>"}, {stream: "t.*", account_token_position: 2}, {stream: p, accounts: [I]}
                {service: one}, {service: "q.*", accounts: [I], response_type: stream}
                {service: parts, response: chunked, threshold: "3s"}, {service: asked}] }
          I { users: [{user: i, password: i}]
              exports: [{service: "again.*"}]
              imports: [{stream: {account: E, subject: "s.>"}, prefix: pre}, {stream: {account: E, subject: p}, to: priv}
                {stream: {account: E, subject: "t.I"}}, {service: {account: E, subject: one}, share: true}
                {service: {account: E, subject: "q.*"}, to: "again.$1"}, {service: {account: E, subject: asked}}] }
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
            try await eventually("the one that left is in the list, and in no other") {
                let closed = try await server.fetch("/connz?state=closed").text
                // The last that the official server takes it out of (client.go closeConnection).
                let account = try await server.fetch("/accountz?acc=B").text
                return closed.contains("\"total\": 1") && account.contains("\"client_connections\": 1")
            }
            let more = ",\"headers\":true,\"no_responders\":true,\"name\":\"n\""
            let exporter = try await server.connect("e", more)
            let importer = try await server.connect("i", more)
            try await exporter.flush("SUB one 1\r\nSUB q.* 2\r\nSUB asked 3\r\n")
            await importer.send("SUB r 1\r\nSUB pre.s.> 2\r\nSUB priv 3\r\nSUB > w 4\r\nPUB one r 1\r\n1\r\n")
            await importer.send("PUB again.x r 1\r\n2\r\nHPUB asked r 19 19\r\nNATS/1.0\r\nB3: 1\r\n\r\n\r\n")
            try await importer.flushKeepingInput()
            try await exporter.flushKeepingInput()
            let result = try await body(server)
            withExtendedLifetime([exporter, importer, first, second, other]) {}
            return result
        }
    }

    /// Lines that tell of a moment or a place.
    private static let volatile = [
        "server_id", "now", "update_time", "cid", "port", "start", "last_activity", "rtt", "uptime", "idle", "stop",
        "num_cache", "num_matches", "cache_hit_rate", "max_fanout", "avg_fanout", "num_inserts", "num_removes",
        // The official server counts what it has written a moment after it wrote: a client that reads its PONG and
        // leaves may be shown with these bytes.
        "pending_bytes",
    ]

    /// A reply subject that the server has made.
    private static var ownReply: Regex<Substring> { /"_R_\.[A-Za-z0-9.>\\]*"/ }

    private static var requestBytes: Regex<Substring> { /bytes": 3[0-9][0-9]/ }

    /// The page with rows in an order of their own.
    private func page(_ server: ConfiguredServer, _ target: String) async throws -> [String] {
        let answer = try await server.fetch(target)
        var lines = ["\(answer.status)"]
        for line in answer.text.split(separator: "\n") {
            let isVolatile = Self.volatile.contains { line.contains("\"\($0)\": ") }
            // Trailing commas depend on the order.
            var line = line.replacing(Self.ownReply, with: "\"_R_…\"")
            // What the exporter got has round-trip times in it.
            line = line.replacing(Self.requestBytes, with: "bytes\": …")
            lines.append(isVolatile ? "…" : line.hasSuffix(",") ? String(line.dropLast()) : String(line))
        }
        return lines.sorted()
    }

    private static let targets = [
        "/accountz", "/accountz?acc=A", "/accountz?acc=C", "/accountz?acc=$G", "/accountz?acc=nobody", "/accstatz",
        "/accstatz?unused=1", "/connz", "/connz?auth=1", "/connz?acc=A&auth=1&subs=detail", "/connz?acc=B&state=any",
        "/connz?acc=B&state=closed&auth=1&subs=detail", "/connz?acc=C", "/connz?acc=$G", "/connz?acc=nobody",
        "/connz?user=a2&auth=1", "/subsz?subs=1", "/subsz?subs=1&acc=A", "/subsz?subs=1&acc=B", "/subsz?acc=nobody",
        "/subsz?subs=1&test=foo", "/accountz?acc=E", "/accountz?acc=I", "/subsz?subs=1&acc=E", "/subsz?subs=1&acc=I",
        "/subsz?subs=1&acc=E&test=s.x", "/connz?acc=E&auth=1&subs=detail", "/connz?acc=I&auth=1&subs=1&sort=subs",
        "/connz?acc=I&user=i&auth=1", "/connz?user=nobody&auth=1", "/connz?auth=1&sort=msgs_to",
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
