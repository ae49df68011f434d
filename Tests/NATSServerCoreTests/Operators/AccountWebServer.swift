import NATSTestSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A web server on 127.0.0.1 for tests of resolvers: says what it was asked, and answers what the test wants.
final class AccountWebServer: Sendable {
    struct Request: Sendable, Equatable, CustomStringConvertible {
        var target: String
        var host: String?
        var authorization: String?
        var referrer: String?

        var description: String {
            let more = [("authorization", self.authorization), ("referrer", self.referrer)].compactMap { name, value in
                value.map { " \(name) \($0)" }
            }
            return "\(self.target) of \(self.host ?? "nobody")" + more.joined()
        }
    }

    enum Answer: Sendable {
        case text(String)
        case status(Int, String = "")
        case redirect(Int, String)
        /// Closes the connection.
        case nothing
        /// A header that promises more than comes.
        case half
        /// Keeps the connection, and says nothing.
        case silence
    }

    let port: Int
    private let listener: any Channel
    private let received: Watched<[Request]>

    private init(listener: any Channel, received: Watched<[Request]>) {
        self.listener = listener
        self.port = listener.localAddress?.port ?? 0
        self.received = received
    }

    /// What it was asked since the last call.
    func takeRequests() -> [Request] {
        self.received.update { requests in
            defer { requests = [] }
            return requests
        }
    }

    /// Serves while something runs.
    static func with<Result: Sendable>(
        tls: NIOSSLContext? = nil,
        _ answer: @escaping @Sendable (String) -> Answer,
        _ body: (AccountWebServer) async throws -> Result
    ) async throws -> Result {
        let received = Watched<[Request]>([])
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(Handler(received, answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = AccountWebServer(listener: listener, received: received)
        do {
            let result = try await body(server)
            try await listener.close()
            return result
        } catch {
            try? await listener.close()
            throw error
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let received: Watched<[Request]>
        private let answer: @Sendable (String) -> Answer
        private var target = ""

        init(_ received: Watched<[Request]>, _ answer: @escaping @Sendable (String) -> Answer) {
            self.received = received
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch self.unwrapInboundIn(data) {
            case .head(let head):
                self.target = head.uri
                let request = Request(
                    target: "\(head.method) \(head.uri)",
                    host: head.headers.first(name: "Host"),
                    authorization: head.headers.first(name: "Authorization"),
                    referrer: head.headers.first(name: "Referer")
                )
                self.received.update { $0.append(request) }
            case .body:
                break
            case .end:
                self.write(self.answer(self.target), context)
            }
        }

        private func write(_ answer: Answer, _ context: ChannelHandlerContext) {
            switch answer {
            case .text(let text): self.write(.ok, [:], text, context)
            case .status(let code, let text): self.write(HTTPResponseStatus(statusCode: code), [:], text, context)
            case .redirect(let code, let location):
                self.write(HTTPResponseStatus(statusCode: code), ["Location": location], "", context)
            case .nothing: context.close(promise: nil)
            case .half:
                let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "10"])
                context.write(self.wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "abc")))), promise: nil)
                context.close(promise: nil)
            case .silence: break
            }
        }

        private func write(
            _ status: HTTPResponseStatus,
            _ headers: HTTPHeaders,
            _ text: String,
            _ context: ChannelHandlerContext
        ) {
            var headers = headers
            headers.add(name: "Content-Length", value: "\(text.utf8.count)")
            let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
            context.write(self.wrapOutboundOut(.head(head)), promise: nil)
            context.write(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
