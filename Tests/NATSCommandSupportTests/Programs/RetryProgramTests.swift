import NATSTestServer
import NATSTestSupport
import Testing

@Suite("--retry", .timeLimit(.minutes(3)))
struct RetryProgramTests {
    @Test("a server that comes later is waited for; that it is missing is said once", arguments: ServerUnderTest.both)
    func firstConnection(kind: ServerUnderTest) async throws {
        let port = try ReservedPort()
        defer { port.release() }
        let waiting = "nats: no servers available for connection, trying again every 100ms\n"
        let publisher = try ToolShell("nats-pub $U --retry=100ms foo hello", url: port.url)
        let requestor = try ToolShell("nats-req $U --retry=100ms --retry-no-responders -r svc hello", url: port.url)
        for shell in [publisher, requestor] { try await shell.waitForErrors(waiting) }
        let server = try await kind.start(ServerConfiguration(port: port.port))
        let responder = try ToolShell("exec nats-rply $U svc pong", url: port.url)
        let published = try await publisher.result()
        #expect(published.errors == "\(waiting)Published [foo] : 'hello'\n")
        #expect(published.status == 0)
        let answered = try await requestor.result()
        #expect(answered.errors == "\(waiting)Published [svc] : 'hello'\n")
        #expect(answered.output == "pong\n")
        responder.signal(9)
        await server.stop()
    }

    @Test(
        "a restarted server gets all that is still to come, more than the client buffers",
        arguments: ServerUnderTest.both
    )
    func lostConnection(kind: ServerUnderTest) async throws {
        let port = try ReservedPort()
        defer { port.release() }
        let configuration = ServerConfiguration(port: port.port)
        let first = try await kind.start(configuration)
        let tap = try await WireTap(port: port.port)
        let lines = try ToolShell(
            """
            mkfifo in
            nats-pub $U --retry=50ms -l foo <in &
            exec 3>in
            echo 1 >&3
            until [ -e go ]; do sleep 0.01; done
            seq 2 20000 >&3
            exec 3>&-
            wait $!
            """,
            url: port.url
        )
        #expect(try await tap.payloads(atLeast: 1) == ["1"])
        await first.stop()
        try lines.write("", to: "go")
        let second = try await kind.start(configuration)
        let result = try await lines.result()
        #expect(result.status == 0, "\(result.errors)")
        if case .ours(let server) = second { #expect(await server.statistics().messagesIn >= 19_999) }
        await second.stop()
    }

    @Test("messages on the wire when the connection broke come once more on the next one")
    func sentAgain() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("printf '1\\n2\\n' | nats-pub $U -v --retry=50ms -l foo", url: peer.url)
        let (first, _) = try await peer.acceptClient()
        try await first.expect("PUB foo 1\r\n1\r\nPUB foo 1\r\n2\r\nPING\r\n")
        first.close()
        let (second, _) = try await peer.acceptClient()
        _ = try await second.read(until: "PING\r\n")
        await second.send("PONG\r\n")
        try await second.expect("PUB foo 1\r\n1\r\nPUB foo 1\r\n2\r\nPING\r\n")
        await second.send("PONG\r\n")
        async let answers: Void = {
            while let line = try? await second.readLine() {
                if line == "PING" { await second.send("PONG\r\n") }
            }
        }()
        let result = try await shell.result()
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("\nConnected again\n"))
        second.close()
        await answers
    }

    /// Publishes what `in` brings: a line now, and one when there is a file `go`.
    private static let twoLines = """
        mkfifo in
        nats-pub $U -v --retry=50ms -l foo <in &
        exec 3>in
        echo 1 >&3
        until [ -e go ]; do sleep 0.01; done
        echo 2 >&3
        exec 3>&-
        wait $!
        """

    /// Answers PINGs until the tool leaves; returns what else came.
    private func serve(_ connection: RawConnection) async -> [String] {
        var lines: [String] = []
        while let line = try? await connection.readLine() {
            if line == "PING" { await connection.send("PONG\r\n") } else { lines.append(line) }
        }
        return lines
    }

    @Test("the end of a connection is not the end of the input, and what was confirmed before is not sent again")
    func idle() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell(Self.twoLines, url: peer.url)
        let (first, _) = try await peer.acceptClient()
        try await first.expect("PUB foo 1\r\n1\r\nPING\r\n")
        await first.send("PONG\r\n")
        try await shell.waitForErrors("Published [foo] : 1 bytes\n")
        await first.send("-ERR 'Stale Connection'\r\n")
        first.close()
        let (second, _) = try await peer.acceptClient()
        try await shell.waitForErrors("Connected again\n")
        try shell.write("", to: "go")
        async let lines = self.serve(second)
        let result = try await shell.result()
        #expect(result.status == 0, "\(result.errors)")
        #expect(await lines == ["PUB foo 1", "2"])
    }

    @Test("a connection on which the server says nothing any more is left for the next one")
    func silent() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("echo 1 | nats-pub $U --retry=50ms --timeout 20s -l foo", url: peer.url)
        let (first, _) = try await peer.acceptClient()
        try await first.expect("PUB foo 1\r\n1\r\nPING\r\n")
        let (second, _) = try await peer.acceptClient()
        async let lines = self.serve(second)
        let result = try await shell.result()
        #expect(result.status == 0, "\(result.errors)")
        #expect(await lines == ["PUB foo 1", "1"])
        first.close()
    }

    @Test("input that was given up is a failure: what forbids the subject is said")
    func forbidden() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell(
            "mkfifo in; nats-pub $U --retry=50ms -l foo <in & exec 3>in; echo 1 >&3; wait $!",
            url: peer.url
        )
        let (first, _) = try await peer.acceptClient()
        try await first.expect("PUB foo 1\r\n1\r\nPING\r\n")
        await first.send("PONG\r\n-ERR 'Permissions Violation for Publish to \"foo\"'\r\n")
        async let lines = self.serve(first)
        // The input is still open: the tool ends by itself.
        let result = try await shell.result()
        #expect(result.status == 1)
        #expect(result.errors.contains("Permissions Violation for Publish to \"foo\""))
        #expect(await lines.isEmpty)
    }

    @Test("a request whose connection broke is sent again")
    func request() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("nats-req $U --retry=50ms -r svc ping", url: peer.url)
        let (first, _) = try await peer.acceptClient()
        _ = try await self.replyInbox(first)
        first.close()
        let (second, _) = try await peer.acceptClient()
        let (inbox, sid) = try await self.replyInbox(second)
        await second.send("MSG \(inbox) \(sid) 4\r\npong\r\n")
        let result = try await shell.result()
        #expect(result.output == "pong\n")
        #expect(result.status == 0)
    }

    /// The reply subject of the next message, and the number of the subscription that takes replies.
    private func replyInbox(_ connection: RawConnection) async throws -> (inbox: String, sid: String) {
        var sid = "1"
        while true {
            let words = try await connection.readLine().split(separator: " ").map(String.init)
            if words.first == "PING" { await connection.send("PONG\r\n") }
            if words.first == "SUB" { sid = words[words.count - 1] }
            if words.first == "PUB" { return (words[2], sid) }
        }
    }

    private func refuse(_ request: (inbox: String, sid: String), on connection: RawConnection) async {
        let status = "NATS/1.0 503\r\n\r\n"
        let size = status.utf8.count
        await connection.send("HMSG \(request.inbox) \(request.sid) \(size) \(size)\r\n\(status)\r\n")
    }

    @Test("a message for JetStream is sent again after an outage, until the stream is back")
    func stream() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("nats-pub $U -v -J --retry=50ms foo 1", url: peer.url)
        let (first, _) = try await peer.acceptClient()
        _ = try await self.replyInbox(first)
        first.close()
        let (second, _) = try await peer.acceptClient()
        for _ in 0..<2 { await self.refuse(try await self.replyInbox(second), on: second) }
        let last = try await self.replyInbox(second)
        let stored = #"{"stream":"S","seq":7}"#
        await second.send("MSG \(last.inbox) \(last.sid) \(stored.utf8.count)\r\n\(stored)\r\n")
        async let others = self.serve(second)
        let result = try await shell.result()
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("\nNo stream stores [foo] yet\n"))
        #expect(result.errors.hasSuffix("\nStored in Stream: S Sequence: 7\n"))
        #expect(await others.allSatisfy { !$0.hasPrefix("PUB") })
    }

    @Test("without an outage nobody waits for a stream that does not exist")
    func noStream() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("nats-pub $U -J --retry=50ms foo 1", url: peer.url)
        let (connection, _) = try await peer.acceptClient()
        await self.refuse(try await self.replyInbox(connection), on: connection)
        let result = try await shell.result()
        #expect(result.status == 4)
        #expect(result.errors == "nats: no stream stores [foo], or JetStream is not enabled: nobody answers\n")
        connection.close()
    }

    @Test("a signal ends the wait for the next connection", arguments: ["-l", "-l -J"])
    func signalInOutage(flags: String) async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("echo 1 >in; exec nats-pub $U -v --retry=1h \(flags) foo <in", url: peer.url)
        let (connection, _) = try await peer.acceptClient()
        while try await !connection.readLine().hasPrefix("PUB ") {}
        await peer.close()
        connection.close()
        try await shell.waitForErrors("Connection lost")
        shell.signal(15)
        #expect(try await shell.result().exit == .signaled(15))
    }

    @Test("refused credentials, a wait of no time and a signal end it")
    func ends() async throws {
        try await ServerUnderTest.ours.withServer(ServerConfiguration(user: "u", password: "p")) { server in
            let refused = try await ToolShell.run("nats-pub $U --retry foo hello", url: server.url)
            #expect(refused.errors == "nats: authorization violation\n")
            #expect(refused.status == 1)
        }
        #expect(try await ToolShell.run("nats-pub --retry=0 foo hello").status == 2)
        let reserved = try ReservedPort()
        let shell = try ToolShell("exec nats-pub $U --retry=1h foo hello", url: reserved.url)
        try await shell.waitForErrors("trying again every 1h0m0s")
        shell.signal(2)
        #expect(try await shell.result().exit == .signaled(2))
    }
}
