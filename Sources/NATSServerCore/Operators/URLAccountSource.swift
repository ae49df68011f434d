internal import NATSServerConfig
import NATSText
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A web server that has the JWTs of accounts: `GET URL/PUBLIC_KEY` (nats-server accounts.go URLAccResolver).
///
/// Waits for answers: never to be called on an event loop.
final class URLAccountSource: Sendable {
    /// For the whole of a request (nats-server accounts.go DEFAULT_ACCOUNT_FETCH_TIMEOUT).
    private static let timeout: TimeAmount = .milliseconds(1900)

    private let base: String
    private let url: ConfigurationURL
    private let group = NIOLockedValueBox<(used: MultiThreadedEventLoopGroup?, isEnded: Bool)>((nil, false))

    /// - Returns: `nil` if it is none of the web.
    init?(_ text: String) {
        self.base = text.hasSuffix("/") ? text : "\(text)/"
        guard let url = ConfigurationURL(self.base), ["http", "https"].contains(url.scheme), !url.host.isEmpty else {
            return nil
        }
        self.url = url
    }

    /// The body of the answer about an account.
    func fetch(_ name: String) throws(AccountResolver.Failure) -> String {
        let shown = GoString.quoted(Array(self.redacted(self.base + name).utf8))
        func failure(_ cause: String) -> AccountResolver.Failure {
            AccountResolver.Failure(description: "could not fetch <\(shown)>: \(cause)")
        }
        let answer: HTTPAnswerCollector.Answer
        do {
            answer = try self.get(name).wait()
        } catch let error as HTTPAnswerCollector.Failure {
            throw failure("Get \(shown): \(error.description)")
        } catch let error as ChannelError where error == .connectTimeout(Self.timeout) {
            throw failure("Get \(shown): context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
        } catch {
            throw failure("Get \(shown): \(Self.describe(error, host: self.url.host, port: self.port))")
        }
        guard answer.status.code == 200 else {
            throw failure("\(answer.status.code) \(answer.status.reasonPhrase)")
        }
        return answer.body
    }

    /// Ends the thread.
    func end() {
        let group = self.group.withLockedValue { group in
            group.isEnded = true
            return group.used.take()
        }
        group?.shutdownGracefully { _ in }
    }

    private var port: Int { self.url.port ?? (self.url.scheme == "https" ? 443 : 80) }

    /// Without a password, however it is written.
    private func redacted(_ text: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text }
        let authority = text[scheme.upperBound...].prefix { !"/?#".contains($0) }
        guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else {
            return text
        }
        return "\(text[..<colon]):xxxxx\(text[at...])"
    }

    private func get(_ name: String) throws -> EventLoopFuture<HTTPAnswerCollector.Answer> {
        let group = try self.group.withLockedValue { group in
            guard !group.isEnded else { throw HTTPAnswerCollector.Failure.ended }
            let used = group.used ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
            group.used = used
            return used
        }
        let host = self.url.host
        let isSecure = self.url.scheme == "https"
        let promise = group.next().makePromise(of: HTTPAnswerCollector.Answer.self)
        let bootstrap = ClientBootstrap(group: promise.futureResult.eventLoop)
            .connectTimeout(Self.timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.closeOnExec()
                    let pipeline = channel.pipeline.syncOperations
                    if isSecure {
                        let context = try NIOSSLContext(configuration: .makeClientConfiguration())
                        let isName = (try? SocketAddress(ipAddress: host, port: 0)) == nil
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: isName ? host : nil)
                        )
                    }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(HTTPAnswerCollector(promise))
                }
            }
        let isUsual = self.url.port == nil
        let authority = isUsual ? host : "\(host.contains(":") ? "[\(host)]" : host):\(self.port)"
        let path = "/" + String((self.url.path + name).drop { $0 == "/" })
        bootstrap.connect(host: host, port: self.port).whenComplete { result in
            switch result {
            case .failure(let error):
                promise.fail(error)
            case .success(let channel):
                let timer = channel.eventLoop.scheduleTask(in: Self.timeout) {
                    promise.fail(HTTPAnswerCollector.Failure.timeout)
                    channel.close(promise: nil)
                }
                promise.futureResult.whenComplete { _ in
                    timer.cancel()
                    channel.close(promise: nil)
                }
                let head = HTTPRequestHead(
                    version: .http1_1,
                    method: .GET,
                    uri: path,
                    headers: ["Host": authority, "User-Agent": "nats-server", "Connection": "close"]
                )
                channel.write(HTTPClientRequestPart.head(head), promise: nil)
                channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            }
        }
        return promise.futureResult
    }

    /// Go's text for what connecting failed with.
    private static func describe(_ error: any Error, host: String, port: Int) -> String {
        let address = HostPort.join(host, port)
        guard let failure = error as? NIOConnectionError else { return "\(error)" }
        if failure.dnsAError != nil || failure.dnsAAAAError != nil, failure.connectionErrors.isEmpty {
            return "dial tcp: lookup \(host): no such host"
        }
        if let code = (failure.connectionErrors.first?.error as? IOError)?.errnoCode, code == ECONNREFUSED {
            return "dial tcp \(address): connect: connection refused"
        }
        return "dial tcp \(address): \(failure.connectionErrors.first.map { "\($0.error)" } ?? "\(failure)")"
    }
}

/// Puts an HTTP answer together.
private final class HTTPAnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    struct Answer: Sendable {
        var status: HTTPResponseStatus
        var body: String
    }

    enum Failure: Error, CustomStringConvertible {
        case timeout
        case tooLarge
        case ended

        var description: String {
            switch self {
            case .timeout: "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            case .tooLarge: "answer too large"
            case .ended: "EOF"
            }
        }
    }

    /// No JWT is that large.
    private static let largestBody = 4 << 20

    private let promise: EventLoopPromise<Answer>
    private var status: HTTPResponseStatus?
    private var body: [UInt8] = []

    init(_ promise: EventLoopPromise<Answer>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.status = head.status
        case .body(let bytes):
            self.body += bytes.readableBytesView
            guard self.body.count > Self.largestBody else { return }
            self.promise.fail(Failure.tooLarge)
            context.close(promise: nil)
        case .end:
            guard let status = self.status else { return }
            self.promise.succeed(Answer(status: status, body: String(decoding: self.body, as: UTF8.self)))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { self.promise.fail(Failure.ended) }

    func handlerRemoved(context: ChannelHandlerContext) { self.promise.fail(Failure.ended) }
}
