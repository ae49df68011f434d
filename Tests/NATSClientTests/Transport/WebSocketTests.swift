import NATSTestServer
import NATSTestSupport
import NATSWebSocket
import NIOCore
import NIOPosix
import Testing

@testable import NATSClient

@Suite("WebSocket")
struct WebSocketTests {
    struct Case: Sendable, CustomStringConvertible {
        var server: ServerUnderTest
        var isSecure: Bool
        var serverCompresses: Bool
        var clientCompresses: Bool

        var description: String {
            "\(self.server) \(self.isSecure ? "wss" : "ws") \(self.serverCompresses) \(self.clientCompresses)"
        }

        static let all: [Case] = ServerUnderTest.available.filter { $0 != .oursOnManyLoops }.flatMap { server in
            [
                (false, false, false), (false, true, true), (false, false, true), (false, true, false),
                (true, false, false), (true, true, true),
            ]
            .map { Case(server: server, isSecure: $0.0, serverCompresses: $0.1, clientCompresses: $0.2) }
        }
    }

    /// Runs a server with a WebSocket listener; `restart` breaks all connections.
    private func withServer(
        _ what: Case,
        _ body: (_ url: String, _ tls: NATSClientConfiguration.TLS) async throws -> Void
    ) async throws {
        let authority = try TestAuthority()
        let directory = try TemporaryDirectory()
        let files = try authority.server().write(to: directory, as: "server")
        var tls = NATSClientConfiguration.TLS()
        if what.isSecure { tls.trustRoots = .text(authority.text) }
        switch what.server {
        case .official:
            let security =
                what.isSecure
                ? "tls { cert_file: \"\(files.certificate)\", key_file: \"\(files.key)\", timeout: 30 }"
                : "no_tls: true"
            let block = "host: \"127.0.0.1\", port: -1, compression: \(what.serverCompresses), \(security)"
            let server = try await OfficialServer.start(configurationText: "websocket { \(block) }\n")
            do {
                let port = try #require(server.webSocketPort)
                try await body("\(what.isSecure ? "wss" : "ws")://127.0.0.1:\(port)", tls)
            } catch {
                await server.stop()
                throw error
            }
            await server.stop()
        case .ours, .oursOnManyLoops:
            var options = NATSTestServer.Options()
            options.webSocket = .init()
            options.webSocket?.compression = what.serverCompresses
            if what.isSecure {
                options.webSocket?.tls = .init(certificate: .file(files.certificate), key: .file(files.key))
                options.webSocket?.tls?.timeout = .seconds(30)
            }
            try await NATSTestServer.withServer(options) { server in
                try await body(try #require(server.webSocketURL), tls)
            }
        }
    }

    @Test("messages of all sizes come and go, and again after a reconnect", arguments: Case.all)
    func works(what: Case) async throws {
        try await self.withServer(what) { url, tls in
            var configuration = quickConfiguration(url)
            configuration.secureReconnectJitter = .zero
            configuration.tls = tls
            configuration.webSocket.compression = what.clientCompresses
            try await withTestClient(configuration) { client in
                #expect(client.serverInfo?.url == url)
                let subscription = try await client.subscribe("a.*", confirm: true)
                for round in 0..<2 {
                    for size in [0, 1, 64, 65, 125, 126, 65_535, 65_536, 300_000, 1_048_576] {
                        // Neither all the same nor random: some of it can be compressed.
                        let text = String(repeating: "abc\(size)", count: size / 4 + 1).prefix(size)
                        try await client.publish(String(text), to: "a.\(size)")
                        let message = try await subscription.next(timeout: .seconds(60))
                        #expect(message?.subject == "a.\(size)" && message?.string == String(text))
                    }
                    for number in 0..<3000 {
                        try await client.publish("\(number)", to: "a.n")
                    }
                    for number in 0..<3000 {
                        let message = try await subscription.next(timeout: .seconds(60))
                        guard message?.string == "\(number)" else {
                            Issue.record("\(message?.string ?? "-") in the place of \(number)")
                            return
                        }
                    }
                    if round == 0 {
                        try client.forceReconnect()
                        try await eventually { client.statistics.reconnects == 1 && client.isConnected }
                        try await client.flush(timeout: .seconds(60))
                    }
                }
                try await client.drain()
            }
        }
    }

    @Test("a request has its answer", arguments: ServerUnderTest.available.filter { $0 != .oursOnManyLoops })
    func request(server: ServerUnderTest) async throws {
        let what = Case(server: server, isSecure: false, serverCompresses: true, clientCompresses: true)
        try await self.withServer(what) { url, _ in
            var configuration = quickConfiguration(url)
            configuration.webSocket.compression = true
            try await withTestClient(configuration) { client in
                await expectError(.noResponders) {
                    _ = try await client.request("", to: "nobody", timeout: .seconds(60))
                }
            }
        }
    }

    @Test("through a proxy and by a dialer", arguments: [TestProxy.Kind.socks5, .http])
    func otherWays(kind: TestProxy.Kind) async throws {
        var options = NATSTestServer.Options()
        options.webSocket = .init()
        try await NATSTestServer.withServer(options) { server in
            let port = try #require(server.webSocketURL?.split(separator: ":").last.flatMap { Int($0) })
            try await TestProxy.withProxy(kind, to: port) { proxy in
                var configuration = quickConfiguration("ws://web.invalid/nats")
                configuration.proxy =
                    kind == .http
                    ? .httpConnect(host: "127.0.0.1", port: proxy.port) : .socks5(host: "127.0.0.1", port: proxy.port)
                try await withTestClient(configuration) { client in try await client.flush(timeout: .seconds(60)) }
                #expect(proxy.requests == ["web.invalid:80"])
            }
            var configuration = quickConfiguration("ws://web.invalid")
            configuration.dialer = { _, _, eventLoop in
                try await DialerTests.bootstrap(eventLoop).connect(host: "127.0.0.1", port: port).get()
            }
            try await withTestClient(configuration) { client in try await client.flush(timeout: .seconds(60)) }
        }
    }

    // MARK: The request

    @Test("the request has path and headers; the path of the configuration wins")
    func requestText() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration("ws://127.0.0.1:\(server.port)/s3cr3t/b?token=x")
        configuration.webSocket.headers = [.init("Authorization", "Bearer hush"), .init("X-Two", "2")]
        for path in [nil, "c"] {
            configuration.webSocket.path = path
            configuration.webSocket.compression = path != nil
            let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
            let peer = try await server.accept()
            let request = try await peer.acceptWebSocket()
            #expect(
                request.hasPrefix(
                    "GET \(path == nil ? "/s3cr3t/b?token=x" : "/c") HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"
                )
            )
            #expect(request.contains("\r\nAuthorization: Bearer hush\r\nX-Two: 2\r\n"))
            #expect(
                request.contains("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
                    == (path != nil)
            )
            try await peer.finishHandshake()
            let client = try await connecting.value
            #expect(client.serverInfo?.url == "ws://127.0.0.1:\(server.port)")
            await client.close()
            // The close frame is masked, like all of a client's.
            let last = try await peer.readClientFrame()
            #expect(last.opcode == 8 && last.payload == [3, 232])
        }
        let text =
            "\(configuration)" + String(reflecting: configuration.webSocket) + "\(configuration.webSocket.headers)"
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!(text + dumped).contains("hush") && !(text + dumped).contains("token=x"))
        #expect(!(text + dumped).contains("s3cr3t"))
        for servers in [["wss://h:1/s3cr3t"], ["ws://a, b/s3cr3t"], ["ws://a", "wss://a//s3cr3t/"], ["a/s3cr3t"]] {
            configuration.servers = servers
            #expect(!"\(configuration)".contains("s3cr3t"), "\(configuration)")
        }
        configuration.servers = ["ws://a, b:1", "nats://h", "wss://h/x"]
        #expect("\(configuration)".contains(#"["ws://a, b:1", "nats://h", "wss://h:443"]"#), "\(configuration)")
        await server.close()
    }

    @Test("headers are made anew for every connection; those that cannot be made or sent fail it")
    func makesHeaders() async throws {
        struct Refusal: Error {}
        let server = try ScriptedServer()
        let count = Watched(0)
        var configuration = quickConfiguration("ws://127.0.0.1:\(server.port)")
        configuration.webSocket.makeHeaders = { [.init("X-Count", "\(count.update { $0 += 1; return $0 })")] }
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let first = try await server.accept()
        #expect(try await first.acceptWebSocket().contains("\r\nX-Count: 1\r\n"))
        try await first.finishHandshake()
        let client = try await connecting.value
        first.close()
        let second = try await server.accept()
        #expect(try await second.acceptWebSocket().contains("\r\nX-Count: 2\r\n"))
        await client.close()

        configuration.webSocket.makeHeaders = { throw Refusal() }
        do {
            _ = try await NATSClient.connect(configuration)
            Issue.record("connected")
        } catch {
            #expect(error.code == .webSocketFailed && error.cause is Refusal, "\(error)")
        }
        configuration.webSocket.makeHeaders = { [.init("X", "a\r\nInjected: hush")] }
        do {
            _ = try await NATSClient.connect(configuration)
            Issue.record("connected")
        } catch {
            #expect(error.code == .webSocketFailed && !"\(error)".contains("hush"), "\(error)")
        }
        await server.close()
    }

    @Test("a function that makes headers for ever keeps nothing of the client alive")
    func endlessHeaders() async throws {
        let server = try ScriptedServer()
        let (begun, mayGo) = (Watched(0), Watched(false))
        var configuration = quickConfiguration("ws://127.0.0.1:\(server.port)")
        configuration.retryOnFailedConnect = true
        configuration.webSocket.makeHeaders = {
            if begun.update({
                $0 += 1; return $0
            }) == 1 {
                throw CancellationError()
            }
            await Task.detached { _ = await mayGo.wait { $0 } }.value
            return []
        }
        weak var core: ConnectionCore?
        do {
            let client = try await NATSClient.connect(configuration)
            core = client.core
            #expect(await begun.wait { $0 >= 2 })
        }
        try await eventually("the inner half is gone") { core == nil }
        mayGo.update { $0 = true }
        await server.close()
    }

    @Test("what cannot be sent, and mixtures of schemes, are refused before anything is connected to")
    func configurations() async throws {
        func with(_ change: (inout NATSClientConfiguration.WebSocket) -> Void) -> NATSClientConfiguration {
            var configuration = quickConfiguration("ws://127.0.0.1:1")
            change(&configuration.webSocket)
            return configuration
        }
        for configuration in [
            with { $0.path = "a b" }, with { $0.path = "a\r\nb" }, with { $0.headers = [.init("", "x")] },
            with { $0.headers = [.init("a:", "x")] }, with { $0.headers = [.init("a", "x\ny")] },
            with { $0.headers = [.init("Host", "x")] }, with { $0.headers = [.init("sec-websocket-key", "x")] },
            with { options in
                options.headers = [.init("a", "x")]
                options.makeHeaders = { [] }
            },
        ] {
            await expectError(.invalidConfiguration) { _ = try await NATSClient.connect(configuration) }
        }
        for servers in [["ws://a", "nats://b"], ["a,wss://b"], ["wss://a,tls://b"]] {
            await expectError(.mixedWebSocketSchemes) {
                _ = try await NATSClient.connect(NATSClientConfiguration(servers: servers))
            }
        }
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                await expectError(.mixedWebSocketSchemes) { try client.setServerPool(["ws://a"]) }
                try client.setServerPool([server.clientURL, "b"])
            }
        }
    }

    @Test("discovered servers, and servers without scheme, are spoken to by WebSocket too")
    func discovered() async throws {
        let server = try ScriptedServer()
        let configuration = quickConfiguration("ws://127.0.0.1:\(server.port)/a", "10.9.9.9")
        let connecting = Task { try await NATSClient.connect(configuration) }
        let peer = try await server.accept()
        _ = try await peer.acceptWebSocket()
        try await peer.finishHandshake(
            info: ScriptedServer.info(extra: #","tls_required":true,"connect_urls":["10.0.0.1:80","10.0.0.2:8080"]"#)
        )
        let client = try await connecting.value
        #expect(
            Set(client.serverPool.map(\.url)) == [
                "ws://127.0.0.1:\(server.port)", "ws://10.9.9.9:80", "ws://10.0.0.1:80", "ws://10.0.0.2:8080",
            ]
        )
        await client.close()
        await server.close()
    }

    // MARK: Frames

    @Test("fragments, PINGs between them, and the close of the server, after which it is connected to again")
    func controlFrames() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration("ws://127.0.0.1:\(server.port)")) }
        let peer = try await server.accept()
        _ = try await peer.acceptWebSocket()
        let info = Array(ScriptedServer.info().utf8)
        await peer.send(WebSocketBytes.frame(2, Array(info.prefix(10)), isFinal: false, mask: nil))
        await peer.send(WebSocketBytes.frame(9, [1, 2, 3], mask: nil))
        let pong = try await peer.readClientFrame()
        #expect(pong.opcode == 10 && pong.payload == [1, 2, 3])
        await peer.send(WebSocketBytes.frame(10, [9], mask: nil))
        await peer.send(WebSocketBytes.frame(0, [], isFinal: false, mask: nil))
        await peer.send(WebSocketBytes.frame(0, Array(info.dropFirst(10)), mask: nil))
        try await peer.answerConnect()
        let client = try await connecting.value
        let recorder = EventRecorder(client)
        let subscription = try await client.subscribe("a")
        let text = try await peer.readClientFrame().text
        let sid = text.trimmingPrefix("SUB a ").prefix { $0 != "\r\n" }
        #expect(text == "SUB a \(sid)\r\n")
        await peer.send(WebSocketBytes.frame(1, Array("MSG a \(sid) 2\r\nh".utf8), isFinal: false, mask: nil))
        await peer.send(WebSocketBytes.frame(0, Array("i\r\n".utf8), mask: nil))
        #expect(try await subscription.next(timeout: .seconds(60))?.string == "hi")
        await peer.send(WebSocketBytes.frame(8, [3, 233] + Array("Server Shutdown".utf8), mask: nil))
        let close = try await peer.readClientFrame()
        #expect(close.opcode == 8 && close.payload.starts(with: [3, 233]))
        try await peer.expectEnd()
        let again = try await server.accept()
        _ = try await again.acceptWebSocket()
        try await again.finishHandshake()
        #expect(try await again.readClientFrame().text.hasPrefix("SUB a \(sid)\r\n"))
        await recorder.wait { if case .reconnected = $0 { true } else { false } }
        await client.close()
        await server.close()
    }

    @Test(
        "an answer that makes no WebSocket connection is a typed error",
        arguments: [
            "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n",
            "INFO {}\r\n\r\n", "HTTP/1.1 101 S\r\n\r\n",
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            "HTTP/1.1 101 S\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n\r\n",
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: close\r\nSec-WebSocket-Accept: KEY\r\n\r\n",
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\nSec-WebSocket-Protocol: x\r\n\r\n",
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\nSec-WebSocket-Extensions: x\r\n\r\n",
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n"
                + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n"
                + "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=9\r\n\r\n",
            "HTTP/1.1 101 S\r\nX: " + String(repeating: "x", count: 100_000),
            String(repeating: "\0", count: 100_000), "CLOSE",
        ]
    )
    func badAnswers(answer: String) async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration("ws://127.0.0.1:\(server.port)")
        configuration.webSocket.compression = true
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let peer = try await server.accept()
        let key = try await peer.readWebSocketRequest().key
        if answer == "CLOSE" {
            peer.close()
        } else {
            await peer.send(answer.replacing("KEY", with: WebSocketKey.acceptance(of: key)))
        }
        await expectError(.webSocketFailed) { _ = try await connecting.value }
        await server.close()
    }

    @Test(
        "a context takeover that was not asked for is no compression that we know, and none is none",
        arguments: [true, false]
    )
    func compressionAnswers(agreed: Bool) async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration("ws://127.0.0.1:\(server.port)")
        configuration.webSocket.compression = true
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let peer = try await server.accept()
        let extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        _ = try await peer.acceptWebSocket(agreed ? "Sec-WebSocket-Extensions: \(extensions)\r\n" : "")
        await peer.send(WebSocketBytes.frame(2, Array(ScriptedServer.info().utf8), mask: nil))
        let connect = try await peer.readClientFrame()
        #expect(connect.isCompressed == agreed)
        #expect(connect.text.hasPrefix("CONNECT {") == !agreed)
        peer.close()
        await expectError(.disconnected) { _ = try await connecting.value }
        await server.close()
    }

    @Test(
        "frames that break the protocol are a typed error",
        arguments: [
            WebSocketBytes.frame(2, [0x49]), WebSocketBytes.frame(2, [0x49], reserved: 2, mask: nil),
            WebSocketBytes.frame(2, [0x49], reserved: 4, mask: nil), WebSocketBytes.frame(3, [0x49], mask: nil),
            WebSocketBytes.frame(0, [0x49], mask: nil), WebSocketBytes.frame(9, [1], isFinal: false, mask: nil),
            WebSocketBytes.frame(9, Array(repeating: 1, count: 126), mask: nil),
            WebSocketBytes.frame(8, [1], mask: nil),
            WebSocketBytes.frame(2, [0x49], isFinal: false, mask: nil) + WebSocketBytes.frame(2, [0x49], mask: nil),
            [0x82, 0x7f, 0xff, 0, 0, 0, 0, 0, 0, 0],
        ]
    )
    func badFrames(bytes: [UInt8]) async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration("ws://127.0.0.1:\(server.port)")) }
        let peer = try await server.accept()
        _ = try await peer.acceptWebSocket()
        await peer.send(bytes)
        await expectError(.protocolViolation) { _ = try await connecting.value }
        // Told by a close frame with status 1002.
        let close = try await peer.readClientFrame()
        #expect(close.opcode == 8 && close.payload == [3, 234])
        await server.close()
    }

    @Test("a frame of 2^40 bytes is as long as the operations in it, and no longer")
    func hugeFrame() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration("ws://127.0.0.1:\(server.port)")) }
        let peer = try await server.accept()
        _ = try await peer.acceptWebSocket()
        await peer.send([0x82, 0x7f, 0, 0, 1, 0, 0, 0, 0, 0] + Array(repeating: 0x78, count: 100_000))
        await expectError(.noInfoReceived) { _ = try await connecting.value }
        await server.close()
    }
}

extension RawConnection {
    /// Reads the request that a client begins with.
    func readWebSocketRequest() async throws -> (text: String, key: String) {
        let text = String(decoding: try await self.read(until: "\r\n\r\n"), as: UTF8.self)
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") }
        return (text, String(line?.dropFirst("Sec-WebSocket-Key: ".count) ?? ""))
    }

    /// Answers the request as a server does; `extra` are more headers.
    func acceptWebSocket(_ extra: String = "") async throws -> String {
        let request = try await self.readWebSocketRequest()
        await self.send(
            """
            HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: \(WebSocketKey.acceptance(of: request.key))\r\n\(extra)\r\n
            """
        )
        return request.text
    }

    /// A NATS handshake in uncompressed frames.
    func finishHandshake(info: String = ScriptedServer.info()) async throws {
        await self.send(WebSocketBytes.frame(2, Array(info.utf8), mask: nil))
        try await self.answerConnect()
    }

    func answerConnect() async throws {
        let connect = try await self.readClientFrame()
        guard connect.text.hasPrefix("CONNECT {"), connect.text.hasSuffix("}\r\nPING\r\n") else {
            throw ConditionNotMet(description: "no CONNECT but \(connect.text)")
        }
        await self.send(WebSocketBytes.frame(2, Array("PONG\r\n".utf8), mask: nil))
    }

    /// A client's frame, which has to be masked.
    func readClientFrame() async throws -> WebSocketServerFrame {
        let start = try await self.read(count: 2)
        var count = Int(start[1] & 0x7f)
        let more = count == 126 ? 2 : count == 127 ? 8 : 0
        if more > 0 { count = try await self.read(count: more).reduce(0) { $0 << 8 | Int($1) } }
        #expect(start[1] & 0x80 != 0, "a frame without mask")
        let mask = try await self.read(count: 4)
        let payload = count == 0 ? [] : try await self.read(count: count)
        var frame = WebSocketServerFrame(start[0] & 0x0f, payload.enumerated().map { $1 ^ mask[$0 & 3] })
        frame.isFinal = start[0] & 0x80 != 0
        frame.isCompressed = start[0] & 0x40 != 0
        return frame
    }
}
