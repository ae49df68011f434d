import NIOCore
import NIOHTTP1

/// Puts an HTTP answer together, within a time.
final class HTTPAnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    struct Answer: Sendable {
        var status: HTTPResponseStatus
        /// Where it redirects to.
        var location: String?
        var body: String
    }

    /// In Go's words.
    enum Failure: Error, CustomStringConvertible {
        case timeout
        case timeoutInBody
        case tooLarge
        case ended
        case endedInBody

        var description: String {
            switch self {
            case .timeout: "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            case .timeoutInBody: "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
            case .tooLarge: "answer too large"
            case .ended: "EOF"
            case .endedInBody: "unexpected EOF"
            }
        }

        /// Whether it came to a header.
        var isOfBody: Bool {
            switch self {
            case .timeoutInBody, .endedInBody: true
            case .timeout, .tooLarge, .ended: false
            }
        }
    }

    /// No JWT is that large.
    private static let largestBody = 4 << 20

    private let promise: EventLoopPromise<Answer>
    private let deadline: NIODeadline
    private var timer: Scheduled<Void>?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    init(_ promise: EventLoopPromise<Answer>, _ deadline: NIODeadline) {
        self.promise = promise
        self.deadline = deadline
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: self.deadline) {
            self.fail(self.head == nil ? .timeout : .timeoutInBody, context)
        }
    }

    private func fail(_ error: Failure, _ context: ChannelHandlerContext) {
        self.promise.fail(error)
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
        case .body(let bytes):
            self.body += bytes.readableBytesView
            if self.body.count > Self.largestBody { self.fail(.tooLarge, context) }
        case .end:
            guard let head = self.head, head.status.code >= 200 else {
                // 100 Continue and its like come before the answer.
                self.head = nil
                return
            }
            self.promise.succeed(
                Answer(
                    status: head.status,
                    location: head.headers.first(name: "Location").flatMap { $0.isEmpty ? nil : $0 },
                    body: String(decoding: self.body, as: UTF8.self)
                )
            )
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.head != nil { self.promise.fail(Failure.endedInBody) } else { self.promise.fail(error) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.promise.fail(self.head == nil ? Failure.ended : .endedInBody)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.timer?.cancel()
        self.timer = nil
        self.promise.fail(Failure.ended)
    }
}
