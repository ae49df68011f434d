import NATSTestSupport
import Testing

/// Each line of section 9 of what the old documents promise: options, header, totals and rates, columns, keys, example.
@Suite("nats-top as the old documents describe it (section 9)", .enabled(if: Tmux.isAvailable), .timeLimit(.minutes(3)))
struct OldDocumentTests {
    @Test(
        "nats-top -s server -m monitor -n num_connections -d delay_in_secs -sort by",
        arguments: ServerUnderTest.both
    )
    func screen(kind: ServerUnderTest) async throws {
        var configuration = ServerConfiguration()
        configuration.monitoring = true
        try await kind.withServer(configuration) { server in
            let port = try #require(server.monitoringPort)
            var connections: [RawConnection] = []
            for (name, count) in [("few", 1), ("many", 3)] {
                let connection = try await server.connect(options: #"{"name":"\#(name)","lang":"go","version":"1.2"}"#)
                for number in 1...count { await connection.send("SUB \(name).\(number) \(number)\r\n") }
                await connection.send("PING\r\n")
                _ = try await connection.read(until: "PONG\r\n")
                connections.append(connection)
            }
            let terminal = try await Tmux(
                "\"$TOP\" -s 127.0.0.1 -m \(port) -n 1 -d 1 -sort subs; echo \"status $?\"; read line",
                columns: 250,
                rows: 40
            )
            do {
                try await self.look(terminal)
                // What the monitoring answers is not there at once: the prompt's limit and order come with a later poll.
                try await terminal.press("n")
                try await terminal.wait(for: "limit   [1]:")
                try await terminal.type("1024")
                try await terminal.press("Enter")
                try await terminal.wait(for: "both connections") { $0.contains(" few ") && $0.contains(" many ") }
                try await terminal.press("o")
                try await terminal.wait(for: "sort by [subs]:")
                try await terminal.type("cid")
                try await terminal.press("Enter")
                try await terminal.wait(for: "Sort: cid")
                try await terminal.press("s")
                try await terminal.wait(for: "the subscriptions") {
                    $0.contains("SUBSCRIPTIONS") && $0.contains("many.3")
                }
                try await terminal.press("?")
                try await terminal.wait(for: "select a row, scroll columns")
                try await terminal.press("x")
                try await terminal.wait(for: "Connections Polled: 2")
                try await terminal.press("q")
                try await terminal.wait(for: "status 0")
            } catch {
                await terminal.close()
                throw error
            }
            await terminal.close()
            for connection in connections { connection.close() }
        }
    }

    /// The header, and `-n 1 -sort subs`: the connection with the most subscriptions.
    private func look(_ terminal: Tmux) async throws {
        try await terminal.wait(for: "the connection with the most subscriptions") {
            $0.contains(" many ") && !$0.contains(" few ") && $0.contains("Connections Polled: 1")
        }
        let lines = try await terminal.screen()
        func line(_ beginning: String) -> String {
            lines.first { $0.drop { $0 == " " }.hasPrefix(beginning) } ?? "no line \(beginning) in \(lines)"
        }
        #expect(line("NATS server version").contains("NATS server version 2.15.1 (uptime: "))
        for word in ["CPU: ", "Memory: ", "Slow Consumers: 0"] { #expect(line("Load:").contains(word)) }
        for direction in ["In:", "Out:"] {
            for word in ["Msgs: ", "Bytes: ", "Msgs/Sec: ", "Bytes/Sec: "] { #expect(line(direction).contains(word)) }
        }
        let columns = "HOST CID SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM LANG VERSION".split(separator: " ")
        var rest = line("HOST").split(separator: " ")[...]
        for column in columns {
            rest = rest.drop { $0 != column }.dropFirst()
            #expect(!rest.isEmpty, "\(column) is missing, or not in its place")
        }
    }
}
