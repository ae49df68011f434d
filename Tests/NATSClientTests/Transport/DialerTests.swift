import NATSTestServer
import NATSTestSupport
import NIOCore
import NIOPosix
import NIOTLS
import Testing

@testable import NATSClient

@Suite struct DialerTests {
    static func bootstrap(_ eventLoop: any EventLoop) -> ClientBootstrap {
        ClientBootstrap(group: eventLoop).channelOption(.autoRead, value: false)
    }

    private struct Refusal: Error {}

    /// A dialer that goes to a port of this machine, whatever the host.
    private func dialer(
        to port: Int,
        asked: Watched<[String]> = Watched([])
    ) -> @Sendable (String, Int, any EventLoop) async throws -> any Channel {
        { host, wantedPort, eventLoop in
            asked.update { $0.append("\(host):\(wantedPort)") }
            return try await ClientBootstrap(group: eventLoop)
                .channelOption(.autoRead, value: false)
                .connect(host: "127.0.0.1", port: port)
                .get()
        }
    }

    private func configuration(
        _ dialer: @escaping @Sendable (String, Int, any EventLoop) async throws -> any Channel
    ) -> NATSClientConfiguration {
        var configuration = quickConfiguration("nats://no.such.host.invalid:7")
        configuration.dialer = dialer
        return configuration
    }

    @Test("connections are made by the dialer, again and again, and no name is looked up")
    func dials() async throws {
        try await NATSTestServer.withServer { server in
            let asked = Watched<[String]>([])
            try await withTestClient(self.configuration(self.dialer(to: server.port, asked: asked))) { client in
                let subscription = try await client.subscribe("a", confirm: true)
                try client.forceReconnect()
                try await eventually { client.statistics.reconnects == 1 && client.isConnected }
                try await client.publish(String(repeating: "x", count: 300_000), to: "a")
                #expect(try await subscription.next(timeout: .seconds(30))?.payloadSize == 300_000)
                #expect(asked.value == ["no.such.host.invalid:7", "no.such.host.invalid:7"])
            }
        }
    }

    /// Stands for a dialer's tunnel: notes what goes into it, and tells of TLS of its own while that with the server is made.
    private final class Tunnel: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let written: Watched<[UInt8]>

        init(_ written: Watched<[UInt8]>) {
            self.written = written
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            let bytes = Array(self.unwrapOutboundIn(data).readableBytesView)
            self.written.update { $0 += bytes }
            context.write(data, promise: promise)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
            context.fireChannelRead(data)
        }
    }

    @Test("TLS with the server is made inside a dialer's own handlers, whose TLS is not taken for it", arguments: 0..<3)
    func tunnel(kind: Int) async throws {
        let authority = try TestAuthority()
        let certificate = try authority.server(dnsNames: ["behind.example"], namesOnly: true)
        var options = NATSTestServer.Options()
        var tls = NATSTestServer.TLS(certificate: .text(certificate.certificateText), key: .text(certificate.keyText))
        tls.timeout = .seconds(30)
        if kind > 0 { tls.handshakeFirst = .on }
        options.tls = tls
        options.authTimeout = .seconds(60)
        try await NATSTestServer.withServer(options) { server in
            let written = Watched<[UInt8]>([])
            var configuration = self.configuration { _, _, eventLoop in
                let channel = try await Self.bootstrap(eventLoop)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(Tunnel(written))
                        }
                    }
                    .connect(host: "127.0.0.1", port: server.port)
                    .get()
                if kind == 2 {
                    channel.eventLoop.execute {
                        // Between the handover and our own beginning.
                        channel.eventLoop.execute {
                            channel.pipeline.fireUserInboundEventTriggered(
                                TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil)
                            )
                        }
                    }
                }
                return channel
            }
            configuration.servers = ["tls://behind.example"]
            configuration.tls.trustRoots = .text(authority.text)
            configuration.tls.handshakeFirst = kind > 0
            configuration.credentials = .token("hush")
            try await withTestClient(configuration) { client in try await client.flush(timeout: .seconds(30)) }
            // A record of TLS from the first byte.
            #expect(written.value.first == 0x16)
            #expect(!String(decoding: written.value, as: UTF8.self).contains("CONNECT"))
        }
    }

    @Test("what the dialer throws is the cause of the error, and a server that is not there is not there")
    func failures() async throws {
        let port = try ReservedPort()
        defer { port.release() }
        await expectError(.noServers) {
            _ = try await NATSClient.connect(self.configuration(self.dialer(to: port.port)))
        }
        do {
            _ = try await NATSClient.connect(self.configuration { _, _, _ in throw Refusal() })
            Issue.record("connected")
        } catch {
            #expect(error.code == .connectionFailed && error.cause is Refusal)
        }
    }

    @Test("a channel on another event loop is refused and closed")
    func otherLoop() async throws {
        let server = try ScriptedServer()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let dial = self.dialer(to: server.port)
        await expectError(.invalidConfiguration) {
            _ = try await NATSClient.connect(
                self.configuration { host, port, _ in try await dial(host, port, group.any()) }
            )
        }
        let peer = try await server.accept()
        try await peer.expectEnd()
        await server.close()
        try await group.shutdownGracefully()
    }

    @Test("a channel that reads already is refused and closed: INFO may be lost")
    func readsAlready() async throws {
        let server = try ScriptedServer()
        await expectError(.invalidConfiguration) {
            _ = try await NATSClient.connect(
                self.configuration { _, _, eventLoop in
                    try await ClientBootstrap(group: eventLoop).connect(host: "127.0.0.1", port: server.port).get()
                }
            )
        }
        let peer = try await server.accept()
        try await peer.expectEnd()
        await server.close()
    }

    @Test("a dialer that never returns keeps nothing of the client alive")
    func neverReturns() async throws {
        let mayGo = Watched(false)
        let begun = Watched(false)
        var configuration = self.configuration { _, _, _ in
            begun.update { $0 = true }
            await Task.detached { _ = await mayGo.wait { $0 } }.value
            throw Refusal()
        }
        configuration.connectTimeout = .seconds(3600)
        configuration.retryOnFailedConnect = true
        let first = Watched(true)
        let dial = configuration.dialer
        configuration.dialer = { host, port, eventLoop in
            // The first attempt fails at once, so that there is a client.
            if first.update({ isFirst in
                defer { isFirst = false }; return isFirst
            }) {
                throw Refusal()
            }
            return try await dial?(host, port, eventLoop) ?? { throw Refusal() }()
        }
        weak var core: ConnectionCore?
        do {
            let client = try await NATSClient.connect(configuration)
            core = client.core
            #expect(await begun.wait { $0 })
        }
        try await eventually("the inner half is gone") { core == nil }
        mayGo.update { $0 = true }
    }

    @Test("a dialer that takes too long is cancelled, and so is one whose client is closed", arguments: [true, false])
    func cancelled(byTime: Bool) async throws {
        let begun = Watched(false)
        let cancelled = Watched(false)
        var configuration = self.configuration { _, _, _ in
            begun.update { $0 = true }
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                cancelled.update { $0 = true }
            }
            throw Refusal()
        }
        configuration.connectTimeout = byTime ? .milliseconds(100) : .seconds(3600)
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        #expect(await begun.wait { $0 })
        if !byTime {
            connecting.cancel()
        }
        await expectError(byTime ? .timeout : .cancelled) { _ = try await connecting.value }
        #expect(await cancelled.wait { $0 })
    }

    @Test("a channel that comes too late is closed")
    func late() async throws {
        let server = try ScriptedServer()
        let mayGo = Watched(false)
        let dial = self.dialer(to: server.port)
        var configuration = self.configuration { host, port, eventLoop in
            let channel = try await dial(host, port, eventLoop)
            // Not even cancelling hurries it.
            await Task.detached { _ = await mayGo.wait { $0 } }.value
            return channel
        }
        configuration.connectTimeout = .milliseconds(100)
        await expectError(.timeout) { [configuration] in _ = try await NATSClient.connect(configuration) }
        let peer = try await server.accept()
        mayGo.update { $0 = true }
        try await peer.expectEnd()
        await server.close()
    }
}
