import NATSTestSupport
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import nats_server

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Logs that go to a syslog service, from the official server and from ours.
@Suite struct SyslogProgramTests {
    /// Collects what is sent to it.
    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let text = Watched("")
        private let channels = NIOLockedValueBox<[any Channel]>([])

        func channelActive(context: ChannelHandlerContext) {
            self.channels.withLockedValue { $0.append(context.channel) }
            context.fireChannelActive()
        }

        /// Closes all connections.
        func close() {
            for channel in self.channels.withLockedValue({ $0 }) { channel.close(promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = self.unwrapInboundIn(data)
            self.text.update { $0 += String(buffer: buffer) }
        }
    }

    private final class Envelopes: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias InboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.fireChannelRead(self.wrapInboundOut(self.unwrapInboundIn(data).data))
        }
    }

    enum Network: String, CaseIterable, CustomTestStringConvertible {
        case udp, tcp, unix
        var testDescription: String { self.rawValue }
    }

    private func listen(_ network: Network, _ path: String, _ collector: Collector) async throws -> any Channel {
        let group = MultiThreadedEventLoopGroup.singleton
        switch network {
        case .udp:
            return try await DatagramBootstrap(group: group)
                .channelInitializer { channel in
                    channel.pipeline.addHandler(Envelopes()).flatMap { channel.pipeline.addHandler(collector) }
                }
                .bind(host: "127.0.0.1", port: 0).get()
        case .tcp, .unix:
            let bootstrap = ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: network == .tcp ? 1 : 0)
                .childChannelInitializer { $0.pipeline.addHandler(collector) }
            return network == .tcp
                ? try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
                : try await bootstrap.bind(unixDomainSocketPath: path).get()
        }
    }

    /// Everything from start to end, with what differs between any two runs replaced.
    private func messages(_ program: Program, _ network: Network) async throws -> [String] {
        let directory = try TemporaryDirectory()
        let collector = Collector()
        let path = "\(directory.path)/s"
        let channel = try await self.listen(network, path, collector)
        let port = channel.localAddress?.port ?? 0
        let url = network == .unix ? "unix://\(path)" : "\(network.rawValue)://127.0.0.1:\(port)"
        let run = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1", "-DV", "-r", url])
        _ = await collector.text.wait(timeout: .seconds(30)) { $0.contains("Server is ready") }
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        #expect(run.errors == "")
        _ = await collector.text.wait(timeout: .seconds(30)) { $0.contains("Server Exiting..") }
        try await channel.close()
        return collector.text.value.split(separator: "\n").compactMap { line in
            guard let end = line.firstIndex(of: ">") else { return "malformed: \(line)" }
            let rest = line[line.index(after: end)...]
            // Go gives local sockets the short form: no host.
            let form = network == .unix ? #/(\w{3} [ \d]\d [\d:]{8}) ()(\S+): (.*)/# : #/(\S+) (\S+) (\S+): (.*)/#
            guard let parts = rest.wholeMatch(of: form) else { return "malformed: \(line)" }
            if network != .unix {
                #expect(parts.1.wholeMatch(of: #/\d{4}-\d\d-\d\dT[\d:]{8}(Z|[+-]\d\d:\d\d)/#) != nil, "\(parts.1)")
                #expect(parts.2 == SystemCalls.hostName())
            }
            #expect(parts.3.hasPrefix("nats-server") && parts.3.hasSuffix("[\(run.processID)]"))
            let text = LogComparison.lines("[\(run.processID)] \(parts.4)", pid: run.processID, port: nil)
            guard var words = text.first?.split(separator: " ").map(String.init), let last = words.last else {
                return nil
            }
            // The port that the server chose.
            if last.hasPrefix("127.0.0.1:") { words[words.count - 1] = "127.0.0.1:PORT" }
            return "\(line[...end]) \(words.joined(separator: " "))"
        }
    }

    @Test(
        "remote messages are the official ones",
        .enabled(if: Program.available.contains(.official)),
        arguments: Network.allCases
    )
    func remote(network: Network) async throws {
        let official = try await self.messages(.official, network)
        let ours = try await self.messages(.ours, network)
        #expect(ours == official)
        #expect(ours.count > 5)
    }

    @Test(
        "what cannot be reached ends the start with the official text",
        arguments: Program.available,
        [
            ("http://h:1", #"error invalid network type: "http""#), ("foo", #"error invalid network type: """#),
            (
                "udp://127.0.0.1",
                #"error connecting to syslog: "dial udp: address 127.0.0.1: missing port in address""#
            ),
            (
                "tcp://127.0.0.1:1",
                #"error connecting to syslog: "dial tcp 127.0.0.1:1: connect: connection refused""#
            ),
            ("udp://127.0.0.1:65536", #"error connecting to syslog: "dial udp: address 65536: invalid port""#),
            ("tcp://127.0.0.1:70000", #"error connecting to syslog: "dial tcp: address 70000: invalid port""#),
            ("udp://127.0.0.1:syslog", #"parse "udp://127.0.0.1:syslog": invalid port ":syslog" after host"#),
            ("tcp://[::1]x:1", #"parse "tcp://[::1]x:1": invalid port "x:1" after host"#),
            (
                "unix:///no/log",
                #"error connecting to syslog: "dial unix /no/log: connect: no such file or directory""#
            ),
        ]
    )
    func unreachable(program: Program, sample: (url: String, text: String)) async throws {
        let run = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1", "-r", sample.url])
        #expect(await run.exitCode() == 1)
        #expect(run.errors.dropFirst("2026/11/20 22:02:33 ".count) == sample.text + "\n")
    }

    @Test("a log file wins over syslog", arguments: Program.available)
    func fileWins(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let run = try ProgramRun(
            program,
            ["-a", "127.0.0.1", "-p", "-1", "-l", directory.path + "/log", "-s", "-r", "tcp://127.0.0.1:1"]
        )
        try await eventually("ready") { directory.read("log").contains("Server is ready") }
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("a syslog server that goes away and comes back gets later lines")
    func reconnect() async throws {
        let collector = Collector()
        let first = try await self.listen(.tcp, "", collector)
        let port = try #require(first.localAddress?.port)
        let output = try LogOutput(
            {
                var settings = LogSettings()
                settings.remoteSyslog = "tcp://127.0.0.1:\(port)"
                return settings
            }()
        )
        output.write("one", label: .info)
        #expect(await collector.text.wait(timeout: .seconds(30)) { $0.contains(": one\n") })
        output.flush()
        // A connection that was only accepted is reset when its listener's other end goes.
        try await first.close()
        let later = Collector()
        let second = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { $0.pipeline.addHandler(later) }
            .bind(host: "127.0.0.1", port: port).get()
        collector.close()
        try await eventually("a line arrives over a new connection") {
            output.write("again", label: .info)
            return later.text.value.contains(": again\n")
        }
        try await second.close()
    }
}
