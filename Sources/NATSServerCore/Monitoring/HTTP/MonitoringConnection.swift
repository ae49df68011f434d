import NIOCore
import NIOHTTP1

/// One HTTP connection to the monitoring pages.
///
/// Answers one request after the other and reads nothing meanwhile. Every wait has an end: for a request, between
/// requests, and for the client to take its answer.
///
/// `@unchecked Sendable`: only touched on the event loop of the monitoring pages.
final class MonitoringConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private enum Item {
        /// `isLast`: what follows cannot be understood any more.
        case request(MonitoringRequest, isLast: Bool)
        case refusal(MonitoringResponse.Refusal)
    }

    /// What the deadline that is set is for.
    private enum Wait {
        case header
        case body
        case nextRequest
        case answer
        case write
    }

    private typealias Limits = MonitoringServer.Limits

    private let server: MonitoringServer
    private var context: ChannelHandlerContext?
    private var items: [Item] = []
    /// A request whose body has not ended.
    private var incoming: MonitoringRequest?
    private var bodySize = 0
    private var isAnswering = false
    /// Nothing that arrives counts any more.
    private var ignoresInput = false
    private var inputEnded = false
    private var isClosed = false
    private var wait = Wait.header
    private var waitBegan = NIODeadline.now()
    private var deadline: Scheduled<Void>?
    /// Bytes of the answer that the client has not taken.
    private var outstanding = 0

    init(_ server: MonitoringServer) { self.server = server }

    /// Waits for its next request.
    var isIdle: Bool { self.wait == .nextRequest && !self.isAnswering && self.items.isEmpty && self.incoming == nil }

    /// Since when it has owed a whole request; `nil` if it has sent one, or need not send another.
    var requestAwaited: NIODeadline? {
        guard !self.isAnswering, self.items.isEmpty else { return nil }
        switch self.wait {
        case .header, .body: return self.waitBegan
        case .nextRequest, .answer, .write: return nil
        }
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { self.start(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard self.deadline == nil else { return }
        self.set(.header, Limits.request)
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.ignoresInput else { return }
        switch self.unwrapInboundIn(data) {
        case .head(let head): self.begin(head)
        case .body(let bytes):
            self.bodySize += bytes.readableBytes
            if self.bodySize > Limits.body { self.finishRequest(isLast: true) }
        case .end: self.finishRequest(isLast: false)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // With a request to answer, nothing more is read until that is done.
        guard self.items.isEmpty else { return self.next() }
        guard !self.isAnswering, !self.isClosed, !self.ignoresInput else { return }
        // The beginning of a request: it has to come to its end.
        if self.wait == .nextRequest { self.set(.header, Limits.request) }
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        self.inputEnded = true
        if !self.isAnswering, self.items.isEmpty { self.close() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError, !self.ignoresInput else {
            if !self.ignoresInput { self.close() }
            return
        }
        let refusal: MonitoringResponse.Refusal
        switch error {
        case .headerOverflow: refusal = .headerTooLarge
        case .invalidVersion: refusal = .unsupportedVersion
        // The input ended in the middle of a request.
        case .invalidEOFState: return self.close()
        default: refusal = .badRequest
        }
        self.refuse(refusal)
        self.next()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.ended()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.ended()
        self.context = nil
    }

    // MARK: Requests

    private func begin(_ head: HTTPRequestHead) {
        switch MonitoringRequest.make(head) {
        case .failure(let refusal):
            self.refuse(refusal)
        case .success(let request):
            self.incoming = request
            self.bodySize = 0
            self.set(.body, Limits.request)
            // A body that is announced and will not be read: answered at once, and nothing after it.
            let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
            if length > Limits.body || head.headers.contains(name: "expect") { self.finishRequest(isLast: true) }
        }
    }

    private func finishRequest(isLast: Bool) {
        guard let request = self.incoming else { return }
        self.incoming = nil
        self.items.append(.request(request, isLast: isLast))
        if isLast || !request.isKeepAlive { self.ignoresInput = true }
    }

    private func refuse(_ refusal: MonitoringResponse.Refusal) {
        self.incoming = nil
        self.ignoresInput = true
        self.items.append(.refusal(refusal))
    }

    // MARK: Answers

    private func next() {
        guard !self.isAnswering, !self.isClosed, !self.items.isEmpty else { return }
        self.isAnswering = true
        switch self.items.removeFirst() {
        case .refusal(let refusal):
            self.write([ByteBuffer(bytes: refusal.bytes)][...], closes: true)
        case .request(let request, let isLast):
            self.deadline?.cancel()
            self.wait = .answer
            self.server.respond(to: request, for: self).whenComplete { result in
                guard !self.isClosed else { return }
                switch result {
                case .success(let response): self.send(response, to: request, isLast: isLast)
                // The server is about to end.
                case .failure: self.close()
                }
            }
        }
    }

    private func send(_ response: MonitoringResponse, to request: MonitoringRequest, isLast: Bool) {
        let framing = response.framing(for: request, date: self.server.date, mustClose: isLast)
        var pieces: [ByteBuffer] = []
        var piece = ByteBuffer(bytes: framing.head)
        if framing.hasBody {
            var rest = response.body[...]
            while !rest.isEmpty {
                piece.writeBytes(rest.prefix(Limits.pieceSize))
                rest = rest.dropFirst(Limits.pieceSize)
                pieces.append(piece)
                piece = ByteBuffer()
            }
        }
        piece.writeBytes(framing.tail)
        if piece.readableBytes > 0 { pieces.append(piece) }
        self.write(pieces[...], closes: framing.closes)
    }

    /// Writes one piece after the other, each when the client has taken the one before.
    private func write(_ pieces: ArraySlice<ByteBuffer>, closes: Bool) {
        let total = pieces.reduce(0) { $0 + $1.readableBytes }
        self.outstanding = total
        self.server.outstandingChanged(by: total)
        self.writeNext(pieces, closes: closes)
    }

    private func writeNext(_ pieces: ArraySlice<ByteBuffer>, closes: Bool) {
        guard let context = self.context, !self.isClosed else { return }
        guard let piece = pieces.first else {
            self.answered(closes: closes)
            return
        }
        self.set(.write, Limits.write)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { result in
            guard !self.isClosed else { return }
            self.outstanding -= piece.readableBytes
            self.server.outstandingChanged(by: -piece.readableBytes)
            switch result {
            case .success: self.writeNext(pieces.dropFirst(), closes: closes)
            case .failure: self.close()
            }
        }
        context.writeAndFlush(self.wrapOutboundOut(piece), promise: promise)
    }

    private func answered(closes: Bool) {
        self.isAnswering = false
        guard !closes, !(self.inputEnded && self.items.isEmpty) else { return self.close() }
        self.set(.nextRequest, Limits.idle)
        guard self.items.isEmpty else {
            // Not at once: a read may have brought hundreds of requests, one call within the other.
            self.context?.eventLoop.execute { self.next() }
            return
        }
        guard self.incoming == nil else {
            self.set(.body, Limits.request)
            self.context?.read()
            return
        }
        self.context?.read()
    }

    // MARK: Ends

    private func set(_ wait: Wait, _ limit: TimeAmount) {
        self.deadline?.cancel()
        self.wait = wait
        self.waitBegan = .now()
        self.deadline = self.context?.eventLoop.scheduleTask(in: limit) { self.timedOut() }
    }

    private func timedOut() {
        guard !self.isClosed else { return }
        self.context?.triggerUserOutboundEvent(MonitoringHandshakeLog.TimedOut(), promise: nil)
        self.close()
    }

    func close() {
        guard !self.isClosed else { return }
        self.ended()
        self.context?.close(promise: nil)
    }

    private func ended() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.deadline?.cancel()
        self.items = []
        if self.outstanding > 0 {
            self.server.outstandingChanged(by: -self.outstanding)
            self.outstanding = 0
        }
        self.server.connectionEnded(self)
    }
}
