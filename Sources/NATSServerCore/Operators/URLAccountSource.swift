internal import NATSServerConfig
import NATSText
import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A web server that has the JWTs of accounts: `GET URL/PUBLIC_KEY` (nats-server accounts.go URLAccResolver).
///
/// Waits for answers: never to be called on an event loop.
final class URLAccountSource: Sendable {
    private struct State {
        var group: MultiThreadedEventLoopGroup?
        var isEnded = false
        var tls: NIOSSLContext?
    }

    /// Why a connection is not even tried, in Go's words.
    private struct Unusable: Error {
        let reason: String
        /// What Go names as the URL if it is another text.
        var shown: String?
    }

    /// What is asked next.
    private struct Step {
        var url: ConfigurationURL
        /// Whose redirection led here.
        var referrer: ConfigurationURL?
        var redirections = 0
    }

    /// For the whole of a request (nats-server accounts.go DEFAULT_ACCOUNT_FETCH_TIMEOUT).
    private static let timeout: TimeAmount = .milliseconds(1900)
    /// As many as Go follows.
    private static let mostRedirections = 10

    private let base: String
    private let state: NIOLockedValueBox<State>

    /// - Parameters:
    ///   - text: The URL; what is wrong with it is told when it is used.
    ///   - tls: What connections are secured with; the system's authorities say whom to trust if `nil`.
    init(_ text: String, _ tls: NIOSSLContext? = nil) {
        self.base = text.hasSuffix("/") ? text : "\(text)/"
        self.state = NIOLockedValueBox(State(tls: tls))
    }

    /// Secures new connections with something else.
    func use(_ tls: NIOSSLContext?) { self.state.withLockedValue { $0.tls = tls } }

    /// The body of the answer about an account.
    func fetch(_ name: String) throws(AccountResolver.Failure) -> String {
        guard let url = ConfigurationURL(self.base + name) else {
            // What the text is does not matter: there may be a password in it.
            throw AccountResolver.Failure(description: "could not fetch: not a URL")
        }
        // Without `@` the official server shows what it was given.
        let text = self.base.utf8.contains(UInt8(ascii: "@")) ? url.redacted("xxxxx") : self.base + name
        func failure(_ cause: String) -> AccountResolver.Failure {
            AccountResolver.Failure(description: "could not fetch <\(GoString.quoted(text))>: \(cause)")
        }
        let last = NIOLockedValueBox(url)
        func failure(getting cause: String, _ shown: String? = nil) -> AccountResolver.Failure {
            failure("Get \(GoString.quoted(shown ?? last.withLockedValue { $0.redacted("***") })): \(cause)")
        }
        let answer: HTTPAnswerCollector.Answer
        do {
            let deadline = NIODeadline.now() + Self.timeout
            answer = try self.get(Step(url: url), deadline, last).wait()
        } catch let error as HTTPAnswerCollector.Failure {
            // The official server says no more of what happens after the header.
            guard !error.isOfBody else { throw AccountResolver.Failure(description: error.description) }
            throw failure(getting: error.description)
        } catch let error as Unusable {
            throw failure(getting: error.reason, error.shown)
        } catch ChannelError.connectTimeout {
            throw failure(getting: HTTPAnswerCollector.Failure.timeout.description)
        } catch {
            throw failure(getting: Self.describe(error, last.withLockedValue { $0 }))
        }
        guard answer.status.code == 200 else {
            throw failure("\(answer.status.code) \(GoString.harmless(Array(answer.status.reasonPhrase.utf8)))")
        }
        return answer.body
    }

    /// Ends the thread.
    func end() {
        let group = self.state.withLockedValue { state in
            state.isEnded = true
            return state.group.take()
        }
        group?.shutdownGracefully { _ in }
    }

    private static func port(of url: ConfigurationURL) -> Int { url.port ?? (url.scheme == "https" ? 443 : 80) }

    /// Asks, and goes where it is sent.
    private func get(
        _ step: Step,
        _ deadline: NIODeadline,
        _ last: NIOLockedValueBox<ConfigurationURL>
    ) throws -> EventLoopFuture<HTTPAnswerCollector.Answer> {
        try self.state.withLockedValue { state in
            guard !state.isEnded else { throw HTTPAnswerCollector.Failure.ended }
            let group = state.group ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
            state.group = group
            let (eventLoop, tls) = (group.next(), state.tls)
            // Under the lock, while the thread runs for certain and so completes it.
            return eventLoop.flatSubmit { self.get(step, deadline, last, on: eventLoop, tls) }
        }
    }

    private func get(
        _ step: Step,
        _ deadline: NIODeadline,
        _ last: NIOLockedValueBox<ConfigurationURL>,
        on eventLoop: any EventLoop,
        _ tls: NIOSSLContext?
    ) -> EventLoopFuture<HTTPAnswerCollector.Answer> {
        let url = step.url
        last.withLockedValue { $0 = url }
        let answer: EventLoopFuture<HTTPAnswerCollector.Answer>
        do {
            try Self.check(url)
            answer = try self.ask(step, deadline, on: eventLoop, tls)
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
        return answer.flatMap { answer in
            guard [301, 302, 303, 307, 308].contains(answer.status.code), let location = answer.location else {
                return eventLoop.makeSucceededFuture(answer)
            }
            // Go counts the requests.
            guard step.redirections + 1 < Self.mostRedirections else {
                let reason = "stopped after \(Self.mostRedirections) redirects"
                // There may be a password in it.
                let shown = location.utf8.contains(UInt8(ascii: "@")) ? nil : location
                return eventLoop.makeFailedFuture(Unusable(reason: reason, shown: shown))
            }
            do throws(ConfigurationURL.Failure) {
                let next = try ConfigurationURL(location: location, from: url)
                let step = Step(url: next, referrer: url, redirections: step.redirections + 1)
                return self.get(step, deadline, last, on: eventLoop, tls)
            } catch {
                let shown = location.utf8.contains(UInt8(ascii: "@")) ? "\"\"" : GoString.quoted(location)
                let reason = "failed to parse Location header \(shown): parse \(shown): \(error)"
                return eventLoop.makeFailedFuture(Unusable(reason: reason))
            }
        }
    }

    /// What Go finds before it connects.
    private static func check(_ url: ConfigurationURL) throws(Unusable) {
        guard url.scheme == "http" || url.scheme == "https" else {
            throw Unusable(reason: "unsupported protocol scheme \(GoString.quoted(url.scheme))")
        }
        guard !url.hostPort.isEmpty else { throw Unusable(reason: "http: no Host in request URL") }
        guard Self.port(of: url) <= 0xffff else {
            throw Unusable(reason: "dial tcp: address \(Self.port(of: url)): invalid port")
        }
    }

    private func ask(
        _ step: Step,
        _ deadline: NIODeadline,
        on eventLoop: any EventLoop,
        _ tls: NIOSSLContext?
    ) throws -> EventLoopFuture<HTTPAnswerCollector.Answer> {
        let url = step.url
        let host = url.host.isEmpty ? "localhost" : url.host
        let context =
            url.scheme == "https"
            ? try tls ?? NIOSSLContext(configuration: .makeClientConfiguration()) : nil
        let promise = eventLoop.makePromise(of: HTTPAnswerCollector.Answer.self)
        let timeLeft = max(deadline - .now(), .milliseconds(1))
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeLeft)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.closeOnExec()
                    let pipeline = channel.pipeline.syncOperations
                    if let context {
                        let isName = (try? SocketAddress(ipAddress: host, port: 0)) == nil
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: isName ? host : nil)
                        )
                    }
                    try pipeline.addHTTPClientHandlers()
                }
            }
            .connect(host: host, port: Self.port(of: url))
            .whenComplete { result in
                switch result {
                case .failure(let error):
                    promise.fail(error)
                case .success(let channel):
                    promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
                    do {
                        // Not before: of several addresses that are tried only one has the answer.
                        let collector = HTTPAnswerCollector(promise, deadline)
                        try channel.pipeline.syncOperations.addHandler(collector)
                    } catch {
                        promise.fail(error)
                    }
                    channel.write(HTTPClientRequestPart.head(Self.request(step)), promise: nil)
                    // What cannot be sent as a request fails here.
                    channel.writeAndFlush(HTTPClientRequestPart.end(nil)).whenFailure { promise.fail($0) }
                }
            }
        return promise.futureResult
    }

    private static func request(_ step: Step) -> HTTPRequestHead {
        let url = step.url
        var headers: HTTPHeaders = [
            "Host": url.hostPort.hasSuffix(":") ? String(url.hostPort.dropLast()) : url.hostPort,
            "User-Agent": "nats-server", "Connection": "close",
        ]
        if let user = url.user {
            let credentials = Base64.encode(Array("\(user):\(url.password ?? "")".utf8))
            headers.add(name: "Authorization", value: "Basic \(credentials)")
        }
        if let referrer = step.referrer, referrer.scheme == url.scheme || url.scheme == "https" {
            headers.add(name: "Referer", value: referrer.withoutUser)
        }
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: url.requestTarget, headers: headers)
    }

    /// Go's text for what a request failed with.
    private static func describe(_ error: any Error, _ url: ConfigurationURL) -> String {
        guard let failure = error as? NIOConnectionError else {
            if error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError {
                return TLSHandshakeFailure(error).text
            }
            guard error is HTTPParserError else { return "\(error)" }
            return "net/http: HTTP/1.x transport connection broken: malformed HTTP response"
        }
        if failure.dnsAError != nil || failure.dnsAAAAError != nil, failure.connectionErrors.isEmpty {
            return "dial tcp: lookup \(url.host): no such host"
        }
        let first = failure.connectionErrors.first
        let host = first?.target.ipAddress ?? url.host
        let address = HostPort.join(host, Self.port(of: url))
        if let code = (first?.error as? IOError)?.errnoCode, code == ECONNREFUSED {
            return "dial tcp \(address): connect: connection refused"
        }
        return "dial tcp \(address): \(first.map { "\($0.error)" } ?? "\(failure)")"
    }
}
