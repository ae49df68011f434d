import NIOCore

/// One call of the user's dialer.
///
/// Lives on the event loop. A dialer that never returns keeps nothing of the client alive but this: when the attempt is over,
/// whoever waited has been answered and let go, and a channel that comes later is closed.
final class DialAttempt {
    private let address: ServerAddress
    private let eventLoop: any EventLoop
    private var initialize: (@Sendable (any Channel) throws -> Void)?
    private var result: EventLoopPromise<any Channel>?
    private var task: Task<Void, Never>?
    private var timer: Scheduled<Void>?

    private init(
        _ address: ServerAddress,
        _ eventLoop: any EventLoop,
        _ result: EventLoopPromise<any Channel>,
        _ initialize: @escaping @Sendable (any Channel) throws -> Void
    ) {
        self.address = address
        self.eventLoop = eventLoop
        self.initialize = initialize
        self.result = result
    }

    /// Calls the dialer.
    ///
    /// - Parameters:
    ///   - address: What it is to connect to.
    ///   - dialer: The user's function.
    ///   - timeout: How long it may take.
    ///   - eventLoop: The current event loop, on which the channel must live.
    ///   - initialize: Gets the channel before it reads.
    /// - Returns: the attempt, and the channel when it is ready.
    static func start(
        to address: ServerAddress,
        by dialer: @escaping NATSClientConfiguration.Dialer,
        timeout: Duration,
        eventLoop: any EventLoop,
        initialize: @escaping @Sendable (any Channel) throws -> Void
    ) -> (attempt: DialAttempt, channel: EventLoopFuture<any Channel>) {
        let promise = eventLoop.makePromise(of: (any Channel).self)
        let attempt = DialAttempt(address, eventLoop, promise, initialize)
        attempt.timer = eventLoop.assumeIsolated().scheduleTask(in: timeout.timeAmount) { [weak attempt] in
            attempt?.end(NATSError(.timeout, "the dialer did not connect to \(address.url) in time"))
        }
        let bound = NIOLoopBound(attempt, eventLoop: eventLoop)
        let (host, port) = (address.host, address.port)
        attempt.task = Task {
            let outcome: Result<any Channel, any Error>
            do {
                outcome = .success(try await dialer(host, port, eventLoop))
            } catch {
                outcome = .failure(error)
            }
            eventLoop.execute { bound.value.returned(outcome) }
        }
        return (attempt, promise.futureResult)
    }

    /// Nobody wants the channel any more.
    func cancel() {
        self.end(NATSError(.connectionClosed, "the client is closed"))
    }

    private func end(_ error: any Error) {
        guard let result = self.finish() else {
            return
        }
        result.fail(error)
    }

    /// Lets everything go; the promise to keep, if that has not been done before.
    private func finish() -> EventLoopPromise<any Channel>? {
        self.timer?.cancel()
        self.timer = nil
        self.initialize = nil
        self.task?.cancel()
        self.task = nil
        return self.result.take()
    }

    private func returned(_ outcome: Result<any Channel, any Error>) {
        let initialize = self.initialize
        guard let result = self.finish(), let initialize else {
            if case .success(let channel) = outcome {
                channel.close(promise: nil)
            }
            return
        }
        switch outcome {
        case .success(let channel):
            self.listen(to: channel, initialize, result)
        case .failure(let error):
            result.fail(error)
        }
    }

    private func listen(
        to channel: any Channel,
        _ initialize: (any Channel) throws -> Void,
        _ result: EventLoopPromise<any Channel>
    ) {
        do {
            guard channel.eventLoop === self.eventLoop else {
                throw self.misuse("lives on another event loop than the one that was given")
            }
            guard try channel.syncOptions?.getOption(.autoRead) != true else {
                // The server's first words may be lost already.
                throw self.misuse("reads before anybody listens: ChannelOptions.autoRead must be false")
            }
            try initialize(channel)
        } catch {
            channel.close(promise: nil)
            return result.fail(error)
        }
        channel.setOption(.autoRead, value: true).whenComplete { outcome in
            switch outcome {
            case .success:
                result.succeed(channel)
            case .failure(let error):
                channel.close(promise: nil)
                result.fail(error)
            }
        }
    }

    private func misuse(_ text: String) -> NATSError {
        NATSError(.invalidConfiguration, "the channel of the dialer to \(self.address.url) \(text)")
    }
}
