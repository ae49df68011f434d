import NATSTestSupport
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A monitoring port at any address of this machine: pages by path, whatever connections they are asked by.
final class PageServer: Sendable {
    struct State: Sendable {
        /// By path, without query; others are not found.
        var pages: [String: String] = [:]
        /// Every request that comes waits until it is false.
        var isSilent = false
        /// The path after which it is silent.
        var lastWord: String?
        /// Paths with query, in their order.
        var requests: [String] = []
        /// How many connections are open.
        var connections = 0
        /// How many clients have shown a certificate.
        var certificates = 0
    }

    let state: Watched<State>
    private let channel: any Channel

    var port: Int { self.channel.localAddress?.port ?? 0 }

    /// - Parameters:
    ///   - host: An address of this machine.
    ///   - port: 0 is any.
    ///   - tls: For HTTPS.
    ///   - pages: As ``State/pages``.
    /// - Throws: If the system refuses the port.
    init(host: String = "127.0.0.1", port: Int = 0, tls: NIOSSLContext? = nil, pages: [String: String]) async throws {
        let state = Watched(State(pages: pages))
        self.state = state
        self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(PageHandler(state))
                }
            }
            .bind(host: host, port: port)
            .get()
    }

    deinit { self.channel.close(promise: nil) }

    /// From now on nobody is there.
    func close() async throws { try await self.channel.close() }

    /// `/varz` of a server; `extra` are further members.
    static func varz(_ id: String, name: String = "", extra: String = "") -> String {
        """
        {"server_id":"\(id)","server_name":"\(name.isEmpty ? id : name)","version":"2.15.1","now":"\(Fixture.time(1))",\
        "start":"2026-11-20T22:00:00Z","uptime":"1m"\(extra)}
        """
    }

    /// `/routez` with a route to each server at its address.
    static func routez(_ peers: [(id: String, ip: String)]) -> String {
        let routes = peers.map {
            #"{"rid":1,"remote_id":"\#($0.id)","remote_name":"name of \#($0.id)","ip":"\#($0.ip)"}"#
        }
        return #"{"num_routes":\#(peers.count),"routes":[\#(routes.joined(separator: ","))]}"#
    }

    /// `/connz` of a server that says who it is.
    static func connz(_ id: String, _ connections: [String] = []) -> String {
        #"{"server_id":"\#(id)","connections":[\#(connections.joined(separator: ","))],"total":\#(connections.count)}"#
    }
}

private final class PageHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let state: Watched<PageServer.State>

    init(_ state: Watched<PageServer.State>) { self.state = state }

    func channelActive(context: ChannelHandlerContext) {
        self.state.update { $0.connections += 1 }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.state.update { $0.connections -= 1 }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = self.unwrapInboundIn(data) else { return }
        let path = String(head.uri.prefix { $0 != "?" })
        let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
        let hasCertificate = tls?.peerCertificate != nil
        let mustWait = self.state.update { state in
            state.requests.append(head.uri)
            if hasCertificate { state.certificates += 1 }
            defer { if path == state.lastWord { state.isSilent = true } }
            return state.isSilent
        }
        let channel = context.channel
        let state = self.state
        Task {
            if mustWait { _ = await state.wait(timeout: .seconds(120)) { !$0.isSilent } }
            let page = state.value.pages[path]
            var response = HTTPResponseHead(version: .http1_1, status: page == nil ? .notFound : .ok)
            let body = channel.allocator.buffer(string: page ?? "no such page")
            response.headers.add(name: "Content-Length", value: String(body.readableBytes))
            channel.write(HTTPServerResponsePart.head(response), promise: nil)
            channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
            channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        }
    }
}
