import NATSTestSupport
import NIOCore
import NIOPosix
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The flags of the old documents' first section, each in every spelling, doing what they are for.
@Suite(.timeLimit(.minutes(3))) struct OldDocumentsFlagTests {
    private static let loopback = ["-a", "127.0.0.1", "-p", "-1"]

    private func withServer(
        _ program: Program,
        _ arguments: [String],
        _ body: (ProgramRun, Int) async throws -> Void
    ) async throws {
        let run = try ProgramRun(program, arguments)
        try await run.use {
            try await run.waitForLog("Server is ready")
            try await body(run, try #require(run.port))
        }
    }

    @Test("§1: a port that is named", arguments: Program.available, ["-p", "--p", "-port", "--port"])
    func port(program: Program, flag: String) async throws {
        let reserved = try ReservedPort()
        try await self.withServer(program, ["-a", "127.0.0.1", "\(flag)=\(reserved.port)"]) { _, port async throws in
            #expect(port == reserved.port)
        }
    }

    @Test("§1: the name", arguments: Program.available, ["-n", "-name", "--name", "-server_name", "--server_name"])
    func name(program: Program, flag: String) async throws {
        try await self.withServer(program, Self.loopback + [flag, "one"]) { run, port async throws in
            #expect(run.errors.contains("[INF]   Name:     one\n"))
            let info = try await RawConnection.connect(port: port).readInfo()
            #expect(info.contains("\"server_name\":\"one\""))
        }
    }

    @Test("§1: pid file and log file", arguments: Program.available, [["-P", "-l"], ["--pid", "--log"]])
    func files(program: Program, flags: [String]) async throws {
        let directory = try TemporaryDirectory()
        let (pid, log) = (directory.path + "/pid", directory.path + "/log")
        let run = try ProgramRun(program, Self.loopback + [flags[0], pid, flags[1], log])
        try await eventually("ready") { directory.read("log").contains("Server is ready") }
        #expect(directory.read("pid") == "\(run.processID)")
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test(
        "§1: the start shows version, monitor address, client address, and that the server is ready, in this order",
        arguments: Program.available,
        ["-m", "--http_port"]
    )
    func monitor(program: Program, flag: String) async throws {
        let arguments = Self.loopback + ["-DV", flag, "-1", "-user", "foo", "-pass", "bar"]
        try await self.withServer(program, arguments) { run, port async throws in
            let shown = try #require(
                run.errors.firstMatch(
                    of:
                        #/
                        \[INF\]\ \ \ Version:\ \ 2\.15\.1\n(?:.*\n)*
                        .*\[INF\]\ Starting\ http\ monitor\ on\ 127\.0\.0\.1:(\d+)\n(?:.*\n)*
                        .*\[INF\]\ Listening\ for\ client\ connections\ on\ 127\.0\.0\.1:(\d+)\n(?:.*\n)*
                        .*\[INF\]\ Server\ is\ ready\n
                        /#
                )
            )
            #expect(Int(shown.2) == port)
            let answer = try await fetch("/varz", port: try #require(Int(shown.1)))
            #expect(answer.status == 200 && answer.text.contains("\"auth_required\": true"))
        }
    }

    @Test("§1: a file is read and checked", arguments: Program.available, ["-c", "-config", "--config"])
    func file(program: Program, flag: String) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("net: 127.0.0.1\nport: -1\n", to: "seed.conf")
        try await self.withServer(program, [flag, file, "-D"]) { run, _ async throws in
            #expect(run.errors.contains("[INF] Using configuration file: \(file) (sha256:"))
            #expect(run.errors.contains("[DBG] "))
        }
        let check = try ProgramRun(program, [flag, file, "-t"])
        #expect(await check.exitCode() == 0)
        #expect(check.errors.hasPrefix("nats-server: configuration file \(file) is valid (sha256:"))
    }

    @Test(
        "§1: --signal reaches a running server by its process id and by its pid file",
        arguments: Program.available,
        ["-sl", "--signal"]
    )
    func signal(program: Program, flag: String) async throws {
        let directory = try TemporaryDirectory()
        let (pid, log) = (directory.path + "/pid", directory.path + "/log")
        let conf = try directory.write("net: 127.0.0.1\nport: -1\nlog_file: \"\(log)\"\n", to: "conf")
        func tell(_ command: String, _ target: String) async throws {
            let run = try ProgramRun(program, [flag, "\(command)=\(target)"])
            #expect(await run.exitCode() == 0, "\(run.errors)")
            #expect(run.errors == "" && run.output == "")
        }
        let run = try ProgramRun(program, ["-c", conf, "-P", pid])
        try await eventually("ready") { directory.read("log").contains("Server is ready") }
        try await tell("reopen", "\(run.processID)")
        try await eventually("reopened") { directory.read("log").contains("File log re-opened") }
        try await tell("reload", pid)
        try await eventually("reloaded") { directory.read("log").contains("Reloaded server configuration") }
        try await tell("quit", pid)
        #expect(await run.exitCode() == 0)
        #expect(directory.read("log").contains("Trapped \"interrupt\" signal"))

        for (command, code) in [("term", 0), ("ldm", 0), ("stop", -1)] {
            try directory.write("", to: "log")
            let other = try ProgramRun(program, ["-c", conf, "-P", pid])
            try await eventually("ready") { directory.read("log").contains("Server is ready") }
            try await tell(command, command == "term" ? "\(other.processID)" : pid)
            #expect(await other.exitCode() == code)
        }
    }

    @Test("§1: the remote syslog by udp", arguments: Program.available, ["-r", "--remote_syslog"])
    func remoteSyslog(program: Program, flag: String) async throws {
        let received = Watched("")
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(Datagrams(received)) }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        let run = try ProgramRun(program, Self.loopback + [flag, "udp://127.0.0.1:\(port)"])
        #expect(await received.wait(timeout: .seconds(30)) { $0.contains("Server is ready") })
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        #expect(run.errors == "")
        try await channel.close()
    }

    private final class Datagrams: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        private let text: Watched<String>

        init(_ text: Watched<String>) { self.text = text }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let message = String(buffer: self.unwrapInboundIn(data).data)
            self.text.update { $0 += message }
        }
    }

    @Test("§1: user and password, token, and both together", arguments: Program.available)
    func credentials(program: Program) async throws {
        func accepts(_ port: Int, _ members: String) async throws -> Bool {
            let client = try RawConnection.connect(port: port, answersPings: true)
            defer { client.close() }
            try await client.readInfo()
            await client.send("CONNECT {\"verbose\":false,\(members)}\r\nPING\r\n")
            return try await client.read(until: "\r\n") == Array("PONG\r\n".utf8)
        }
        try await self.withServer(program, Self.loopback + ["--user", "foo", "-pass", "bar"]) { _, port async throws in
            #expect(try await accepts(port, "\"user\":\"foo\",\"pass\":\"bar\""))
            #expect(try await accepts(port, "\"user\":\"foo\",\"pass\":\"baz\"") == false)
        }
        try await self.withServer(program, Self.loopback + ["-auth", "S3Cr3T0k3n!"]) { _, port async throws in
            #expect(try await accepts(port, "\"auth_token\":\"S3Cr3T0k3n!\""))
            #expect(try await accepts(port, "\"auth_token\":\"x\"") == false)
        }
        // The old documents exclude this; today the token counts.
        try await self.withServer(program, Self.loopback + ["-user", "foo", "-pass", "bar", "-auth", "t"]) {
            _,
            port async throws in
            #expect(try await accepts(port, "\"auth_token\":\"t\""))
        }
    }

    @Test("§1: JetStream by flags: refused by name until it is there")
    func notYet() async throws {
        for (arguments, flag) in [(["-js"], "-js"), (["--jetstream", "-sd", "/tmp"], "-jetstream")] {
            let run = try ProgramRun(.ours, arguments)
            #expect(await run.exitCode() == 1)
            #expect(run.errors == "nats-server: not supported yet: \(flag)\n")
        }
    }

    @Test("§1: -h, -v and --help_tls", arguments: Program.available, ["-h", "-v", "--help_tls"])
    func information(program: Program, flag: String) async throws {
        let run = try ProgramRun(program, [flag])
        #expect(await run.exitCode() == 0)
        #expect(!run.output.isEmpty && run.errors == "")
    }
}
