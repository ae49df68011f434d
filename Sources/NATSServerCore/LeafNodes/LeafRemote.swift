internal import NIOCore

/// One hub that is dialled: where it is tried next, and when.
///
/// nats-server leafnode.go pickNextURL, connectToRemoteLeafNode, doUpdateLNURLs. Performs no I/O and reads no clock.
struct LeafRemote {
    typealias URL = LeafNodesOptions.Remote.URL

    let options: LeafNodesOptions.Remote
    private let interval: TimeAmount
    private let ownURLs: [URL]
    private var urls: [URL]
    private(set) var current: URL?
    /// Attempts that have failed one after the other.
    private(set) var failures = 0
    /// There was no connection yet.
    private(set) var isFirst = true
    /// What is asked for in a certificate where only an address is known.
    let tlsName: String?
    /// Whether the hub is spoken to in TLS only, as configured for any of its addresses, or as it was once.
    ///
    /// What a hub tells of others in the clear does not change it.
    private(set) var requiresTLS: Bool

    init(
        _ options: LeafNodesOptions.Remote,
        interval: Duration,
        using generator: inout some RandomNumberGenerator
    ) {
        self.options = options
        self.interval = TimeAmount(interval)
        self.ownURLs = options.noRandomize ? options.urls : options.urls.shuffled(using: &generator)
        self.urls = self.ownURLs
        self.requiresTLS = options.tls != nil || options.urls.contains(where: \.isSecure)
        self.tlsName = options.urls.map(\.address.host).first { (try? SocketAddress(ipAddress: $0, port: 0)) == nil }
    }

    /// Takes the next address; `nil` if there is none.
    mutating func next() -> URL? {
        if self.urls.count > 1, let current = self.current, self.urls.first == current {
            self.urls.append(self.urls.removeFirst())
        }
        self.current = self.urls.first
        return self.withCredentials(self.current)
    }

    /// Addresses that the hub told of have the credentials of those that are configured.
    private func withCredentials(_ url: URL?) -> URL? {
        guard var url, url.user.isEmpty, let known = self.options.urls.first(where: { !$0.user.isEmpty }) else {
            return url
        }
        url.user = known.user
        url.password = known.password
        url.hasPassword = known.hasPassword
        return url
    }

    /// A dial has failed.
    ///
    /// - Returns: how long to wait before the next.
    mutating func failed(using generator: inout some RandomNumberGenerator) -> TimeAmount {
        self.failures += 1
        let jitter = Int64.random(in: 0...max(0, self.interval.nanoseconds - 1), using: &generator)
        return self.interval + .nanoseconds(jitter)
    }

    /// Whether the log is told of the last failure as an error.
    func reportsFailure(first: Int, later: Int) -> Bool {
        let interval = max(1, self.isFirst ? first : later)
        return self.failures == 1 || self.failures % interval == 0
    }

    /// A connection is encrypted: no later one may be in the clear.
    mutating func secured() { self.requiresTLS = true }

    mutating func connected() {
        self.failures = 0
        self.isFirst = false
    }

    /// A connection has ended.
    ///
    /// - Parameter delay: How much longer than usual to wait, since it would end the same way.
    /// - Returns: how long to wait before the next dial.
    func lost(delay: TimeAmount) -> TimeAmount { self.interval + delay }

    /// The hub has told where it can be dialled as well.
    mutating func learned(_ hostPorts: [String]) {
        guard !self.options.ignoresDiscoveredServers else { return }
        var learned: [URL] = []
        for url in hostPorts.compactMap(URL.init(hostPort:)) {
            // What means all addresses of the hub would mean this server.
            let isUsable = !["0.0.0.0", "::"].contains(url.address.host)
            let isKnown = (self.ownURLs + learned).contains { $0.address == url.address }
            if isUsable, !isKnown { learned.append(url) }
        }
        self.urls = learned + self.ownURLs
    }
}
