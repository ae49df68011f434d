internal import NATSServerConfig
import NATSAuth
internal import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Collects what the monitoring pages show from where it is kept.
final class MonitoringSource: Sendable {
    /// What only the server itself knows.
    struct State: Sendable {
        var port: Int
        /// Clients can connect.
        var isReady: Bool
        var totals: ServerLoop.Totals
    }

    /// A connection in the running for the page that is asked for.
    private struct Candidate: Sendable {
        enum Kind: Sendable {
            case open(any ListedConnection)
            case closed(ClosedConnection)
        }

        var key: Int64
        var id: UInt64
        var kind: Kind
    }

    private let shared: ServerShared
    private let loops: ServerLoops
    private let state: @Sendable () -> State

    /// - Parameters:
    ///   - shared: What the connections share.
    ///   - loops: The event loops.
    ///   - state: Tells what the server does now; `totals` are those of loops that have ended.
    init(shared: ServerShared, loops: ServerLoops, state: @escaping @Sendable () -> State) {
        self.shared = shared
        self.loops = loops
        self.state = state
    }

    var options: ServerOptions { self.shared.options }
    var isReady: Bool { self.state().isReady }

    func head() -> ServerHead {
        ServerHead(
            id: self.shared.identity.id,
            name: self.shared.serverName,
            now: self.shared.clock.wallNanoseconds(.now())
        )
    }

    // MARK: Server

    /// The sums over all connections.
    func statistics(on eventLoop: any EventLoop) -> EventLoopFuture<ServerStatistics> {
        let ended = self.state().totals
        return self.loops.gather(on: eventLoop) { $0.totals }.map { answers in
            var totals = answers.isEmpty ? ended : ServerLoop.Totals()
            for answer in answers { totals += answer }
            return self.statistics(totals)
        }
    }

    private func statistics(_ totals: ServerLoop.Totals) -> ServerStatistics {
        var statistics = ServerStatistics()
        statistics.connections = self.shared.connectionCount
        statistics.totalConnections = self.shared.totalConnections
        statistics.subscriptions = self.shared.subscriptionCount
        statistics.count(totals)
        return statistics
    }

    /// Everything for `/varz` but what the HTTP side knows.
    func server(on eventLoop: any EventLoop) -> EventLoopFuture<ServerSnapshot> {
        self.statistics(on: eventLoop).map { statistics in
            var snapshot = ServerSnapshot(head: self.head(), options: self.shared.options)
            // What is in force: a reload of users alone leaves the options as they were.
            let authenticator = self.shared.authenticator
            snapshot.authRequired = authenticator.isRequired
            snapshot.authTimeout = authenticator.timeout
            let address = self.shared.announcedAddress
            snapshot.host = address?.host ?? self.shared.options.host
            snapshot.port = address?.port ?? self.state().port
            snapshot.webSocketPort = self.shared.webSocket?.port ?? 0
            snapshot.webSocketCertificateEnd =
                self.shared.webSocket?.tls?.notValidAfter.map { Int64($0) * 1_000_000_000 }
            snapshot.certificateEnd = self.shared.tls?.notValidAfter.map { Int64($0) * 1_000_000_000 }
            if let routes = self.shared.routes {
                (snapshot.cluster, snapshot.clusterPort) = (routes.clusterName, routes.port)
                (snapshot.routes, snapshot.remotes) = routes.counts
                snapshot.clusterCertificateEnd = routes.tls?.accepting.notValidAfter.map { Int64($0) * 1_000_000_000 }
                let info = self.shared.makeInfo(clientID: 0, clientIP: "")
                (snapshot.connectURLs, snapshot.webSocketConnectURLs) = (info.connectURLs, info.webSocketConnectURLs)
            }
            if let leafNodes = self.shared.leafNodes {
                (snapshot.leafNodes, snapshot.leafNodePort) = (leafNodes.count, leafNodes.port)
                snapshot.leafNodeCertificateEnd =
                    leafNodes.tls?.accepting?.notValidAfter.map { Int64($0) * 1_000_000_000 }
            }
            snapshot.start = self.shared.clock.wallNanoseconds(self.shared.started)
            let configuration = self.shared.loadedConfiguration
            snapshot.configurationLoaded = self.shared.clock.wallNanoseconds(configuration.time)
            snapshot.configurationDigest = configuration.digest
            snapshot.cores = System.coreCount
            snapshot.eventLoops = self.loops.all.count
            snapshot.statistics = statistics
            if let operators = self.shared.operators {
                snapshot.operators = zip(operators.operatorJWTs, operators.operators).map { ($0, $1.document) }
                snapshot.pinnedAccountFailures = operators.pinningRefusalCount
            }
            return snapshot
        }
    }

    /// What the event loops are busy with.
    func loopStates(on eventLoop: any EventLoop) -> EventLoopFuture<[StackszDocument.Loop]> {
        self.loops.gather(on: eventLoop) { $0.monitoringState }
    }

    // MARK: Routes

    /// The connections to other servers of the cluster, in the order of the official server: server by server those of
    /// the pool, then those for one account.
    func routes(listing: Bool, on eventLoop: any EventLoop) -> EventLoopFuture<[RouteSnapshot]> {
        self.loops.gather(on: eventLoop) { loop in
            loop.routes.values.filter { $0.link != nil && $0.phase == .open }
                .map { $0.monitoringSnapshot(listing: listing) }
        }.map { answers in
            let routes = answers.joined()
            let ages = Dictionary(routes.map { ($0.remoteID, $0.figures.id) }, uniquingKeysWith: min)
            func place(_ route: RouteSnapshot) -> (Int, UInt64, RouteLink, UInt64) {
                (route.link.isSlot ? 0 : 1, ages[route.remoteID] ?? 0, route.link, route.figures.id)
            }
            return routes.sorted { place($0) < place($1) }
        }
    }

    /// The page of routes.
    func routes(
        _ subscriptions: ConnectionQuery.Subscriptions,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<RoutezDocument> {
        self.routes(listing: subscriptions != .none, on: eventLoop).map { routes in
            RoutezDocument(
                head: self.head(),
                clock: self.shared.clock,
                now: .now(),
                subscriptions: subscriptions,
                routes: routes
            )
        }
    }

    // MARK: Leaf nodes

    /// The connections of leaf nodes, oldest first.
    func leafNodes(_ query: LeafzDocument.Query, on eventLoop: any EventLoop) -> EventLoopFuture<LeafzDocument> {
        self.loops.gather(on: eventLoop) { loop in
            loop.leafs.values
                .filter { $0.isRegistered && $0.phase == .open }
                .filter { query.account.isEmpty || $0.account.name == query.account }
                .map { $0.leafSnapshot(listing: query.lists) }
        }.map { answers in
            LeafzDocument(
                head: self.head(),
                query: query,
                leafs: answers.joined().sorted { $0.figures.id < $1.figures.id }
            )
        }
    }

    // MARK: Accounts

    /// The account that looks at the server; `nil` if there is none.
    var systemAccount: String? { self.shared.accounts.systemName }

    var accountNames: [String] { self.shared.accounts.all.map(\.name) }

    /// What the accounts have sent and received; without figures about match results.
    func accounts(on eventLoop: any EventLoop) -> EventLoopFuture<[AccountSnapshot]> {
        let answers = self.loops.gather(on: eventLoop) { loop in
            loop.allRouters.map { (account: ObjectIdentifier($0.account), totals: $0.totals) }
        }
        return answers.map { answers in
            var totals: [ObjectIdentifier: ServerLoop.Totals] = [:]
            for answer in answers.joined() { totals[answer.account, default: .init()] += answer.totals }
            return self.shared.accounts.all.map { account in
                var snapshot = self.snapshot(of: account)
                let totals = totals[ObjectIdentifier(account)] ?? ServerLoop.Totals()
                snapshot.use(totals)
                return snapshot
            }
        }
    }

    /// What one account has sent and received; without figures about match results.
    func traffic(of account: Account, on eventLoop: any EventLoop) -> EventLoopFuture<AccountSnapshot> {
        self.loops.gather(on: eventLoop) { $0.existingRouter(for: account)?.totals }.map { answers in
            var totals = ServerLoop.Totals()
            for answer in answers.compactMap({ $0 }) { totals += answer }
            var snapshot = self.snapshot(of: account)
            snapshot.use(totals)
            return snapshot
        }
    }

    /// One account, with figures about its match results; `nil` if there is none of that name.
    func account(_ name: String, on eventLoop: any EventLoop) -> EventLoopFuture<AccountSnapshot?> {
        guard let account = self.shared.accounts[name] else { return eventLoop.makeSucceededFuture(nil) }
        return self.sublistStatistics(of: account, on: eventLoop).map { statistics in
            var snapshot = self.snapshot(of: account)
            snapshot.subscriptions = statistics
            snapshot.mappings = account.index.currentMappings
            snapshot.exports = account.options.exports
            snapshot.invalidImports = account.options.imports.filter(\.isInvalid)
            snapshot.streams = account.streams
            snapshot.services = account.importedServices
            snapshot.responses = account.responses.shown
            return snapshot
        }
    }

    private func snapshot(of account: Account) -> AccountSnapshot {
        var snapshot = AccountSnapshot(name: account.name)
        snapshot.updated = self.shared.clock.wallNanoseconds(account.updated)
        snapshot.connections = account.connectionCount
        snapshot.leafNodes = account.leafNodeCount
        snapshot.standing = account.standing
        snapshot.nameTag = account.nameTag
        snapshot.subscriptions = account.index.statistics
        return snapshot
    }

    /// Of one account, or of all if `nil`.
    private func sublistStatistics(
        of account: Account?,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<SublistStatistics> {
        self.loops.gatherInSlices(on: eventLoop) { $0.cacheStatistics(of: account) }.map { answers in
            let accounts = account.map { [$0] } ?? self.shared.accounts.all
            var statistics = SublistStatistics()
            for account in accounts { statistics += account.index.statistics }
            for answer in answers { statistics += answer }
            return statistics
        }
    }

    // MARK: Subscriptions

    /// The page of subscriptions that is asked for; fails with ``PageSize/Exceeded`` if that is too large.
    func subscriptions(
        _ query: SubszDocument.Query,
        within size: PageSize = PageSize(),
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<SubszDocument> {
        let account = self.shared.accounts[query.account]
        guard query.account.isEmpty || account != nil else {
            return eventLoop.makeSucceededFuture(
                SubszDocument(head: self.head(), query: query, statistics: SublistStatistics(), total: 0, rows: [])
            )
        }
        return self.sublistStatistics(of: account, on: eventLoop).flatMapThrowing { statistics in
            var total = 0
            var rows: [SubszDocument.Row] = []
            for account in account.map({ [$0] }) ?? self.shared.accounts.all where query.lists {
                let list = account.index.list(
                    wanting: query.test.isEmpty ? nil : Array(query.test.utf8),
                    offset: max(0, query.offset - total),
                    limit: query.limit - rows.count,
                    within: size
                )
                guard let (count, page) = list else { throw PageSize.Exceeded() }
                total += count
                rows += page.map { SubszDocument.Row(account: $0.importer ?? account.name, subscription: $0) }
            }
            return SubszDocument(head: self.head(), query: query, statistics: statistics, total: total, rows: rows)
        }
    }

    // MARK: Connections

    /// The page of connections that is asked for; `nil` if the account does not exist.
    ///
    /// Nothing but numbers is taken of each connection; whatever else is shown is only asked of those on the page. Fails with
    /// ``PageSize/Exceeded`` if the page is too large.
    func connections(
        _ query: ConnectionQuery,
        within size: PageSize = PageSize(),
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<ConnzDocument?> {
        guard query.account.isEmpty || self.shared.accounts[query.account] != nil else {
            return eventLoop.makeSucceededFuture(nil)
        }
        let now = NIODeadline.now()
        let answers =
            query.state == .closed
            ? eventLoop.makeSucceededFuture([])
            : self.loops.gatherInSlices(on: eventLoop) { $0.candidates(query, now: now) }
        return answers.flatMap { answers in
            var total = answers.reduce(0) { $0 + $1.total }
            var candidates = self.decided(answers.flatMap(\.matches), query).map { match in
                Candidate(key: match.key, id: match.connection.id, kind: .open(match.connection))
            }
            if query.state != .open {
                // nats-server server.go saveClosedClient: no account is kept for those of `$G`, so asking for it
                // finds none.
                var closed = query.account == Account.globalName ? [] : self.shared.closedConnections.all
                if !query.account.isEmpty { closed.removeAll { $0.connection.account != query.account } }
                total += closed.count
                candidates += self.candidates(closed, query, besides: candidates, now: now)
            }
            let page = self.page(of: candidates, query)
            return self.document(query, page, total: total, within: size, now: now, on: eventLoop)
        }
    }

    /// Without those of which none of many subscriptions is among those that are asked for.
    private func decided(
        _ matches: [ServerLoop.ConnectionMatch],
        _ query: ConnectionQuery
    ) -> [ServerLoop.ConnectionMatch] {
        let undecided = Set(matches.lazy.filter(\.isUndecided).map(\.connection.id))
        guard !undecided.isEmpty, let account = self.shared.accounts[query.account] else { return matches }
        var found: Set<UInt64> = []
        account.index.visit(of: undecided) { subscriptions in
            for subscription in subscriptions where !found.contains(subscription.connection) {
                let subject = String(decoding: subscription.subject, as: UTF8.self)
                if SubjectText.collide(query.filterSubject, subject) { found.insert(subscription.connection) }
            }
            return found.count < undecided.count
        }
        return matches.filter { !$0.isUndecided || found.contains($0.connection.id) }
    }

    private func candidates(
        _ closed: [ClosedConnection],
        _ query: ConnectionQuery,
        besides open: [Candidate],
        now: NIODeadline
    ) -> [Candidate] {
        if query.id > 0, !open.isEmpty { return [] }
        return closed.compactMap { closed in
            let figures = closed.connection.figures
            guard query.id == 0 || figures.id == query.id, query.accepts(user: closed.connection.user) else {
                return nil
            }
            return Candidate(
                key: query.sortKey(figures, stop: closed.stop, now: now),
                id: figures.id,
                kind: .closed(closed)
            )
        }
    }

    /// The candidates on the page, in their order.
    private func page(of candidates: [Candidate], _ query: ConnectionQuery) -> ArraySlice<Candidate> {
        func reason(_ candidate: Candidate) -> String {
            if case .closed(let closed) = candidate.kind { return closed.reason }
            return ""
        }
        if query.sort == .reason {
            let sorted = candidates.sorted { (reason($0), $0.id) < (reason($1), $1.id) }
            return sorted[query.page(of: sorted.count)]
        }
        // Plain numbers sort several times as fast as values that hold objects.
        var order = candidates.enumerated().map { (key: $0.element.key, id: $0.element.id, place: $0.offset) }
        order.sort { $0.key == $1.key ? $0.id < $1.id : $0.key < $1.key }
        return order[query.page(of: order.count)].map { candidates[$0.place] }[...]
    }

    private func document(
        _ query: ConnectionQuery,
        _ page: ArraySlice<Candidate>,
        total: Int,
        within size: PageSize,
        now: NIODeadline,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<ConnzDocument?> {
        let lists = query.subscriptions != .none
        var closed: [(Int, ConnzDocument.Row)] = []
        var open: [[(place: Int, connection: any ListedConnection)]] = []
        for (place, candidate) in page.enumerated() {
            switch candidate.kind {
            case .closed(let connection):
                let subscriptions = lists ? connection.connection.subscriptions : []
                let listed = subscriptions.reduce(0) { $0 + $1.pageSize }
                guard size.take(connection.connection.pageSize + listed) else {
                    return eventLoop.makeFailedFuture(PageSize.Exceeded())
                }
                closed.append((place, .closed(connection)))
            case .open(let connection):
                let index = connection.loop.index
                while open.count <= index { open.append([]) }
                open[index].append((place, connection))
            }
        }
        let wanted = open
        let rows = self.loops.gatherInSlices(on: eventLoop) { loop in
            let own = loop.index < wanted.count ? wanted[loop.index] : []
            return loop.mapInSlices(
                own,
                weighing: { $0.connection.weight(listing: lists) }
            ) { place, connection -> OpenRow? in
                guard !size.isExceeded else { return nil }
                let isIncomplete = lists && connection.hasManySubscriptions
                let snapshot = connection.monitoringSnapshot(listing: lists && !isIncomplete)
                let listed = snapshot.subscriptions.reduce(0) { $0 + $1.pageSize }
                guard size.take(snapshot.pageSize + listed) else { return nil }
                return OpenRow(
                    place: place,
                    connection: snapshot,
                    missing: isIncomplete ? connection.account.index : nil
                )
            }
        }
        let known = closed
        return rows.flatMapThrowing { rows in
            var ordered = [ConnzDocument.Row?](repeating: nil, count: page.count)
            for (place, row) in known { ordered[place] = row }
            for row in try self.complete(Array(rows.joined()), within: size) {
                ordered[row.place] = .open(row.connection)
            }
            let clock = self.shared.clock
            return ConnzDocument(
                head: self.head(),
                now: now,
                clock: clock,
                query: query,
                total: total,
                rows: ordered.compactMap { $0 }
            )
        }
    }

    /// An open connection on the page.
    private struct OpenRow: Sendable {
        var place: Int
        var connection: ConnectionSnapshot
        /// Where the subscriptions have to be looked for, since they are many.
        var missing: SubscriptionIndex?
    }

    /// Adds the subscriptions that the event loops had no time for.
    private func complete(_ rows: [OpenRow], within size: PageSize) throws -> [OpenRow] {
        var rows = rows
        let missing = Dictionary(grouping: rows.indices.filter { rows[$0].missing != nil }) { index in
            rows[index].missing.map(ObjectIdentifier.init)
        }
        for indices in missing.values {
            guard let index = indices.first.flatMap({ rows[$0].missing }) else { continue }
            let places = Dictionary(
                indices.map { (rows[$0].connection.figures.id, $0) },
                uniquingKeysWith: { first, _ in first }
            )
            index.visit(of: Set(places.keys)) { subscriptions in
                for subscription in subscriptions {
                    guard size.take(subscription.pageSize) else { return false }
                    if let place = places[subscription.connection] {
                        rows[place].connection.subscriptions.append(subscription)
                    }
                }
                return true
            }
        }
        guard !size.isExceeded else { throw PageSize.Exceeded() }
        return rows
    }
}
