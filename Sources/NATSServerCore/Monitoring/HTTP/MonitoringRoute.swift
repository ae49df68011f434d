/// What a request asks for, decided from its path and parameters alone.
enum MonitoringRoute: Sendable {
    case index
    case varz
    case connz(ConnectionQuery)
    case routez(ConnectionQuery.Subscriptions)
    case subsz(SubszDocument.Query)
    case leafz(LeafzDocument.Query)
    case gatewayz(name: String)
    /// All accounts, or the one with the name.
    case accountz(account: String)
    case accstatz(includesUnused: Bool)
    case jsz
    case healthz(HealthzDocument.Query, isDeprecated: Bool)
    case raftz
    case ipqueuesz
    case stacksz
    case debugVars
    case redirect(String)
    case notFound
    /// A parameter is wrong; the text says which.
    case invalid(String)

    /// A request's route and how it is answered.
    struct Decision: Sendable {
        var route: MonitoringRoute
        /// The path under which `/varz` counts the request.
        var counted: String?
        /// The function that the document is to be given to.
        var callback: String?
    }

    /// What a request leads to.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - basePath: `http_base_path`, clean.
    /// - Returns: the route and how it is answered.
    static func decide(_ request: MonitoringRequest, basePath: String) -> Decision {
        if let location = MonitoringPath.redirection(of: request.rawPath) {
            let query = request.rawQuery.isEmpty ? "" : "?\(request.rawQuery)"
            return Decision(route: .redirect(location + query))
        }
        guard let path = self.endpoint(of: request.path, basePath: basePath) else { return Decision(route: .notFound) }
        let parameters = request.parameters
        var decision = Decision(route: .notFound)
        do throws(QueryParameters.Failure) {
            // `/connz` and `/routez` are counted once their parameters are found to be right.
            if path != "/connz", path != "/routez" { decision.counted = self.countedName(of: path) }
            if path != "/" { decision.callback = try self.callback(parameters) }
            decision.route = try self.route(path, parameters)
            decision.counted = self.countedName(of: path)
        } catch {
            decision.route = .invalid(error.text)
        }
        if case .notFound = decision.route { decision.counted = nil }
        return decision
    }

    /// The path behind the base path; `/` for the base path itself.
    private static func endpoint(of path: String, basePath: String) -> String? {
        if path == basePath { return "/" }
        guard basePath != "/" else { return path }
        // The base path with a slash behind it is none of the pages.
        guard path.hasPrefix(basePath + "/"), path != basePath + "/" else { return nil }
        return String(path.dropFirst(basePath.count))
    }

    private static func countedName(of path: String) -> String? {
        switch path {
        case "/stacksz", "/raftz", "/ipqueuesz", "/debug/vars": nil
        case "/subscriptionsz": "/subsz"
        default: path
        }
    }

    private static func route(_ path: String, _ parameters: QueryParameters) throws(QueryParameters.Failure) -> Self {
        switch path {
        case "/": return .index
        case "/varz": return .varz
        case "/connz": return .connz(try self.connectionQuery(parameters))
        case "/routez":
            return .routez(try self.subscriptions(parameters))
        case "/subsz", "/subscriptionsz": return .subsz(try self.subscriptionQuery(parameters))
        case "/leafz":
            return .leafz(
                LeafzDocument.Query(lists: try parameters.bool("subs"), account: parameters.string("acc"))
            )
        case "/gatewayz":
            _ = try self.subscriptions(parameters)
            _ = try parameters.bool("accs")
            return .gatewayz(name: parameters.string("gw_name"))
        case "/accountz": return .accountz(account: parameters.string("acc"))
        case "/accstatz": return .accstatz(includesUnused: try parameters.bool("unused"))
        case "/jsz": return try self.jetStream(parameters)
        case "/healthz": return try self.health(parameters)
        case "/raftz": return .raftz
        case "/ipqueuesz":
            _ = try parameters.bool("all")
            return .ipqueuesz
        case "/stacksz": return .stacksz
        case "/debug/vars": return .debugVars
        default: return .notFound
        }
    }

    // MARK: Parameters

    /// A name that is safe in front of a parenthesis: identifiers joined by dots.
    private static func callback(_ parameters: QueryParameters) throws(QueryParameters.Failure) -> String? {
        let name = parameters.string("callback")
        guard !name.isEmpty else { return nil }
        let isName =
            name.utf8.count <= 128
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
                guard let first = part.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
                    return false
                }
                return part.unicodeScalars.allSatisfy { scalar in
                    scalar == "_" || scalar == "$" || (scalar.isASCII && scalar.properties.isAlphabetic)
                        || ("0"..."9").contains(scalar)
                }
            }
        guard isName else { throw QueryParameters.Failure(text: "invalid callback name") }
        return name
    }

    private static func subscriptions(
        _ parameters: QueryParameters
    ) throws(QueryParameters.Failure) -> ConnectionQuery.Subscriptions {
        if parameters.string("subs").lowercased() == "detail" { return .detail }
        return try parameters.bool("subs") ? .subjects : .none
    }

    private static func connectionQuery(
        _ parameters: QueryParameters
    ) throws(QueryParameters.Failure) -> ConnectionQuery {
        var query = ConnectionQuery()
        query.auth = try parameters.bool("auth")
        query.subscriptions = try self.subscriptions(parameters)
        query.offset = max(0, try parameters.int("offset"))
        let limit = try parameters.int("limit")
        query.limit = limit > 0 ? limit : ConnectionQuery.defaultLimit
        query.id = try parameters.uint64("cid")
        let state = parameters.string("state")
        switch state.lowercased() {
        case "", "open": query.state = .open
        case "closed": query.state = .closed
        case "any", "all": query.state = .all
        default: throw QueryParameters.Failure(text: "Error decoding state for \(state)")
        }
        query.user = parameters.string("user")
        query.account = parameters.string("acc")
        query.mqttClient = parameters.string("mqtt_client")
        if query.id > 0 { query.limit = 1 }
        let sort = parameters.string("sort")
        guard sort.isEmpty || ConnectionQuery.Sort(rawValue: sort) != nil else {
            throw QueryParameters.Failure(text: "invalid sorting option: \(sort)")
        }
        query.sort = ConnectionQuery.Sort(rawValue: sort) ?? .cid
        if query.sort == .stop || query.sort == .reason, query.state != .closed {
            throw QueryParameters.Failure(text: "sort by \(sort) only valid on closed connections")
        }
        return query
    }

    private static func subscriptionQuery(
        _ parameters: QueryParameters
    ) throws(QueryParameters.Failure) -> SubszDocument.Query {
        var query = SubszDocument.Query()
        query.lists = try parameters.bool("subs")
        query.offset = max(0, try parameters.int("offset"))
        let limit = try parameters.int("limit")
        query.limit = limit > 0 ? limit : SubszDocument.Query.defaultLimit
        query.test = parameters.string("test")
        query.account = parameters.string("acc")
        if !query.test.isEmpty, !SubszDocument.isTestSubject(query.test) {
            throw QueryParameters.Failure(text: "invalid test subject, must be valid publish subject: \(query.test)")
        }
        return query
    }

    private static func jetStream(_ parameters: QueryParameters) throws(QueryParameters.Failure) -> Self {
        for name in ["accounts", "streams", "consumers", "direct-consumers", "config"] { _ = try parameters.bool(name) }
        _ = try parameters.int("offset")
        _ = try parameters.int("limit")
        let onlyLeader = try parameters.bool("leader-only")
        _ = try parameters.bool("raft")
        _ = try parameters.bool("stream-leader-only")
        if onlyLeader { throw QueryParameters.Failure(text: JszDocument.notLeader) }
        return .jsz
    }

    private static func health(_ parameters: QueryParameters) throws(QueryParameters.Failure) -> Self {
        let isDeprecated = try parameters.bool("js-enabled")
        for name in ["js-enabled-only", "js-server-only", "js-meta-only"] { _ = try parameters.bool(name) }
        var query = HealthzDocument.Query()
        query.details = try parameters.bool("details")
        query.account = parameters.string("account")
        query.stream = parameters.string("stream")
        query.consumer = parameters.string("consumer")
        return .healthz(query, isDeprecated: isDeprecated)
    }
}
