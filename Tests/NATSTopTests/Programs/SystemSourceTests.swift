import NATSTestSupport
import Testing

/// Requests on `$SYS` in the place of a monitoring port.
@Suite("nats-top and the system account")
struct SystemSourceTests {
    private static let accounts = """
        system_account: SYS
        accounts {
          SYS { users: [ {user: sys, password: pw}, {user: half, password: pw, permissions: {publish: {deny: ">"}}} ] }
          APP { users: [ {user: app, password: pw} ] }
        }

        """

    /// A server without monitoring port.
    private func withServer(
        _ kind: MonitoredServer.Kind,
        _ body: (Int, MonitoredServer) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let reserved = try ReservedPort()
        let file = try directory.write("server_name: solo\n" + Self.accounts, to: "server.conf")
        let server = try MonitoredServer(kind, on: reserved, arguments: ["-p", String(reserved.port), "-c", file])
        try await server.waitUntilReady()
        try await body(reserved.port, server)
        await server.stop()
    }

    @Test("each view is filled by requests", arguments: MonitoredServer.available)
    func views(kind: MonitoredServer.Kind) async throws {
        try await self.withServer(kind) { port, _ in
            let app = try RawConnection.connect(port: port)
            try await app.readInfo()
            await app.send(
                "CONNECT {\"user\":\"app\",\"pass\":\"pw\",\"name\":\"alpha\"}\r\nSUB orders.* 1\r\nPING\r\n"
            )
            _ = try await app.read(until: "PONG\r\n")
            let top = "-s nats://sys:pw@127.0.0.1:\(port)"
            let grid = try await TopRun.run("\(top) -o - -u -sort subs")
            #expect(grid.status == 0 && grid.errors.isEmpty, "\(grid.errors)")
            #expect(grid.output.contains("NATS server version 2.15.1") && grid.output.contains("Server: solo"))
            #expect(grid.output.contains("Connections Polled: 2"))
            #expect(grid.output.contains(" alpha ") && grid.output.contains("orders.*"))
            let flags = "-s 127.0.0.1:\(port) --user sys --password pw"
            let accounts = try await TopRun.run("\(flags) --view accounts --json -r 1")
            #expect(accounts.output.contains(#""account":"APP","connections":1,"#), "\(accounts.output)")
            // The server hears a little later that a program has ended.
            try await eventually("a closed connection") {
                let closed = try await TopRun.run("\(flags) --view closed -o -")
                return closed.output.contains("Client Closed") && closed.output.contains(" nats-top ")
            }
            let routes = try await TopRun.run("\(flags) --view routes -o -")
            #expect(routes.output.contains("Routes: 0"), "\(routes.output)")
            let cluster = try await TopRun.run("\(flags) --view cluster --batch -d 0.1 -r 3")
            #expect(cluster.status == 0 && cluster.output.contains("Servers: 1"), "\(cluster.errors)")
            #expect(cluster.lines.contains { $0.hasPrefix("  solo  up ") }, "\(cluster.output)")
            let invalid = try await TopRun.run("\(flags) --batch -r 1 --record rounds")
            #expect(invalid.status == 0, "\(invalid.errors)")
            app.close()
        }
    }

    @Test("the screen's views are filled too", .enabled(if: Tmux.isAvailable), arguments: MonitoredServer.available)
    func screen(kind: MonitoredServer.Kind) async throws {
        try await self.withServer(kind) { port, _ in
            let script = "\"$TOP\" -s nats://sys:pw@127.0.0.1:\(port) -d 0.2; echo \"status $?\"; read line"
            let terminal = try await Tmux(script, columns: 120, rows: 40)
            do {
                try await terminal.wait(for: "Connections Polled: 1")
                // Its own: the password is in no place.
                try await terminal.wait(for: "the server's address") {
                    $0.contains("nats://127.0.0.1:\(port)") && !$0.contains("sys:")
                }
                try await terminal.press("Enter")
                try await terminal.wait(for: "its own subscription") {
                    $0.contains("Subscriptions of ") && $0.contains("(nats-top)") && $0.contains("_INBOX.")
                }
                for (key, text) in [
                    ("6", "Fanout"), ("7", "JetStream is not enabled"), ("4", "Accounts: "), ("9", "Servers: 1"),
                    ("1", "Connections Polled: 1"),
                ] {
                    try await terminal.press(key)
                    try await terminal.wait(for: text)
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

    @Test("a recording of requests is shown again", arguments: MonitoredServer.available)
    func recording(kind: MonitoredServer.Kind) async throws {
        try await self.withServer(kind) { port, _ in
            let run = try TopRun("-s nats://sys:pw@127.0.0.1:\(port) --json -r 2 -d 0.1 --record rounds")
            let live = try await run.result()
            #expect(live.status == 0, "\(live.errors)")
            let shown = try await TopRun.run("--replay '\(run.path)/rounds' --json")
            #expect(shown.status == 0 && shown.lines.count == 3, "\(shown.errors)")
            #expect(shown.output.contains(#""name":"solo""#) && shown.output.contains(#""name":"nats-top""#))
        }
    }

    @Test("who may not ask learns why in one line", arguments: MonitoredServer.available)
    func refused(kind: MonitoredServer.Kind) async throws {
        try await self.withServer(kind) { port, _ in
            for (arguments, text) in [
                ("--user app --password pw", "nobody answers: the user is not of the system account\n"),
                ("--user app --password wrong", "connect: authorization violation\n"),
                ("--user half --password pw", "permissions violation: "),
            ] {
                let result = try await TopRun.run("-s 127.0.0.1:\(port) \(arguments) -o -")
                #expect(result.status == 1)
                #expect(result.errors.hasPrefix("nats-top: could not get stats from server: "), "\(result.errors)")
                #expect(result.errors.contains(text), "\(result.errors)")
                #expect(result.errors.split(separator: "\n").count == 1 && !result.errors.contains("wrong"))
            }
        }
        let reserved = try ReservedPort()
        let dead = try await TopRun.run("-s nats://127.0.0.1:\(reserved.port) --batch")
        #expect(dead.status == 1)
        #expect(dead.errors.hasSuffix("connect: no servers available for connection\n"), "\(dead.errors)")
    }

    @Test("environment and context say who asks, but not whether")
    func environment() async throws {
        try await self.withServer(.ours) { port, _ in
            let variables = ["NATS_URL": "nats://127.0.0.1:\(port)", "NATS_USER": "sys", "NATS_PASSWORD": "pw"]
            let sys = try await TopRun.run("--sys -o -", environment: variables)
            #expect(sys.status == 0 && sys.output.contains("Server: solo"), "\(sys.errors)")
            let reserved = try ReservedPort()
            let pages = try await TopRun.run("-m \(reserved.port) -o -", environment: variables)
            #expect(pages.status == 1 && pages.errors.contains("/varz\": connection refused"), "\(pages.errors)")
            let directory = try TemporaryDirectory()
            let context = #"{"url":"nats://127.0.0.1:\#(port)","user":"sys","password":"pw"}"#
            let file = try directory.write(context, to: "ops.json")
            let named = try await TopRun.run("--context '\(file)' -o -")
            #expect(named.status == 0 && named.output.contains("Server: solo"), "\(named.errors)")
        }
    }

    @Test("a server that dies and comes again is lost and found", arguments: MonitoredServer.available)
    func restart(kind: MonitoredServer.Kind) async throws {
        let directory = try TemporaryDirectory()
        let reserved = try ReservedPort()
        let file = try directory.write("server_name: solo\n" + Self.accounts, to: "server.conf")
        let arguments = ["-p", String(reserved.port), "-c", file]
        let first = try MonitoredServer(kind, on: reserved, arguments: arguments)
        try await first.waitUntilReady()
        let run = try TopRun("-s nats://sys:pw@127.0.0.1:\(reserved.port) --json -d 0.1")
        try await eventually("a snapshot, in \(run.output) \(run.errors)") { run.output.contains(#""state":"up""#) }
        await first.stop()
        try await eventually("a loss, in \(run.output)") {
            run.output.contains(#""state":"lost","error":"$SYS.REQ.SERVER."#) && run.output.contains("not connected")
        }
        let second = try MonitoredServer(kind, on: reserved, arguments: arguments)
        try await second.waitUntilReady()
        try await eventually("the server, in \(run.output)") { run.output.contains(#""restarts":1"#) }
        run.signal(15)
        #expect(try await run.result().status == 143)
        await second.stop()
    }
}
