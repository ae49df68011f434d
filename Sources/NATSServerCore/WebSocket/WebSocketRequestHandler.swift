import Logging
import NATSWire
import NIOCore
import NIOHTTP1

/// Answers HTTP requests on the WebSocket port until one of them makes the connection a client's.
///
/// Then it leaves the pipeline to a ``WebSocketHandler`` and a ``ClientConnection``. A connection that has not come so far
/// is nobody's yet: the server does not count it, and it ends when its time is over.
final class WebSocketRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let loop: ServerLoop
    private let service: WebSocketService
    private let security: ConnectionSecurity?
    private var reader = WebSocketRequestReader()
    private var deadline: Scheduled<Void>?
    private var isDone = false
    /// Whether ``advance(_:)`` comes as soon as others had their turn.
    private var isTurnPending = false
    private var inputEnded = false

    /// So long an answer may take that is the last one.
    private static let longestGoodbye = TimeAmount.seconds(2)

    init(loop: ServerLoop, service: WebSocketService, security: ConnectionSecurity?) {
        self.loop = loop
        self.service = service
        self.security = security
    }

    private var logger: Logger { self.loop.shared.logger }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { self.start(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard self.deadline == nil else { return }
        self.setDeadline(context)
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isDone else { return }
        self.reader.received(self.unwrapInboundIn(data))
        if !self.isTurnPending { self.advance(context) }
    }

    /// Answers one request; a read can hold thousands, and others must get their turn in between.
    private func advance(_ context: ChannelHandlerContext) {
        switch self.reader.next() {
        case .incomplete:
            if self.inputEnded { self.close(context) }
            return
        case .refusal(let refusal):
            return self.write(refusal.bytes, closes: true, context)
        case .head(let head, let hasMore):
            self.handle(head, hasMore: hasMore, context)
        }
        guard !self.isDone else { return }
        self.isTurnPending = true
        context.eventLoop.assumeIsolated().execute {
            self.isTurnPending = false
            guard !self.isDone else { return }
            self.advance(context)
            if !self.isDone, !self.isTurnPending { context.read() }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !self.isDone, !self.isTurnPending { context.read() }
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed, !self.isDone {
            if self.isTurnPending { self.inputEnded = true } else { self.close(context) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.close(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.isDone = true
        self.end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.end()
    }

    // MARK: Requests

    private func handle(_ head: HTTPRequestHead, hasMore: Bool, _ context: ChannelHandlerContext) {
        let request: MonitoringRequest
        switch MonitoringRequest.make(head) {
        case .failure(let refusal): return self.write(refusal.bytes, closes: true, context)
        case .success(let made): request = made
        }
        // As Go's ServeMux does before anything else looks at the path.
        if head.method != .CONNECT, let path = MonitoringPath.redirection(of: request.rawPath) {
            let query = request.rawQuery.isEmpty ? "" : "?\(request.rawQuery)"
            return self.answer(head, request, .redirect(to: path + query), context)
        }
        let handshake = WebSocketHandshake(
            options: self.service.options,
            origins: self.service.origins,
            isTLS: self.security != nil
        )
        switch handshake.decide(head) {
        case .failure(let refusal):
            self.refuse(head, request, refusal, context)
        case .success(let agreement):
            guard !hasMore else {
                self.log("client sent data before handshake is complete", context)
                return self.close(context)
            }
            self.upgrade(agreement, answer: handshake.answer(to: head, agreement), context)
        }
    }

    private func refuse(
        _ head: HTTPRequestHead,
        _ request: MonitoringRequest,
        _ refusal: WebSocketHandshake.Refusal,
        _ context: ChannelHandlerContext
    ) {
        self.log(refusal.reason, context)
        self.answer(head, request, WebSocketHandshake.answer(to: refusal), context)
    }

    /// Answers a request that does not lead to a connection.
    private func answer(
        _ head: HTTPRequestHead,
        _ request: MonitoringRequest,
        _ response: MonitoringResponse,
        _ context: ChannelHandlerContext
    ) {
        var request = request
        request.isKeepAlive = head.isKeepAlive
        // A body would have to be read over.
        let hasBody =
            head.headers.contains(name: "transfer-encoding")
            || head.headers.first(name: "content-length").map { $0 != "0" } ?? false
        let date = TimeText.http(self.loop.shared.clock.wallNanoseconds(.now()))
        let framing = response.framing(for: request, date: date, mustClose: hasBody)
        self.write(framing.head + (framing.hasBody ? response.body : []), closes: framing.closes, context)
        if !framing.closes { self.setDeadline(context) }
    }

    private func log(_ reason: String, _ context: ChannelHandlerContext) {
        let peer = context.remoteAddress.map(ClientConnection.describe) ?? ""
        self.logger.error("\(peer) - websocket handshake error: \(reason)")
    }

    private func write(_ bytes: [UInt8], closes: Bool, _ context: ChannelHandlerContext) {
        // Whoever does not take small answers gets no more of them.
        guard context.channel.isWritable else { return self.close(context) }
        let promise = closes ? context.eventLoop.makePromise(of: Void.self) : nil
        if closes {
            self.isDone = true
            let channel = context.channel
            promise?.futureResult.whenComplete { _ in channel.close(promise: nil) }
            // Whoever does not take it has had enough time.
            self.deadline?.cancel()
            self.deadline = context.eventLoop.assumeIsolated().scheduleTask(
                in: min(self.service.requestTime, Self.longestGoodbye)
            ) { self.close(context) }
        }
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: promise)
    }

    // MARK: Upgrade

    private func upgrade(
        _ agreement: WebSocketHandshake.Agreement,
        answer: [UInt8],
        _ context: ChannelHandlerContext
    ) {
        self.isDone = true
        self.end()
        guard !agreement.isLeafNode else {
            self.logger.error("Not configured to accept leaf node connections")
            return self.write(answer, closes: true, context)
        }
        context.write(self.wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        let webSocket = WebSocketHandler(service: self.service, loop: self.loop, agreement)
        let connection = ClientConnection(
            id: self.loop.shared.nextClientID(),
            loop: self.loop,
            webSocket: webSocket,
            security: self.security
        )
        webSocket.connection = connection
        do {
            try context.pipeline.syncOperations.addHandlers([webSocket, connection], position: .after(self))
        } catch {
            connection.outlet.detach()
            return context.close(promise: nil)
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    // MARK: Ends

    private func setDeadline(_ context: ChannelHandlerContext) {
        self.deadline?.cancel()
        self.deadline = context.eventLoop.assumeIsolated().scheduleTask(in: self.service.requestTime) {
            guard !self.isDone else { return }
            context.triggerUserOutboundEvent(MonitoringHandshakeLog.TimedOut(), promise: nil)
            self.close(context)
        }
    }

    private func end() {
        self.deadline?.cancel()
    }

    private func close(_ context: ChannelHandlerContext) {
        self.isDone = true
        self.end()
        guard let security = self.security,
            let below = try? context.pipeline.syncOperations.context(handler: security.handler)
        else { return context.close(promise: nil) }
        // Past NIOSSL, which would wait for the client's good-bye.
        below.close(promise: nil)
    }
}
