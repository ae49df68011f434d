import NATSCommandSupport
import NIOCore
import NIOHTTP1

/// Sends one request after the other, and collects the answer to each.
final class ExchangeHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Exchange
    typealias OutboundOut = HTTPClientRequestPart

    private var promise: EventLoopPromise<Answer>?
    private var answer: Answer?
    private var maximumBodyBytes = 0
    /// What ended the connection before there was a request.
    private var failure: FetchError?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let exchange = self.unwrapOutboundIn(data)
        if let failure = self.failure {
            exchange.promise.fail(failure)
            promise?.fail(failure)
            return
        }
        self.promise?.fail(FetchError.closed)
        self.promise = exchange.promise
        self.maximumBodyBytes = exchange.maximumBodyBytes
        self.answer = nil
        let headers: HTTPHeaders = [
            "Host": exchange.host,
            "User-Agent": "nats-top/\(ToolVersion.current)",
            "Accept": "application/json",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: exchange.path, headers: headers)
        context.write(self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(self.wrapOutboundOut(.end(nil)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.answer = Answer(status: Int(head.status.code), staysOpen: head.isKeepAlive)
        case .body(var part):
            guard var answer = self.answer else { return }
            self.answer = nil
            guard answer.body.readableBytes + part.readableBytes <= self.maximumBodyBytes else {
                return self.fail(.tooLarge, context)
            }
            answer.body.writeBuffer(&part)
            self.answer = answer
        case .end:
            guard let answer = self.answer, let promise = self.promise else { return }
            (self.answer, self.promise) = (nil, nil)
            promise.succeed(answer)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.fail(.closed, context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail(FetchError(error), context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.promise?.fail(FetchError.closed)
        self.promise = nil
    }

    private func fail(_ error: FetchError, _ context: ChannelHandlerContext) {
        // The first reason is the true one: closing follows from it.
        self.failure = self.failure ?? error
        self.promise?.fail(error)
        (self.promise, self.answer) = (nil, nil)
        context.close(promise: nil)
    }
}

/// Recognizes the port of clients before the parser of HTTP stumbles over it.
final class ClientPortDetector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private static let mark = Array("INFO ".utf8)

    private var first: [UInt8] = []

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if self.first.count < Self.mark.count {
            self.first += self.unwrapInboundIn(data).readableBytesView.prefix(Self.mark.count - self.first.count)
        }
        if self.first == Self.mark {
            context.fireErrorCaught(FetchError.clientPort)
        } else {
            context.fireChannelRead(data)
        }
    }
}
