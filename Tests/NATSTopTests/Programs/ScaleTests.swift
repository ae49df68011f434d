import NATSTestSupport
import Testing

@Suite("nats-top and many connections", .serialized)
struct ScaleTests {
    private static let counts = TestDependencies.runsLongTests ? [0, 1, 1000, 10_000] : [0, 1, 1000]

    @Test("all connections are shown, however many", arguments: MonitoredServer.available, Self.counts)
    func connections(kind: MonitoredServer.Kind, count: Int) async throws {
        let directory = try TemporaryDirectory()
        let monitoring = try ReservedPort()
        let port = try ReservedPort()
        let file = try directory.write("http: \"127.0.0.1:\(monitoring.port)\"\n", to: "server.conf")
        let server = try MonitoredServer(kind, on: monitoring, arguments: ["-p", String(port.port), "-c", file])
        try await server.waitUntilReady()
        var connections: [RawConnection] = []
        for number in 0..<count {
            let connection = try RawConnection.connect(port: port.port)
            await connection.send("CONNECT {\"name\":\"c\(number)\"}\r\nSUB s.\(number) 1\r\nPING\r\n")
            connections.append(connection)
        }
        for connection in connections { _ = try await connection.read(until: "PONG\r\n") }
        let limit = max(count, 1)
        let grid = try await TopRun.run("-m \(monitoring.port) -n \(limit) -o - --timeout 60")
        #expect(grid.status == 0, "\(grid.errors)")
        #expect(grid.lines.contains("Connections Polled: \(count)"))
        #expect(grid.lines.count { $0.contains("  c") && $0.contains(" +0000 UTC") } == count)
        if Tmux.isAvailable {
            let script = "\"$TOP\" -m \(monitoring.port) -n \(limit) -d 0.5 --timeout 60; echo \"status $?\"; read line"
            let terminal = try await Tmux(script, columns: 100, rows: 30)
            try await terminal.wait(for: "Connections Polled: \(count)")
            try await terminal.press("End")
            if count > 30 { try await terminal.wait(for: "Row: \(count)") }
            try await terminal.press("q")
            try await terminal.wait(for: "status 0")
            await terminal.close()
        }
        for connection in connections { connection.close() }
        await server.stop()
    }
}
