import NATSTestSupport
import Testing

@Suite("nats-top on a terminal", .enabled(if: Tmux.isAvailable))
struct ScreenProgramTests {
    /// A script that shows what the terminal was before and after, and how nats-top ended.
    private func script(_ arguments: String) -> String {
        """
        cd "$DIR"
        trap : INT
        echo 'text from before'
        stty -a >before
        sh -c 'echo $$ >pid; exec "$0" "$@"' "$TOP" \(arguments)
        echo "status $?"
        stty -a >after
        echo done
        read line
        """
    }

    private func withTop(
        _ server: ServerUnderTest,
        columns: Int = 80,
        rows: Int = 24,
        arguments: String = "",
        _ body: (Tmux, RunningServer) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.monitoring = true
        try await server.withServer(configuration) { server in
            let port = try #require(server.monitoringPort)
            let script = self.script("-m \(port) -d 0.2 \(arguments)")
            let terminal = try await Tmux(script, columns: columns, rows: rows)
            do {
                try await body(terminal, server)
            } catch {
                await terminal.close()
                throw error
            }
            await terminal.close()
        }
    }

    @Test(
        "each key does what the help says",
        arguments: [ServerUnderTest.official, .ours].filter(ServerUnderTest.available.contains)
    )
    func keys(server: ServerUnderTest) async throws {
        try await self.withTop(server, columns: 120) { terminal, server in
            let alpha = try await server.connect(options: #"{"name":"alpha","lang":"test"}"#)
            let beta = try await server.connect(options: #"{"name":"bêta 日本","lang":"test"}"#)
            await beta.send("SUB orders.* workers 7\r\nSUB x.> 8\r\nPING\r\n")
            _ = try await beta.read(until: "PONG\r\n")
            try await terminal.wait(for: "a screen with both") {
                $0.contains("NATS server version 2.15.1 (uptime: ") && $0.contains("Connections Polled: 2")
                    && $0.contains(" alpha ") && $0.contains("bêta 日本") && $0.contains("1 Connections")
            }
            try await terminal.press("?")
            try await terminal.wait(for: "arrows, select a row") { $0.contains("select a row, scroll columns") }
            try await terminal.press("x")
            try await terminal.wait(for: "Connections Polled: 2")
            // Order, filter, limit.
            try await terminal.press("o")
            try await terminal.wait(for: "sort by [cid]:")
            try await terminal.type("subs")
            try await terminal.press("Enter")
            try await terminal.wait(for: "the one with subscriptions first") { text in
                guard text.contains("Sort: subs down"), let first = text.firstRange(of: "bêta"),
                    let second = text.firstRange(of: " alpha ")
                else { return false }
                return first.lowerBound < second.lowerBound
            }
            try await terminal.press("o")
            try await terminal.type("xyz")
            try await terminal.wait(for: "sort by [subs]: xyz")
            try await terminal.press("Enter")
            try await terminal.wait(for: "the end of the prompt") { !$0.contains("sort by") }
            try await terminal.press("o")
            try await terminal.wait(for: "sort by [subs]:")
            try await terminal.type("q ")
            try await terminal.wait(for: "sort by [subs]: q")
            try await terminal.press("Escape")
            try await terminal.wait(for: "no prompt") { !$0.contains("sort by") }
            try await terminal.press("f")
            try await terminal.type("name:日本")
            try await terminal.press("Enter")
            try await terminal.wait(for: "one row") { $0.contains("Shown: 1") && !$0.contains(" alpha ") }
            try await terminal.press("Escape")
            try await terminal.wait(for: " alpha ")
            try await terminal.press("n")
            try await terminal.wait(for: "limit   [1024]:")
            try await terminal.type("1")
            try await terminal.press("Enter")
            try await terminal.wait(for: "Connections Polled: 1 of 2")
            try await terminal.press("n")
            try await terminal.type("1024")
            try await terminal.press("Enter")
            try await terminal.wait(for: "Connections Polled: 2")
            // Numbers, pause.
            try await terminal.press("Space")
            try await terminal.wait(for: "MSGS_TO/S")
            try await terminal.press("Space")
            try await terminal.wait(for: "totals") { !$0.contains("MSGS_TO/S") }
            try await terminal.press("p")
            try await terminal.wait(for: "PAUSED")
            try await terminal.press("p")
            try await terminal.wait(for: "no pause") { !$0.contains("PAUSED") }
            try await terminal.press("b", "d", "s", "c")
            try await terminal.wait(for: "columns (a,b or +a,-b):")
            try await terminal.type("host,subscriptions")
            try await terminal.press("Enter")
            try await terminal.wait(for: "chosen columns") { $0.contains("SUBSCRIPTIONS") && $0.contains("orders.*") }
            // Views.
            try await terminal.press("Enter")
            try await terminal.wait(for: "the selected connection's subscriptions") {
                $0.contains("Subscriptions of ") && $0.contains("workers") && $0.contains("x.>")
            }
            // What follows an escape at once belongs to it.
            try await terminal.press("Escape")
            try await terminal.wait(for: "Connections Polled: 2")
            for (key, text) in [
                ("2", "Connections Closed: "), ("3", "Routes: 0"), ("4", "Accounts: "), ("6", "Max payload"),
                ("7", "JetStream is not enabled"), ("8", "Msgs in/s"), ("1", "Connections Polled: 2"),
            ] {
                try await terminal.press(key)
                try await terminal.wait(for: text)
            }
            try await terminal.press("Tab")
            try await terminal.wait(for: "Connections Closed: ")
            try await terminal.press("BTab")
            try await terminal.wait(for: "Connections Polled: 2")
            try await terminal.press("Down", "Up", "Right", "Left", "PageDown", "PageUp", "Home", "End", "C-l", "F5")
            try await terminal.press("q")
            try await terminal.wait(for: "done")
            alpha.close()
            beta.close()
        }
    }

    @Test("q gives the terminal back as it was")
    func quit() async throws {
        try await self.withTop(.ours) { terminal, _ in
            try await terminal.wait(for: "Connections Polled: 0")
            #expect(try await !terminal.text().contains("text from before"))
            try await terminal.press("q")
            try await terminal.wait(for: "done")
            let screen = try await terminal.screen()
            #expect(screen.first == "text from before")
            #expect(screen.contains("status 0"))
            #expect(terminal.file("before") == terminal.file("after"))
            #expect(!terminal.file("before").isEmpty)
        }
    }

    @Test("^C and SIGTERM give the terminal back, and kill", arguments: [("C-c", "status 130"), ("", "status 143")])
    func signals(key: String, status: String) async throws {
        try await self.withTop(.ours) { terminal, _ in
            try await terminal.wait(for: "Connections Polled: 0")
            if key.isEmpty {
                try await terminal.signal("TERM", file: "pid")
            } else {
                try await terminal.press(key)
            }
            try await terminal.wait(for: status)
            try await terminal.wait(for: "text from before")
            try await terminal.wait(for: "done")
            #expect(terminal.file("before") == terminal.file("after"))
        }
    }

    @Test("another size is drawn at once, however small or large")
    func resize() async throws {
        try await self.withTop(.ours, columns: 100, rows: 30, arguments: "-d 60") { terminal, server in
            try await terminal.wait(for: "1 Conns")
            for (columns, rows, text) in [
                (80, 24, "8 Graphs"), (200, 50, "LAST_ACTIVITY"), (40, 10, "NATS 2.15.1 up"), (20, 3, "NATS 2.15.1 up"),
                (1, 1, ""), (3000, 1200, "LAST_ACTIVITY"), (80, 24, "8 Graphs"),
            ] {
                try await terminal.resize(columns: columns, rows: rows)
                try await terminal.wait(for: "a screen of \(columns)x\(rows)") { screen in
                    let lines = screen.split(separator: "\n", omittingEmptySubsequences: false)
                    guard lines.count >= rows, text.isEmpty || screen.contains(text) else { return false }
                    // No more is drawn than a screen may have.
                    let rows = min(rows, 512)
                    // The footer is the last line where there is one.
                    return rows < 16 || lines[rows - 1].contains("  ? help")
                }
            }
            // The next poll is far away: nothing but the size made it draw.
            try await terminal.press("q")
            try await terminal.wait(for: "status 0")
        }
    }

    @Test("a server that dies and comes again is lost and found", arguments: MonitoredServer.available)
    func restart(kind: MonitoredServer.Kind) async throws {
        let reserved = try ReservedPort()
        let first = try MonitoredServer(kind, on: reserved)
        try await first.waitUntilReady()
        let terminal = try await Tmux(self.script("-m \(reserved.port) -d 0.2"), columns: 100, rows: 40)
        do {
            try await terminal.wait(for: "Connections Polled: 0")
            await first.stop()
            try await terminal.wait(for: "a loss") {
                $0.contains("LOST ") && $0.contains("/varz\": ") && $0.contains("NATS server version 2.15.1")
            }
            let second = try MonitoredServer(kind, on: reserved)
            try await second.waitUntilReady()
            try await terminal.wait(for: "the server") { $0.contains("Connections Polled: 0") && !$0.contains("LOST") }
            try await terminal.press("6")
            try await terminal.wait(for: "1 seen")
            await second.stop()
            try await terminal.press("q")
            try await terminal.wait(for: "status 0")
        } catch {
            await terminal.close()
            throw error
        }
        await terminal.close()
    }

    @Test("a recording plays on the screen")
    func replay() async throws {
        let server = try BadServer([.answer(Fixture.varz()), .answer(Fixture.connz())])
        let run = try TopRun("-m \(server.port) -o - --record rounds")
        #expect(try await run.result().status == 0)
        let terminal = try await Tmux(self.script("--replay '\(run.path)/rounds'"), columns: 120, rows: 24)
        try await terminal.wait(for: "the recorded connections") {
            $0.contains("Connections Polled: 4") && $0.contains("日本 ünï") && $0.contains("(recording)")
        }
        try await terminal.press("q")
        try await terminal.wait(for: "status 0")
        await terminal.close()
    }

    @Test("without UTF-8, without colours and without a known terminal")
    func plainTerminals() async throws {
        let server = try BadServer(
            [.answer(Fixture.varz()), .answer(Fixture.connz()), .answer(Fixture.varz()), .answer(Fixture.connz())]
        )
        let script = """
            cd "$DIR"
            TERM=nonsense "$TOP" -m \(server.port) 2>errors; echo "status $?" >status
            LC_ALL=C TERM=vt100 NO_COLOR=1 "$TOP" -m \(server.port) -d 60; echo "end $?"; read line
            """
        let terminal = try await Tmux(script, columns: 120, rows: 24)
        try await terminal.wait(for: "both") { $0.contains("Connections Polled: 4") && $0.contains("???? ?n?") }
        try await terminal.press("q")
        try await terminal.wait(for: "end 0")
        #expect(terminal.file("errors").hasPrefix("nats-top: the terminal's type (TERM) is not known here"))
        #expect(terminal.file("status") == "status 1\n")
        await terminal.close()
    }
}
