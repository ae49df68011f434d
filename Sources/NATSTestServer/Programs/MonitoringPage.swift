import NATSWire
import NIOCore
import NIOPosix

/// Pages that a server serves about itself.
enum MonitoringPage {
    /// Longer than any page of a cluster in a test.
    private static let longest = 16 << 20
    private static let patience: TimeAmount = .seconds(10)

    /// Fetches one.
    ///
    /// - Parameters:
    ///   - target: Path and query, such as `/routez`.
    ///   - port: The port of the pages on 127.0.0.1.
    /// - Returns: The members of the JSON object that it is.
    /// - Throws: If there is nobody, or no JSON object.
    static func fetch(_ target: String, port: Int) async throws -> [String: JSONValue] {
        let group = MultiThreadedEventLoopGroup.singleton
        let answer = group.any().makePromise(of: ByteBuffer.self)
        let channel = try await ClientBootstrap(group: group)
            .connectTimeout(Self.patience)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(answer, atMost: Self.longest))
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .flatMapErrorThrowing { error in
                answer.fail(error)
                throw error
            }
            .get()
        // Without keep-alive and chunks.
        channel.writeAndFlush(ByteBuffer(string: "GET \(target) HTTP/1.0\r\n\r\n"), promise: nil)
        let timeout = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
        defer { timeout.cancel() }
        let text = String(buffer: try await answer.futureResult.get())
        guard let end = text.firstRange(of: "\r\n\r\n")?.upperBound,
            case .object(let members) = try JSONValue.parse(Array(text[end...].utf8))
        else { throw NATSTestServerError(message: "no page \(target) at port \(port): \(text.prefix(200))") }
        return Dictionary(members.map { ($0.key, $0.value) }) { $1 }
    }
}

/// Keeps what comes until the connection ends.
private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: EventLoopPromise<ByteBuffer>
    private let limit: Int
    private var received = ByteBuffer()

    init(_ answer: EventLoopPromise<ByteBuffer>, atMost limit: Int) {
        self.answer = answer
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = self.unwrapInboundIn(data)
        self.received.writeBuffer(&part)
        if self.received.readableBytes > self.limit { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { self.answer.succeed(self.received) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
