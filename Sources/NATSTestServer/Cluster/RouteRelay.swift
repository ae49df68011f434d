import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Where other servers reach one server of a cluster: takes their connections and passes bytes on, both ways.
///
/// Who dials is known by the first line, `CONNECT {"name":"<server id>",…}`.
final class RouteRelay: Sendable {
    private struct State {
        var target: (port: Int, node: Int)?
    }

    let links: RelayLinks
    private let listener: any Channel
    private let state: NIOLockedValueBox<State>

    /// Listens on a free port.
    ///
    /// - Throws: If there is none.
    init(links: RelayLinks) async throws {
        self.links = links
        let state = NIOLockedValueBox(State())
        self.state = state
        self.listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let target = state.withLockedValue { $0.target }
                    try channel.pipeline.syncOperations.addHandler(RelayGreeter(links: links, target: target))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
    }

    var port: Int { self.listener.localAddress?.port ?? 0 }

    /// For the routes of other servers.
    var url: String { "nats://127.0.0.1:\(self.port)" }

    /// Whom connections are for; until this is known they end at once, and whoever dials tries again.
    func setTarget(port: Int, node: Int) { self.state.withLockedValue { $0.target = (port, node) } }

    func close() async { try? await self.listener.close() }
}

/// Reads who dials, then connects him.
private final class RelayGreeter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private static let longestLine = 16 << 10

    private let links: RelayLinks
    private let target: (port: Int, node: Int)?
    private var received = ByteBuffer()
    private var isConnecting = false

    init(links: RelayLinks, target: (port: Int, node: Int)?) {
        self.links = links
        self.target = target
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = self.unwrapInboundIn(data)
        self.received.writeBuffer(&buffer)
        guard !self.isConnecting else { return }
        guard let end = self.received.readableBytesView.firstIndex(of: 0x0a) else {
            if self.received.readableBytes > Self.longestLine { context.close(promise: nil) }
            return
        }
        let line = String(decoding: self.received.readableBytesView[..<end], as: UTF8.self)
        guard let target = self.target, let id = Self.serverID(in: line) else { return context.close(promise: nil) }
        self.isConnecting = true
        let (greeter, context) = (NIOLoopBound(self, eventLoop: context.eventLoop), context.loopBound)
        self.links.node(of: id, on: context.eventLoop).whenSuccess { dialler in
            greeter.value.found(dialler, for: target, context.value)
        }
    }

    private func found(_ dialler: Int?, for target: (port: Int, node: Int), _ context: ChannelHandlerContext) {
        guard context.channel.isActive, let dialler, self.links.fault(from: dialler, to: target.node) != .cut else {
            return context.close(promise: nil)
        }
        self.connect(context, from: dialler, to: target)
    }

    /// The value of `name` in a CONNECT.
    private static func serverID(in line: String) -> String? {
        guard let start = line.firstRange(of: "\"name\":\"")?.upperBound else { return nil }
        return String(line[start...].prefix { $0 != "\"" })
    }

    private func connect(_ context: ChannelHandlerContext, from dialler: Int, to target: (port: Int, node: Int)) {
        let (links, near) = (self.links, context.channel)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: target.port)
            .whenComplete { result in
                guard case .success(let far) = result else { return near.close(promise: nil) }
                let passage = RelayPassage(near: near, far: far, from: dialler, to: target.node, links: links)
                passage.begin(with: handler.value.received)
                near.pipeline.syncOperations.removeHandler(handler.value, promise: nil)
            }
    }
}
