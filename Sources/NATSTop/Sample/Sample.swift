import NATSWire

/// What one round of requests brought.
///
/// No answer makes it fail: a page that cannot be read is a line in ``problems``.
package struct Sample: Sendable, Equatable {
    package static let maximumBytes = 256 << 20
    package static let maximumConnections = 65_536
    package static let maximumRoutes = 4096
    package static let maximumAccounts = 16_384
    package static let maximumSubjects = 256
    package static let maximumServers = 1024
    package static let maximumSubscriptions = 65_536

    /// A page of connections.
    package struct ConnectionList: Sendable, Equatable {
        package var connections: [Connection] = []
        /// How many there are on the server.
        package var total: UInt64 = 0
        package var now = ""
    }

    /// A page of accounts.
    package struct AccountList: Sendable, Equatable {
        package var accounts: [Account] = []
        package var now = ""
    }

    /// The subscriptions of one connection.
    package struct SubscriptionList: Sendable, Equatable {
        package var connection: UInt64
        package var subscriptions: [Subscription] = []
        package var now = ""
    }

    /// What `/subsz` says of the server's index.
    package struct SubscriptionStatistics: Sendable, Equatable {
        package var subscriptions: UInt64 = 0
        package var cached: UInt64 = 0
        package var matches: UInt64 = 0
        package var hitRate = 0.0
        package var maximumFanout: UInt64 = 0
        package var averageFanout = 0.0
    }

    /// Nil if the server was not reached.
    package var server: ServerStatus?
    package var connections: ConnectionList?
    package var closed: ConnectionList?
    package var routes: ConnectionList?
    package var accounts: AccountList?
    package var subscriptions: SubscriptionList?
    package var subscriptionStatistics: SubscriptionStatistics?
    package var jetStream: JetStreamStatus?
    package var servers: [ClusterServer]?
    /// What went wrong, a line each.
    package var problems: [String] = []

    package init() {}

    /// Takes the answer to a request.
    package mutating func add(_ body: [UInt8], for request: Request) {
        guard body.count <= Self.maximumBytes else {
            return self.addProblem("\(request.path): \(body.count) bytes are too many")
        }
        do throws(JSONError) {
            self.add(LenientObject(try JSONValue.parse(body)), for: request)
        } catch {
            let isInfo = body.starts(with: Array("INFO ".utf8))
            self.addProblem(
                isInfo
                    ? "this is the port of clients, not of monitoring"
                    : "\(request.path): no JSON: \(error.description)"
            )
        }
    }

    /// Takes an answer that was read already.
    package mutating func add(_ page: Page, for request: Request) {
        self.add(LenientObject(page.value), for: request)
    }

    /// Takes an answer of another status than 200.
    package mutating func add(status: Int, _ body: some Sequence<UInt8>, for request: Request) {
        self.addProblem("stats request failed \(status): \"\(HarmlessText.line(body))\"")
    }

    /// Takes a failure, which is made one harmless line.
    package mutating func addProblem(_ text: String) {
        guard self.problems.count < 16 else { return }
        self.problems.append(HarmlessText.line(text.utf8, limit: 200))
    }

    private mutating func add(_ object: LenientObject, for request: Request) {
        switch request {
        case .server:
            guard !object.isEmpty else { return self.addProblem("\(request.path): an empty answer") }
            self.server = ServerStatus(object)
        case .connections:
            self.connections = Self.clients(object)
        case .closed:
            self.closed = Self.clients(object)
        case .routes:
            let routes = object.objects("routes", limit: Self.maximumRoutes).map { Connection(route: $0) }
            self.routes = ConnectionList(
                connections: routes,
                total: max(object.count("num_routes"), UInt64(routes.count)),
                now: object.text("now", limit: 64)
            )
        case .accounts:
            let accounts = object.objects("account_statz", limit: Self.maximumAccounts).map { Account($0) }
            self.accounts = AccountList(accounts: accounts, now: object.text("now", limit: 64))
        case .accountNames:
            let names = object.texts("accounts", limit: Self.maximumAccounts)
            self.accounts = AccountList(
                accounts: names.map { Account(name: $0) },
                now: object.text("now", limit: 64)
            )
        case .subscriptions(let connection):
            self.subscriptions = Self.subscriptions(object, of: connection)
        case .subscriptionStatistics:
            self.subscriptionStatistics = SubscriptionStatistics(
                subscriptions: object.count("num_subscriptions"),
                cached: object.count("num_cache"),
                matches: object.count("num_matches"),
                hitRate: object.number("cache_hit_rate"),
                maximumFanout: object.count("max_fanout"),
                averageFanout: object.number("avg_fanout")
            )
        case .jetStream:
            self.jetStream = JetStreamStatus(jsz: object)
        case .cluster:
            self.servers = object.objects("servers", limit: Self.maximumServers).map { ClusterServer($0) }
        }
    }

    private static func clients(_ object: LenientObject) -> ConnectionList {
        let connections = object.objects("connections", limit: self.maximumConnections).map { Connection(client: $0) }
        return ConnectionList(
            connections: connections,
            total: max(object.count("total"), UInt64(connections.count)),
            now: object.text("now", limit: 64)
        )
    }

    private static func subscriptions(_ object: LenientObject, of connection: UInt64) -> SubscriptionList {
        var list = SubscriptionList(connection: connection, now: object.text("now", limit: 64))
        for entry in object.objects("connections", limit: 16) where entry.count("cid") == connection {
            list.subscriptions =
                entry.objects("subscriptions_list_detail", limit: self.maximumSubscriptions).map { Subscription($0) }
            // Servers that know no detail answer with the subjects alone.
            if list.subscriptions.isEmpty {
                list.subscriptions = entry.texts("subscriptions_list", limit: self.maximumSubscriptions).map {
                    Subscription(subject: $0)
                }
            }
        }
        return list
    }
}
