import NATSClient
import NATSCommandSupport
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Looks up the addresses of hosts, a few at the same time, each on a thread: one may take as long as the system likes.
final class LookUpPool: Sendable {
    /// The addresses of a host, none if there is no such host; may block.
    typealias LookUp = @Sendable (_ host: String, _ port: Int) -> [SocketAddress]

    private struct Job {
        var number: UInt64
        var host: String
        var port: Int
        var promise: EventLoopPromise<[SocketAddress]>
    }

    private struct State {
        var waiting: [Job] = []
        var running = 0
        var count: UInt64 = 0
    }

    private static let maximumWaiting = 512

    private let width: Int
    private let lookUp: LookUp
    private let state = NIOLockedValueBox(State())

    /// - Parameters:
    ///   - width: How many are looked up at the same time.
    ///   - lookUp: Asks the system.
    init(width: Int, lookUp: @escaping LookUp = { SystemLookup.addresses(of: $0, port: $1) }) {
        self.width = width
        self.lookUp = lookUp
    }

    /// Looks a host up.
    ///
    /// - Parameters:
    ///   - host: A name.
    ///   - port: Of the addresses.
    ///   - eventLoop: Of the future.
    /// - Returns: The addresses, and the number by which ``cancel(_:)`` knows it.
    func addresses(
        of host: String,
        port: Int,
        on eventLoop: any EventLoop
    ) -> (number: UInt64, future: EventLoopFuture<[SocketAddress]>) {
        let promise = eventLoop.makePromise(of: [SocketAddress].self)
        enum Next { case wait, start, refuse }
        let (number, next) = self.state.withLockedValue { state -> (UInt64, Next) in
            state.count += 1
            guard state.waiting.count < Self.maximumWaiting else { return (state.count, .refuse) }
            state.waiting.append(Job(number: state.count, host: host, port: port, promise: promise))
            guard state.running < self.width else { return (state.count, .wait) }
            state.running += 1
            return (state.count, .start)
        }
        switch next {
        case .wait: break
        case .refuse: promise.fail(FetchError.timedOut)
        case .start:
            let isStarted = POSIX.startThread { [self] in
                while let job = self.next() {
                    let found = self.lookUp(job.host, job.port)
                    if found.isEmpty {
                        job.promise.fail(FetchError.other("no such host: \(job.host)"))
                    } else {
                        job.promise.succeed(found)
                    }
                }
            }
            if !isStarted {
                self.state.withLockedValue { $0.running -= 1 }
                self.cancel(number)
            }
        }
        return (number, promise.futureResult)
    }

    /// Nobody waits for it any longer; one that has begun goes on.
    func cancel(_ number: UInt64) {
        let job = self.state.withLockedValue { state -> Job? in
            guard let index = state.waiting.firstIndex(where: { $0.number == number }) else { return nil }
            return state.waiting.remove(at: index)
        }
        job?.promise.fail(FetchError.timedOut)
    }

    private func next() -> Job? {
        self.state.withLockedValue { state in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}

/// Answers both questions of one attempt to connect with one look-up.
final class PooledResolver: Resolver, Sendable {
    private let pool: LookUpPool
    private let eventLoop: any EventLoop
    private let lookUp = NIOLockedValueBox<(number: UInt64, future: EventLoopFuture<[SocketAddress]>)?>(nil)

    init(_ pool: LookUpPool, eventLoop: any EventLoop) {
        self.pool = pool
        self.eventLoop = eventLoop
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        self.addresses(host, port).map { $0.filter { $0.protocol == .inet6 } }
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        self.addresses(host, port).map { $0.filter { $0.protocol == .inet } }
    }

    func cancelQueries() {
        if let number = self.lookUp.withLockedValue({ $0?.number }) { self.pool.cancel(number) }
    }

    private func addresses(_ host: String, _ port: Int) -> EventLoopFuture<[SocketAddress]> {
        self.lookUp.withLockedValue { lookUp in
            if let lookUp { return lookUp.future }
            let new = self.pool.addresses(of: host, port: port, on: self.eventLoop)
            lookUp = new
            return new.future
        }
    }
}
