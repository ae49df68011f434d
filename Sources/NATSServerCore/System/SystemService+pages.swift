import Crypto
import NATSText
import NATSWire
import NIOCore

/// The monitoring pages as answers.
extension SystemService {
    /// Of one server.
    var serverPages: [(String, Page)] {
        [
            ("VARZ", { _, loop in self.varz(on: loop) }),
            ("SUBSZ", { query, loop throws(JSONError) in try self.subscriptions(query, account: nil, loop) }),
            ("CONNZ", { query, loop throws(JSONError) in try self.connections(query, account: nil, loop) }),
            (
                "ROUTEZ",
                { query, loop throws(JSONError) in
                    let isDetailed = try query.bool("subscriptions_detail")
                    let isListed = try query.bool("subscriptions")
                    return self.source.routes(isDetailed ? .detail : isListed ? .subjects : .none, on: loop)
                        .map { Self.data($0.json()) }
                }
            ),
            (
                "GATEWAYZ",
                { query, loop throws(JSONError) in
                    try Self.checkSubscriptions(query)
                    _ = try (query.string("name"), query.bool("accounts"), query.string("account_name"))
                    return Self.ready(GatewayzDocument.json(self.source.head()), loop)
                }
            ),
            ("LEAFZ", { query, loop throws(JSONError) in try self.leafNodes(query, account: nil, loop) }),
            ("ACCOUNTZ", { query, loop throws(JSONError) in try self.accounts(query, loop) }),
            ("JSZ", { query, loop throws(JSONError) in try self.jetStream(query, loop) }),
            ("HEALTHZ", { query, loop throws(JSONError) in try self.health(query, loop) }),
            ("PROFILEZ", { query, loop throws(JSONError) in try Self.profile(query, loop) }),
            ("EXPVARZ", { _, loop in self.variables(on: loop) }),
            (
                "IPQUEUESZ",
                { query, loop throws(JSONError) in
                    _ = try (query.bool("all"), query.string("filter"))
                    return Self.ready(IPQueueszDocument.json(), loop)
                }
            ),
            (
                "RAFTZ",
                { query, loop throws(JSONError) in
                    _ = try (query.string("account"), query.string("group"))
                    return Self.ready(Array("{}".utf8), loop)
                }
            ),
        ]
    }

    /// Of one account.
    static let accountPageNames = ["SUBSZ", "CONNZ", "LEAFZ", "JSZ", "INFO", "STATZ"]

    func accountPage(
        _ name: String,
        _ account: String,
        _ query: SystemQuery,
        _ eventLoop: any EventLoop
    ) throws(JSONError) -> EventLoopFuture<Answer> {
        switch name {
        case "SUBSZ": return try self.subscriptions(query, account: account, eventLoop)
        case "CONNZ": return try self.connections(query, account: account, eventLoop)
        case "LEAFZ": return try self.leafNodes(query, account: account, eventLoop)
        case "JSZ":
            _ = try self.jetStream(query, eventLoop)
            return eventLoop.makeSucceededFuture(.refusal("jetstream not enabled"))
        case "INFO":
            return self.source.account(account, on: eventLoop).map { snapshot in
                guard let snapshot else { return .refusal(AccountzDocument.unknown(account)) }
                return Self.data(
                    AccountzDocument.detail(
                        snapshot,
                        system: self.source.systemAccount,
                        now: self.source.head().now
                    )
                )
            }
        case "STATZ":
            // nats-server events.go: the question to all accounts has a subscription of its own.
            guard account != "PING" else { return eventLoop.makeSucceededFuture(.silence) }
            return try self.accountStatistics([account], query, eventLoop)
        default:
            return eventLoop.makeSucceededFuture(.silence)
        }
    }

    private static func data(_ json: [UInt8]) -> Answer { .data(JSONDocumentWriter.compact(json)) }

    private static func ready(_ json: [UInt8], _ eventLoop: any EventLoop) -> EventLoopFuture<Answer> {
        eventLoop.makeSucceededFuture(self.data(json))
    }

    private static func checkSubscriptions(_ query: SystemQuery) throws(JSONError) {
        _ = try (query.bool("subscriptions"), query.bool("subscriptions_detail"))
    }

    // MARK: Pages

    private func varz(on eventLoop: any EventLoop) -> EventLoopFuture<Answer> {
        let requests = self.httpRequests()?.hop(to: eventLoop) ?? eventLoop.makeSucceededFuture([:])
        return self.source.server(on: eventLoop).and(requests).map { snapshot, requests in
            var snapshot = snapshot
            snapshot.usage = self.usage
            snapshot.httpRequests = requests
            return Self.data(VarzDocument(snapshot: snapshot).json())
        }
    }

    private func subscriptions(
        _ options: SystemQuery,
        account: String?,
        _ eventLoop: any EventLoop
    ) throws(JSONError) -> EventLoopFuture<Answer> {
        var query = SubszDocument.Query()
        query.offset = max(0, try options.int("offset"))
        let limit = try options.int("limit")
        query.limit = limit > 0 ? limit : SubszDocument.Query.defaultLimit
        query.lists = try options.bool("subscriptions") || account != nil
        query.account = try options.string("account")
        query.test = try options.string("test")
        if let account { query.account = account }
        guard query.test.isEmpty || SubszDocument.isTestSubject(query.test) else {
            let text = "invalid test subject, must be valid publish subject: \(query.test)"
            return eventLoop.makeSucceededFuture(.refusal(text))
        }
        return Self.bounded(
            self.source.subscriptions(query, within: self.pageSize, on: eventLoop).map {
                .data($0.json(indentation: nil))
            }
        )
    }

    private func connections(
        _ options: SystemQuery,
        account: String?,
        _ eventLoop: any EventLoop
    ) throws(JSONError) -> EventLoopFuture<Answer> {
        var query = ConnectionQuery()
        let sort = try options.string("sort")
        query.auth = try options.bool("auth")
        if try options.bool("subscriptions") { query.subscriptions = .subjects }
        if try options.bool("subscriptions_detail") { query.subscriptions = .detail }
        query.offset = max(0, try options.int("offset"))
        let limit = try options.int("limit")
        query.limit = limit > 0 ? limit : ConnectionQuery.defaultLimit
        query.id = try options.uint64("cid")
        query.mqttClient = try options.string("mqtt_client")
        switch try options.int("state") {
        case 1: query.state = .closed
        case 2: query.state = .all
        default: query.state = .open
        }
        query.user = try options.string("user")
        query.account = try options.string("acc")
        query.filterSubject = try options.string("filter_subject")
        if let account { query.account = account }
        if query.id > 0 { query.limit = 1 }
        func failure(_ text: String) -> EventLoopFuture<Answer> {
            eventLoop.makeSucceededFuture(.refusal(text))
        }
        guard sort.isEmpty || ConnectionQuery.Sort(rawValue: sort) != nil else {
            return failure("invalid sorting option: \(sort)")
        }
        query.sort = ConnectionQuery.Sort(rawValue: sort) ?? .cid
        if query.sort == .stop || query.sort == .reason, query.state != .closed {
            return failure("sort by \(sort) only valid on closed connections")
        }
        if query.filterSubject == ">" { query.filterSubject = "" }
        guard query.filterSubject.isEmpty || !query.account.isEmpty else {
            return failure("filter by subject only valid with account filtering")
        }
        let final = query
        return Self.bounded(
            self.source.connections(final, within: self.pageSize, on: eventLoop).map { document in
                guard let document else {
                    return Self.data(ConnzDocument.unknownAccount(query: final, now: self.source.head().now))
                }
                return .data(document.json(indentation: nil))
            }
        )
    }

    /// A larger answer would cut off whoever gets it.
    private var pageSize: PageSize { PageSize(limit: self.shared.options.maxPending) }

    private static func bounded(_ answer: EventLoopFuture<Answer>) -> EventLoopFuture<Answer> {
        answer.flatMapErrorThrowing { error in
            guard error is PageSize.Exceeded else { throw error }
            return .failure("the answer is too large, ask for a smaller page")
        }
    }

    private func leafNodes(
        _ query: SystemQuery,
        account: String?,
        _ eventLoop: any EventLoop
    ) throws(JSONError) -> EventLoopFuture<Answer> {
        let named = try query.string("account")
        let query = LeafzDocument.Query(lists: try query.bool("subscriptions"), account: account ?? named)
        return self.source.leafNodes(query, on: eventLoop).map { Self.data($0.json(indentation: nil)) }
    }

    private func accounts(
        _ query: SystemQuery,
        _ eventLoop: any EventLoop
    ) throws(JSONError) -> EventLoopFuture<Answer> {
        let name = try query.string("account")
        let head = self.source.head()
        let system = self.source.systemAccount
        guard !name.isEmpty else {
            return Self.ready(
                AccountzDocument.json(head, accounts: self.source.accountNames, system: system),
                eventLoop
            )
        }
        return self.source.account(name, on: eventLoop).map { account in
            guard let account else { return .refusal(AccountzDocument.unknown(name)) }
            return Self.data(AccountzDocument.json(head, account: account, system: system))
        }
    }

    func accountStatistics(
        _ names: [String],
        _ query: SystemQuery,
        _ eventLoop: any EventLoop
    ) throws(JSONError) -> EventLoopFuture<Answer> {
        let includesUnused = try query.bool("include_unused")
        let accounts: EventLoopFuture<[AccountSnapshot]>
        if names.count == 1, let account = self.shared.accounts[names[0]] {
            accounts = self.source.traffic(of: account, on: eventLoop).map { [$0] }
        } else {
            accounts = self.source.accounts(on: eventLoop)
        }
        return accounts.map { accounts in
            let wanted = accounts.filter { account in
                let isUsed = account.connections + account.leafNodes > 0
                return (names.isEmpty || names.contains(account.name)) && (includesUnused || isUsed)
            }
            guard !wanted.isEmpty || includesUnused else { return .silence }
            let document = AccstatzDocument(head: self.source.head(), accounts: wanted, includesUnused: true)
            return .data(document.json(indentation: nil))
        }
    }

    private func jetStream(
        _ query: SystemQuery,
        _ eventLoop: any EventLoop
    ) throws(JSONError) -> EventLoopFuture<Answer> {
        for key in ["accounts", "streams", "consumer", "direct_consumer", "config", "raft", "stream_leader_only"] {
            _ = try query.bool(key)
        }
        _ = try (query.string("account"), query.int("offset"), query.int("limit"))
        if try query.bool("leader_only") { return eventLoop.makeSucceededFuture(.silence) }
        return Self.ready(JszDocument.json(self.source.head()), eventLoop)
    }

    private func health(
        _ options: SystemQuery,
        _ eventLoop: any EventLoop
    ) throws(JSONError) -> EventLoopFuture<Answer> {
        var query = HealthzDocument.Query()
        for key in ["js-enabled", "js-enabled-only", "js-server-only", "js-meta-only"] { _ = try options.bool(key) }
        query.account = try options.string("account")
        query.stream = try options.string("stream")
        query.consumer = try options.string("consumer")
        query.details = try options.bool("details")
        let document = HealthzDocument(query, isReady: self.source.isReady)
        return eventLoop.makeSucceededFuture(.data(document.statusJSON))
    }

    /// Go's profiles, of which there are none here.
    private static func profile(
        _ query: SystemQuery,
        _ eventLoop: any EventLoop
    ) throws(JSONError) -> EventLoopFuture<Answer> {
        let name = try query.string("name")
        _ = try (query.int("debug"), query.int("duration"))
        let error = name.isEmpty ? "Profile name not specified" : "Profile \(GoString.quoted(name.utf8)) not found"
        let json = SystemEvents.document { writer in
            writer.writeNull("profile")
            writer.write("error", error)
        }
        return eventLoop.makeSucceededFuture(.data(json))
    }

    private func variables(on eventLoop: any EventLoop) -> EventLoopFuture<Answer> {
        let commandLine = self.source.options.monitoring.commandLine
        return Self.ready(DebugVarsDocument.answer(commandLine: commandLine, usage: self.usage), eventLoop)
    }

    /// What other servers know this one by (nats-server events.go getHash).
    static func hash(of name: String) -> String {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        let bytes = SHA256.hash(data: Array(name.utf8)).prefix(8).map { digits[Int($0) % digits.count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Users

    /// Tells a client what it is and may do (nats-server events.go userInfoReq); while its request is delivered.
    func userInfo(_ request: InternalMessage, of connection: ClientConnection) -> InternalQueue.Pressure {
        guard !request.reply.isEmpty, !connection.isInternal else { return .low }
        let info = ClientInfo(header: request.header)
        let isWrong = info == nil && !request.header.isEmpty
        let permissions = connection.session.permissions
        let account = info?.account ?? ""
        let user = info?.user ?? ""
        // In its turn, so that a flood of such requests pauses those who make them.
        return self.pages.put(request) { request in
            self.publishAnswer(to: request.reply) { writer in
                guard !isWrong else {
                    writer.object("error") { $0.write("code", 400) }
                    return
                }
                writer.object("data") { writer in
                    writer.write("user", user)
                    writer.write("account", account)
                    writer.writeUnlessEmpty("account_name", account)
                    if let permissions { writer.object("permissions") { permissions.write(to: &$0) } }
                }
            }
            return nil
        }
    }
}

extension ClientPermissions {
    /// nats-server client.go publicPermissions.
    fileprivate func write(to writer: inout JSONDocumentWriter) {
        func write(_ allow: [String], _ deny: [String], to writer: inout JSONDocumentWriter) {
            writer.writeUnlessEmpty("allow", allow)
            writer.writeUnlessEmpty("deny", deny)
        }
        writer.object("publish") { writer in
            write(self.options.publish?.allow ?? [], self.options.publish?.deny ?? [], to: &writer)
        }
        writer.object("subscribe") { writer in
            write(self.options.subscribe?.allow ?? [], self.options.subscribe?.deny ?? [], to: &writer)
        }
        if let responses = self.responses {
            writer.object("responses") { writer in
                writer.write("max", responses.maxMessages)
                writer.write("ttl", nanoseconds: responses.expires)
            }
        }
    }
}
