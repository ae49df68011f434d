import NATSTestSupport
import Testing

/// nats-top and three servers that are one cluster.
@Suite("nats-top and a cluster")
struct ClusterProgramTests {
    private struct Node {
        var name: String
        var server: MonitoredServer
        var monitoring: ReservedPort
        var client: ReservedPort
    }

    private func start(
        _ kind: MonitoredServer.Kind,
        _ name: String,
        cluster: Int,
        listen: Int,
        in directory: TemporaryDirectory
    ) throws -> Node {
        let monitoring = try ReservedPort()
        let client = try ReservedPort()
        let text = """
            server_name: \(name)
            http: "127.0.0.1:\(monitoring.port)"
            cluster { name: C1, listen: "127.0.0.1:\(listen)", routes: ["nats://127.0.0.1:\(cluster)"] }
            system_account: SYS
            accounts { SYS { users: [ {user: sys, password: pw} ] } }

            """
        let file = try directory.write(text, to: "\(name).conf")
        let arguments = ["-p", String(client.port), "-c", file]
        let server = try MonitoredServer(kind, on: monitoring, arguments: arguments)
        return Node(name: name, server: server, monitoring: monitoring, client: client)
    }

    private func withCluster(_ kind: MonitoredServer.Kind, _ body: ([Node]) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        let cluster = try ReservedPort()
        let nodes = try ["one", "two", "three"].enumerated().map { index, name in
            try self.start(kind, name, cluster: cluster.port, listen: index == 0 ? cluster.port : -1, in: directory)
        }
        for node in nodes { try await node.server.waitUntilReady() }
        let first = try #require(nodes.first)
        try await eventually("routes between all") {
            let run = try await TopRun.run("-m \(first.monitoring.port) --view routes --json -r 1")
            return ["two", "three"].allSatisfy { run.output.contains(#""name":"\#($0)""#) }
        }
        try await body(nodes)
        for node in nodes { await node.server.stop() }
    }

    @Test(
        "several -s, routes without a known port, and requests on $SYS show all servers",
        arguments: MonitoredServer.available
    )
    func rows(kind: MonitoredServer.Kind) async throws {
        try await self.withCluster(kind) { nodes in
            let ports = nodes.map { "127.0.0.1:\($0.monitoring.port)" }
            let all = try await TopRun.run(
                "-s \(ports[0]),\(ports[1]) -s \(ports[2]) --view cluster --batch -r 2 -d 0.1"
            )
            #expect(all.status == 0 && all.errors.isEmpty, "\(all.errors)")
            #expect(all.output.contains("Servers: 3  Cluster: C1"), "\(all.output)")
            for node in nodes {
                #expect(all.lines.contains { $0.hasPrefix("  \(node.name) ") && $0.contains(" up ") }, "\(all.output)")
            }
            // Their ports are others than the one that is known: the routes alone tell of them.
            let one = try await TopRun.run("-s \(ports[0]) --view cluster --batch -r 1")
            #expect(one.output.contains("Servers: 3, 2 without pages"), "\(one.output)")
            #expect(
                one.lines.contains { $0.hasPrefix("  two ") && $0.contains("no pages at 127.0.0.1:") },
                "\(one.output)"
            )
            // The first one is dead: the next one is shown.
            let dead = try ReservedPort()
            let next = try await TopRun.run("-s 127.0.0.1:\(dead.port),\(ports[1]) --view cluster --batch -r 1")
            #expect(next.status == 0 && next.output.contains("Server: two"), "\(next.output) \(next.errors)")
            #expect(next.lines.contains { $0.contains("127.0.0.1:\(dead.port)") && $0.contains("connection refused") })
            let system = "-s nats://127.0.0.1:\(nodes[0].client.port) --user sys --password pw"
            let asked = try await TopRun.run("\(system) --view cluster --batch -r 2 -d 0.1")
            #expect(asked.output.contains("Servers: 3  Cluster: C1"), "\(asked.output) \(asked.errors)")
            for node in nodes { #expect(asked.lines.contains { $0.hasPrefix("  \(node.name) ") }, "\(asked.output)") }
        }
    }

    #if os(Linux)
    @Test(
        "other servers are found at the hosts that a server knows, at the same port",
        arguments: MonitoredServer.available
    )
    func discovery(kind: MonitoredServer.Kind) async throws {
        let directory = try TemporaryDirectory()
        let (cluster, monitoring, client) = (try ReservedPort(), try ReservedPort(), try ReservedPort())
        let servers = try (1...3).map { number in
            let host = "127.0.0.\(number)"
            let text = """
                listen: "\(host):\(client.port)"
                http: "\(host):\(monitoring.port)"
                server_name: s\(number)
                cluster { name: C1, listen: "\(host):\(cluster.port)", routes: ["nats://127.0.0.1:\(cluster.port)"] }

                """
            let file = try directory.write(text, to: "\(number).conf")
            return try ChildProcess(kind.path(), ["-c", file])
        }
        let top = "-m \(monitoring.port) --view cluster --sort -name --columns name,host,state --batch -r 1"
        var last = ""
        try await eventually("three servers, in \(last)") {
            let run = try await TopRun.run(top)
            last = run.output + run.errors
            let rows = run.lines.filter { $0.contains(":\(monitoring.port)") && $0.contains(" up") }
            return run.output.contains("Servers: 3  Cluster: C1") && rows.count == 3
                && zip(rows, ["s3", "s2", "s1"]).allSatisfy { $0.hasPrefix("  \($1) ") }
        }
        for server in servers { await server.stop() }
    }

    @Test(
        "a server that belongs to nobody's cluster is not taken in where one of the cluster was looked for",
        arguments: MonitoredServer.available
    )
    func stranger(kind: MonitoredServer.Kind) async throws {
        let directory = try TemporaryDirectory()
        let (cluster, monitoring) = (try ReservedPort(), try ReservedPort())
        let texts = try [
            """
            listen: "127.0.0.1:\(ReservedPort().port)"
            http: "127.0.0.1:\(monitoring.port)"
            server_name: s1
            cluster { name: C1, listen: "127.0.0.1:\(cluster.port)", routes: [] }

            """,
            """
            listen: "127.0.0.2:\(ReservedPort().port)"
            server_name: s2
            cluster { name: C1, listen: "127.0.0.2:-1", routes: ["nats://127.0.0.1:\(cluster.port)"] }

            """,
            """
            listen: "127.0.0.2:\(ReservedPort().port)"
            http: "127.0.0.2:\(monitoring.port)"
            server_name: stranger

            """,
        ]
        let servers = try texts.enumerated().map { number, text in
            let file = try directory.write(text, to: "\(number).conf")
            return try ChildProcess(kind.path(), ["-c", file])
        }
        var last = ""
        try await eventually("a stranger that answers") {
            try await TopRun.run("-s 127.0.0.2 -m \(monitoring.port) --batch -r 1").output.contains("stranger")
        }
        try await eventually("the second server, in \(last)") {
            let run = try await TopRun.run("-m \(monitoring.port) --view cluster --batch -r 2 -d 0.1")
            last = run.output + run.errors
            return run.output.contains("Servers: 2, 1 without pages") && run.output.contains("no pages at ")
        }
        #expect(!last.contains("stranger"), "\(last)")
        for server in servers { await server.stop() }
    }
    #endif

    @Test(
        "on the screen, Enter shows another server, and one that dies is lost",
        .enabled(if: Tmux.isAvailable),
        arguments: MonitoredServer.available,
        [true, false]
    )
    func screen(kind: MonitoredServer.Kind, isSystem: Bool) async throws {
        try await self.withCluster(kind) { nodes in
            let pages = nodes.map { "127.0.0.1:\($0.monitoring.port)" }.joined(separator: ",")
            let source = isSystem ? "nats://sys:pw@127.0.0.1:\(nodes[0].client.port)" : pages
            let script = """
                "$TOP" -s '\(source)' -d 0.5 --view cluster
                echo "status $?"
                read line
                """
            let terminal = try await Tmux(script, columns: 120, rows: 30)
            do {
                try await terminal.wait(for: "three servers") { text in
                    text.contains("Servers: 3  Cluster: C1") && text.contains("Server: one")
                        && nodes.allSatisfy { text.contains(" \($0.name) ") }
                }
                // By name: one, three, two.
                try await terminal.press("Down")
                try await terminal.press("Enter")
                try await terminal.wait(for: "the third server") {
                    $0.contains("Server: three") && $0.contains("Connections Polled: ")
                }
                try await terminal.press("9")
                try await terminal.wait(for: "Servers: 3")
                await nodes[1].server.stop()
                try await terminal.wait(for: "a loss") {
                    $0.contains("Servers: 3, 1 lost") && $0.contains("! two ") && $0.contains("Server: three")
                }
                await nodes[2].server.stop()
                try await terminal.wait(for: "the loss of the one that is shown") {
                    $0.contains("Servers: 3, 2 lost") && $0.contains("LOST ")
                }
                try await terminal.press("q")
                try await terminal.wait(for: "status 0")
            } catch {
                await terminal.close()
                throw error
            }
            await terminal.close()
        }
    }
}
