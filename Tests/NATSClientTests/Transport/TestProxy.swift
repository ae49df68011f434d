import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A SOCKS 5 or HTTP proxy that leads everybody to one port of this machine, and remembers what it was asked for.
final class TestProxy: Sendable {
    enum Kind: Sendable {
        case socks5
        case http
    }

    let port: Int
    private let channel: any Channel
    private let asked = NIOLockedValueBox<[String]>([])
    private let connections = NIOLockedValueBox<[any Channel]>([])

    /// Host and port that clients wanted, or `refused` where the login was wrong.
    var requests: [String] { self.asked.withLockedValue { $0 } }

    private init(_ channel: any Channel) {
        self.channel = channel
        self.port = channel.localAddress?.port ?? 0
    }

    static func withProxy(
        _ kind: Kind,
        to port: Int,
        login: (user: String, password: String)? = nil,
        _ body: (TestProxy) async throws -> Void
    ) async throws {
        let handlers = NIOLockedValueBox<(@Sendable (any Channel) throws -> Void)?>(nil)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try handlers.withLockedValue { $0 }?(channel) }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let proxy = TestProxy(channel)
        let (asked, connections) = (proxy.asked, proxy.connections)
        handlers.withLockedValue {
            $0 = { channel in
                connections.withLockedValue { $0.append(channel) }
                try channel.pipeline.syncOperations.addHandler(
                    Peer(kind, target: port, login: login) { text in asked.withLockedValue { $0.append(text) } }
                )
            }
        }
        try await channel.setOption(.autoRead, value: true).get()
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(proxy))
        } catch {
            result = .failure(error)
        }
        try? await channel.close()
        for connection in connections.withLockedValue({ $0 }) {
            try? await connection.close()
        }
        try result.get()
    }

    /// Breaks all connections.
    func breakConnections() {
        for connection in self.connections.withLockedValue({ $0 }) {
            connection.close(promise: nil)
        }
    }

    /// A client of the proxy.
    private final class Peer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let kind: Kind
        private let target: Int
        private let login: (user: String, password: String)?
        private let asked: @Sendable (String) -> Void
        private var bytes = ByteBuffer()
        private var step = 0
        private var server: (any Channel)?

        init(
            _ kind: Kind,
            target: Int,
            login: (user: String, password: String)?,
            asked: @escaping @Sendable (String) -> Void
        ) {
            self.kind = kind
            self.target = target
            self.login = login
            self.asked = asked
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if let server = self.server {
                server.writeAndFlush(self.unwrapInboundIn(data), promise: nil)
                return
            }
            self.bytes.writeImmutableBuffer(self.unwrapInboundIn(data))
            switch self.kind {
            case .socks5: self.socks(context)
            case .http: self.http(context)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.server?.close(promise: nil)
        }

        private func socks(_ context: ChannelHandlerContext) {
            let view = Array(self.bytes.readableBytesView)
            switch self.step {
            case 0:
                guard view.count >= 2, view.count >= 2 + Int(view[1]) else { return }
                self.bytes.moveReaderIndex(forwardBy: 2 + Int(view[1]))
                self.step = self.login == nil ? 2 : 1
                let method: UInt8 = self.login == nil ? 0 : 2
                let isOffered = view[2..<(2 + Int(view[1]))].contains(method)
                self.write([5, isOffered ? method : 0xff], context)
            case 1:
                guard view.count >= 2, view.count >= 3 + Int(view[1]) else { return }
                let user = view[2..<(2 + Int(view[1]))]
                let count = Int(view[2 + Int(view[1])])
                guard view.count >= 3 + user.count + count else { return }
                let password = view[(3 + user.count)...].prefix(count)
                self.bytes.moveReaderIndex(forwardBy: 3 + user.count + count)
                let isRight = self.login.map {
                    user.elementsEqual($0.user.utf8) && password.elementsEqual($0.password.utf8)
                }
                self.step = 2
                if isRight != true { self.asked("refused") }
                self.write([1, isRight == true ? 0 : 1], context)
            default:
                guard view.count >= 5, view.prefix(3).elementsEqual([5, 1, 0]) else { return }
                let count = view[3] == 1 ? 4 : view[3] == 4 ? 16 : 1 + Int(view[4])
                guard view.count >= 4 + count + 2 else { return }
                let name = view[4..<(4 + count)]
                let host = view[3] == 3 ? String(decoding: name.dropFirst(), as: UTF8.self) : "\(Array(name))"
                self.asked("\(host):\(Int(view[4 + count]) << 8 | Int(view[5 + count]))")
                self.bytes.clear()
                self.connect([5, 0, 0, 1, 127, 0, 0, 1, 0, 1], context)
            }
        }

        private func http(_ context: ChannelHandlerContext) {
            let text = String(decoding: self.bytes.readableBytesView, as: UTF8.self)
            guard text.hasSuffix("\r\n\r\n") else { return }
            self.bytes.clear()
            let lines = text.split(separator: "\r\n")
            if let login = self.login {
                let secret = ["joe:secret": "am9lOnNlY3JldA=="]["\(login.user):\(login.password)"] ?? "none"
                guard lines.contains("Proxy-Authorization: Basic \(secret)") else {
                    self.asked("refused")
                    self.write(
                        Array("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n".utf8),
                        context
                    )
                    return
                }
            }
            self.asked(String(lines.first?.split(separator: " ").dropFirst().first ?? ""))
            self.connect(Array("HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n".utf8), context)
        }

        private func connect(_ answer: [UInt8], _ context: ChannelHandlerContext) {
            let client = context.channel
            let peer = NIOLoopBound(self, eventLoop: context.eventLoop)
            ClientBootstrap(group: context.eventLoop)
                .channelOption(.autoRead, value: false)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Back(to: client))
                    }
                }
                .connect(host: "127.0.0.1", port: self.target)
                .whenComplete { result in
                    switch result {
                    case .success(let server):
                        peer.value.server = server
                        // The server's first bytes come behind the answer, often in one segment with it.
                        client.write(ByteBuffer(bytes: answer), promise: nil)
                        // Or never, if the client is to speak first.
                        client.eventLoop.scheduleTask(in: .milliseconds(20)) { client.flush() }
                        server.setOption(.autoRead, value: true).whenComplete { _ in }
                    case .failure:
                        client.close(promise: nil)
                    }
                }
        }

        private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        }
    }

    /// What the server says, on its way back.
    private final class Back: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private var client: (any Channel)?

        init(to client: any Channel) { self.client = client }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.client?.writeAndFlush(self.unwrapInboundIn(data), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.client?.close(promise: nil)
            self.client = nil
        }
    }
}
