import NATSTestSupport
import Testing

/// The terminal in bad moments: stopped, stuck, or with a key that is none.
@Suite("nats-top gives the terminal back", .enabled(if: Tmux.isAvailable))
struct TerminalTests {
    private static let start = #"sh -c 'echo $$ >pid; exec "$0" "$@"' "$TOP""#

    private func withTerminal(
        _ script: (Int) -> String,
        replies: [BadServer.Reply] = [
            .answer(Fixture.varz()), .answer(Fixture.connz()), .answer(Fixture.varz()),
        ],
        _ body: (Tmux, BadServer) async throws -> Void
    ) async throws {
        let server = try BadServer(replies)
        let text = """
            cd "$DIR"
            set -m
            echo 'text from before'
            stty -a >before
            \(script(server.port))
            echo "status $?"
            stty -a >after
            echo done
            read line

            """
        let terminal = try await Tmux(text, columns: 80, rows: 24)
        do {
            try await terminal.wait(for: "NATS server version 2.15.1")
            try await body(terminal, server)
        } catch {
            await terminal.close()
            throw error
        }
        await terminal.close()
    }

    @Test("^Z stops it with the terminal as it was, and fg brings the screen back")
    func stop() async throws {
        let script = { (port: Int) in
            """
            \(Self.start) -m \(port) -d 0.2
            echo 'stopped now'
            stty -a >stopped
            read line
            fg
            """
        }
        try await self.withTerminal(script) { terminal, _ in
            try await terminal.press("C-z")
            try await terminal.wait(for: "the shell's screen") {
                $0.contains("stopped now") && $0.contains("text from before") && !$0.contains("NATS server version")
            }
            try await eventually("the modes") { !terminal.file("stopped").isEmpty }
            #expect(terminal.file("stopped") == terminal.file("before"))
            try await terminal.press("Enter")
            try await terminal.wait(for: "the screen again") {
                $0.contains("NATS server version 2.15.1") && $0.contains("? help") && !$0.contains("stopped now")
            }
            try await terminal.press("?")
            try await terminal.wait(for: "select a row, scroll columns")
            try await terminal.press("x")
            try await terminal.press("q")
            try await terminal.wait(for: "status 0")
            try await terminal.wait(for: "done")
            #expect(terminal.file("after") == terminal.file("before"))
        }
    }

    @Test("a terminal that takes nothing does not keep it alive, and is given back", arguments: [false, true])
    func stuck(again: Bool) async throws {
        try await self.withTerminal({ "\(Self.start) -m \($0) -d 0.1" }) { terminal, _ in
            try await terminal.press("C-s")
            try await terminal.signal("TERM", file: "pid")
            try await eventually("the end of nats-top") {
                if again { try await terminal.signal("TERM", file: "pid") }
                return try await !terminal.isRunning(file: "pid")
            }
            try await terminal.press("C-q")
            try await terminal.wait(for: "status 143")
            try await terminal.wait(for: "done")
            #expect(terminal.file("after") == terminal.file("before"))
        }
    }

    @Test("a terminal that takes everything gets the usual screen back, however stuck the program is")
    func stuckElsewhere() async throws {
        // Nobody reads what is recorded, and the second round is more than a pipe holds.
        let script = { (port: Int) in
            """
            mkfifo fifo
            sh -c 'exec 3<fifo; exec sleep 60' &
            \(Self.start) -m \(port) -d 0.1 --record fifo
            """
        }
        let connections = (1...1000).map { Fixture.connection($0, name: "client", fields: #""in_msgs":1"#) }
        let large = BadServer.Reply.answer(Fixture.connz(connections))
        let varz = BadServer.Reply.answer(Fixture.varz())
        let replies = [varz, .answer(Fixture.connz()), varz, large, varz]
        try await self.withTerminal(script, replies: replies) { terminal, server in
            // The third round is asked for when the second one is being written.
            #expect(await server.requests.wait { $0 >= 5 })
            try await terminal.signal("TERM", file: "pid")
            try await terminal.wait(for: "the usual screen") {
                $0.contains("status 143") && $0.contains("text from before") && $0.contains("done")
            }
            #expect(terminal.file("after") == terminal.file("before"))
        }
    }

    @Test("a key with Alt does not swallow the next one")
    func alternative() async throws {
        try await self.withTerminal({ "\(Self.start) -m \($0) -d 0.2" }) { terminal, _ in
            for key in ["M-[", "M-O"] {
                try await terminal.press(key)
                // What follows at once belongs to it: a terminal sends sequences in one piece.
                try await terminal.wait(for: "NATS server version 2.15.1")
                try await terminal.press("?")
                try await terminal.wait(for: "select a row, scroll columns")
                try await terminal.press("x")
                try await terminal.wait(for: "NATS server version 2.15.1")
            }
            try await terminal.press("q")
            try await terminal.wait(for: "status 0")
        }
    }
}
