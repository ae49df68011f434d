import Dispatch
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Android)
import Android
#endif

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
        var hints = addrinfo()
        #if canImport(Glibc)
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else {
            throw NATSError(.connectionFailed, "the host \(host) cannot be found")
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            defer { next = entry.pointee.ai_next }
            guard let address = entry.pointee.ai_addr else {
                continue
            }
            switch entry.pointee.ai_family {
            case AF_INET:
                addresses.append(
                    address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                        SocketAddress($0.pointee, host: host)
                    }
                )
            case AF_INET6:
                addresses.append(
                    address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                        SocketAddress($0.pointee, host: host)
                    }
                )
            default:
                break
            }
        }
        return addresses
    }
}
