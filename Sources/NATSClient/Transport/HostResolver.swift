import Dispatch
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Looks the addresses of one host up, for one attempt to connect, and says in which order they are tried.
///
/// NIO tries by turns what a query for IPv6 and one for IPv4 have brought, the former first, and does not look at the
/// families (RFC 8305); so one look-up answers both queries with the two lists of ``HostAddresses``.
final class HostResolver: Resolver, Sendable {
    typealias Lookup = @Sendable (_ host: String, _ port: Int) throws -> [SocketAddress]

    private let eventLoop: any EventLoop
    private let order: NATSClientConfiguration.AddressOrder
    private let shuffles: Bool
    private let lookup: Lookup
    private let answer = NIOLockedValueBox<EventLoopFuture<HostAddresses>?>(nil)

    init(
        eventLoop: any EventLoop,
        order: NATSClientConfiguration.AddressOrder,
        shuffles: Bool,
        lookup: @escaping Lookup = HostResolver.systemLookup
    ) {
        self.eventLoop = eventLoop
        self.order = order
        self.shuffles = shuffles
        self.lookup = lookup
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        self.addresses(host, port).map(\.first)
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        self.addresses(host, port).map(\.second)
    }

    func cancelQueries() {}

    private func addresses(_ host: String, _ port: Int) -> EventLoopFuture<HostAddresses> {
        self.answer.withLockedValue { answer in
            if let answer {
                return answer
            }
            let future = self.start(host, port)
            answer = future
            return future
        }
    }

    private func start(_ host: String, _ port: Int) -> EventLoopFuture<HostAddresses> {
        let promise = self.eventLoop.makePromise(of: HostAddresses.self)
        let (order, shuffles, lookup) = (self.order, self.shuffles, self.lookup)
        // A thread of its own: a look-up may block for long, and must not hold anything else up.
        DispatchQueue(label: "nats.lookup").async {
            promise.completeWith(
                Result {
                    var random = SystemRandomNumberGenerator()
                    let found = try lookup(host, port)
                    let addresses = HostAddresses(found, order: order, shuffles: shuffles, random: &random)
                    guard !addresses.first.isEmpty || !addresses.second.isEmpty else {
                        throw NATSError(.connectionFailed, "the host \(host) has no address of the wanted kind")
                    }
                    return addresses
                }
            )
        }
        return promise.futureResult
    }

    /// Asks the operating system.
    static func systemLookup(_ host: String, _ port: Int) throws -> [SocketAddress] {
        let addresses = SystemLookup.addresses(of: host, port: port)
        guard !addresses.isEmpty else {
            throw NATSError(.connectionFailed, "the host \(host) cannot be found")
        }
        return addresses
    }
}
