import NATSAuth
package import NATSServerConfig
import NATSText

/// What a reload of the configuration changes, in the order in which the official server tells it.
///
/// Made from the configuration in use and the new one, both with the flags of the command line applied; nothing is done
/// here. nats-server reload.go diffOptions goes through the fields of its options in their order, and so does this.
package struct ReloadPlan: Equatable, Sendable {
    /// An option that cannot change while the server runs: nothing changes then.
    package struct Refusal: Error, Equatable, CustomStringConvertible {
        /// What follows `Failed to reload server configuration: `.
        package let description: String
    }

    /// What has to be done for a change, beside giving the engine its new options.
    package enum Effect: Equatable, Sendable {
        case nothing
        /// The log is set up anew when all changes have been told.
        case logging
        case maxConnections
        case pidFile(String)
        case portsFile(old: String?, new: String?)
        case tls
        case cluster
        case routes
    }

    package struct Change: Equatable, Sendable {
        /// The log line.
        package let text: String
        package let effect: Effect
    }

    package private(set) var changes: [Change] = []

    package var changesLogging: Bool { self.changes.contains { $0.effect == .logging } }

    private let old: ServerConfiguration
    private let new: ServerConfiguration

    /// Compares two configurations.
    ///
    /// - Parameters:
    ///   - old: What the server runs with.
    ///   - new: What it is to run with.
    ///   - port: What the server listens on, if it chose the port itself.
    ///   - webSocketPort: The same of the WebSocket listener.
    ///   - clusterPort: The same of the listener for routes.
    ///   - tlsFilesChanged: Whether certificates have been replaced under the names that they have in both.
    /// - Throws: ``Refusal`` if something differs that needs a restart.
    package init(
        from old: ServerConfiguration,
        to new: ServerConfiguration,
        port: Int,
        webSocketPort: Int = -1,
        clusterPort: Int = -1,
        tlsFilesChanged: Bool = false
    ) throws(Refusal) {
        self.old = old
        self.new = new
        try self.compareServer(port: port)
        try self.compareUsers()
        try self.compareAuthorization()
        try self.compareLimits(clusterPort: clusterPort)
        try self.compareFiles()
        try self.compareTLS(filesChanged: tlsFilesChanged)
        try self.compareRest(webSocketPort: webSocketPort)
    }

    // MARK: Groups of fields, in the official order

    private mutating func compareServer(port: Int) throws(Refusal) {
        try self.refuse("ServerName", \.serverName) { $0 ?? "" }
        try self.refuse("Host", \.host) { $0 }
        let oldPort = self.old.port == -1 ? port : self.old.port
        let newPort = self.new.port == -1 ? oldPort : self.new.port
        guard oldPort == newPort else { throw Self.refusal("Port", "\(oldPort)", "\(newPort)") }
        if self.old.clientAdvertise != self.new.clientAdvertise {
            let advertised = self.new.clientAdvertise ?? ""
            if !advertised.isEmpty {
                do {
                    _ = try AdvertisedAddress(advertised, defaultPort: 0)
                } catch {
                    throw Refusal(description: "invalid ClientAdvertise value of \(advertised), err=\(error)")
                }
            }
            // The official text: without the "ed".
            self.add("Reload: client_advertise = \(advertised)")
        }
        self.change(\.trace, .logging) { "trace = \($0)" }
        self.change(\.debug, .logging) { "debug = \($0)" }
        self.change(\.traceVerbose, .logging) { "trace_verbose = \($0)" }
        self.change(\.traceHeaders, .logging) { "trace_headers = \($0)" }
        try self.refuse("NoSublistCache", \.disableSublistCache) { "\($0)" }
        try self.refuse("NoHeaderSupport", \.noHeaderSupport) { "\($0)" }
        self.change(\.logtime, .logging) { "logtime = \($0)" }
        self.change(\.logtimeUTC, .logging) { "logtime_utc = \($0)" }
        self.change(\.maxConnections, .maxConnections) { "max_connections = \($0 == 0 ? -1 : $0)" }
        try self.refuse("MaxSubs", \.maxSubscriptions) { "\($0)" }
        try self.refuse("MaxSubTokens", \.maxSubTokens) { "\($0)" }
    }

    private mutating func compareUsers() throws(Refusal) {
        let nkeys = { (configuration: ServerConfiguration) in
            Self.users(configuration).filter { if case .nkey = $0.identity { true } else { false } }
                .sorted { $0.identity.name < $1.identity.name }
        }
        if nkeys(self.old) != nkeys(self.new) { self.add("Reloaded: authorization nkey users") }
        // Accounts and users are taken over anew in any case, and so are the checks of who is connected.
        self.add("Reloaded: authorization users")
        self.add("Reloaded: accounts")
        // Resolvers are never the same.
        if self.new.resolver != nil, self.old.resolver != nil { self.add("Reloaded: accounts") }
        if self.old.resolverTLS.map(ResolverTLS.init) != self.new.resolverTLS.map(ResolverTLS.init) {
            self.add("Reloaded: accounts")
        }
        if self.old.noAuthUser != self.new.noAuthUser {
            let isStillThere = Self.users(self.new).contains { $0.identity.name == self.old.noAuthUser }
            guard self.old.noAuthUser != nil, self.new.noAuthUser == nil, !isStillThere else {
                throw Self.refusal("NoAuthUser", self.old.noAuthUser ?? "", self.new.noAuthUser ?? "")
            }
        }
        self.change(\.defaultSentinel) { "default_sentinel = \($0 ?? "")" }
        // nats-server server.go configureAccounts: an account `$SYS` has become the system account.
        let isDefined = self.old.accounts.contains { $0.name == Account.systemName }
        let system = self.old.systemAccount ?? (isDefined ? Account.systemName : nil)
        if system != self.new.systemAccount {
            guard system == Account.systemName, self.new.systemAccount == nil else {
                throw Self.refusal("SystemAccount", system ?? "", self.new.systemAccount ?? "")
            }
        }
        try self.refuse("NoSystemAccount", \.noSystemAccount) { "\($0)" }
    }

    private mutating func compareAuthorization() throws(Refusal) {
        self.change(\.authorization?.user) { _ in "authorization username" }
        self.change(\.authorization?.password) { _ in "authorization password" }
        try self.refuse("ProxyRequired", \.authorization?.proxyRequired) { "\($0 ?? false)" }
        try self.refuse("ProxyProtocol", \.proxyProtocol) { "\($0)" }
        self.change(\.authorization?.token) { _ in "authorization token" }
        try self.refuse("AuthCallout", \.authorization?.authCallout) { callout in
            guard let callout else { return "<nil>" }
            let users = callout.authUsers.joined(separator: " ")
            let accounts = callout.allowedAccounts.joined(separator: " ")
            return "&{\(callout.issuer) \(callout.account) [\(users)] \(callout.xkey ?? "") [\(accounts)]}"
        }
        self.change(\.pingInterval) { "ping_interval = \(GoDuration.text($0))" }
        self.change(\.pingMax) { "ping_max = \($0)" }
        let httpHosts = (self.old.httpHost ?? self.old.host, self.new.httpHost ?? self.new.host)
        guard httpHosts.0 == httpHosts.1 else { throw Self.refusal("HTTPHost", httpHosts.0, httpHosts.1) }
        try self.refuse("HTTPPort", \.httpPort) { "\($0)" }
        try self.refuse("HTTPBasePath", \.httpBasePath) { $0 ?? "" }
        try self.refuse("HTTPSPort", \.httpsPort) { "\($0)" }
        self.change(\.effectiveAuthTimeout) { "authorization timeout = \(Self.seconds($0))" }
    }

    private mutating func compareLimits(clusterPort: Int) throws(Refusal) {
        self.change(\.maxControlLine) { "max_control_line = \($0)" }
        self.change(\.maxPayload) { "max_payload = \($0)" }
        try self.refuse("MaxPending", \.maxPending) { "\($0)" }
        self.change(\.noFastProducerStall) { "fast producers will \($0 ? "not " : "")be stalled" }
        try self.compareCluster(port: clusterPort)
        try self.refuse("ProfPort", \.profPort) { "\($0)" }
        self.change(\.profBlockRate) { "prof_block_rate = \($0)" }
    }

    private mutating func compareFiles() throws(Refusal) {
        if self.old.pidFile != self.new.pidFile, let path = self.new.pidFile {
            self.add("Reloaded: pid_file = \(path)", .pidFile(path))
        }
        if self.old.portsFileDir != self.new.portsFileDir {
            self.add(
                "Reloaded: ports_file_dir = \(self.new.portsFileDir ?? "")",
                .portsFile(old: self.old.portsFileDir, new: self.new.portsFileDir)
            )
        }
        self.change(\.logFile, .logging) { "log_file = \($0 ?? "")" }
        try self.refuse("LogSizeLimit", \.logSizeLimit) { "\($0)" }
        try self.refuse("LogMaxFiles", \.logMaxNum) { "\($0)" }
        self.change(\.syslog, .logging) { "syslog = \($0)" }
        self.change(\.remoteSyslog, .logging) { "remote_syslog = \($0 ?? "")" }
        self.compareRoutes()
    }

    private mutating func compareTLS(filesChanged: Bool) throws(Refusal) {
        self.change(\.effectiveTLSTimeout) { "tls timeout = \(Self.seconds($0))" }
        try self.refuse("TLSMap", \.tls?.verifyAndMap) { "\($0 ?? false)" }
        if filesChanged || Self.essence(self.old.tls) != Self.essence(self.new.tls) {
            self.add("Reloaded: tls = \(self.new.tls == nil ? "disabled" : "enabled")", .tls)
        }
        let pins = { (tls: TLSConfiguration?) in tls?.pinnedCerts ?? [] }
        if pins(self.old.tls) != pins(self.new.tls) {
            self.add("Reloaded: \(pins(self.new.tls).count) pinned_certs", .tls)
        }
        try self.refuse("TLSRateLimit", \.tls?.connectionRateLimit) { "\($0 ?? 0)" }
        let first = { (tls: TLSConfiguration?) in (tls?.handshakeFirst ?? .off) != .off }
        if first(self.old.tls) != first(self.new.tls) {
            self.add("Reloaded: Client TLS handshake first: \(first(self.new.tls))", .tls)
        }
        let delay = { (tls: TLSConfiguration?) -> Duration in
            if case .fallback(let after) = tls?.handshakeFirst { after } else { .zero }
        }
        if delay(self.old.tls) != delay(self.new.tls) {
            let text = GoDuration.text(delay(self.new.tls))
            self.add("Reloaded: Client TLS handshake first fallback delay: \(text)", .tls)
        }
        try self.refuse("AllowNonTLS", \.allowNonTLS) { "\($0)" }
    }

    /// Nothing of it changes but what the certificates are (nats-server reload.go diffOptions).
    private func compareWebSocket(port: Int) throws(Refusal) {
        let essence = { (configuration: ServerConfiguration) -> WebSocketConfiguration? in
            guard var block = configuration.websocket, block.port != 0 else { return nil }
            if block.port == -1 { block.port = port }
            block.allowedOrigins.sort()
            var tls = TLSConfiguration()
            tls.verifyAndMap = block.tls?.verifyAndMap ?? false
            tls.pinnedCerts = block.tls?.pinnedCerts ?? []
            block.tls = tls
            return block
        }
        let text = { (block: WebSocketConfiguration?) in
            guard let block else { return "{}" }
            return "{\(block.host) \(block.port)}"
        }
        let (old, new) = (essence(self.old), essence(self.new))
        guard old == new else { throw Self.refusal("Websocket", text(old), text(new)) }
    }

    /// Operators stay, and accounts come from where they came.
    private func compareOperators() throws(Refusal) {
        let names = { (configuration: ServerConfiguration) in
            let names = OperatorOptions(configuration).operators.map(\.name)
            return "[\(names.joined(separator: " "))]"
        }
        // To the official server an empty list is something else than none.
        func isGiven(_ key: String) -> (Bool, Bool) { (self.old.given[key] != nil, self.new.given[key] != nil) }
        let keys = { (configuration: ServerConfiguration) in "[\(configuration.trustedKeys.joined(separator: " "))]" }
        let (hadKeys, hasKeys) = isGiven("trusted_keys")
        guard self.old.trustedKeys == self.new.trustedKeys, hadKeys == hasKeys else {
            throw Self.refusal("TrustedKeys", keys(self.old), keys(self.new))
        }
        let (hadOperators, hasOperators) = isGiven("operator")
        guard self.old.operators == self.new.operators, hadOperators == hasOperators else {
            throw Self.refusal("TrustedOperators", names(self.old), names(self.new))
        }
        guard (self.old.resolver == nil) == (self.new.resolver == nil) else {
            throw Refusal(description: "config reload does not support moving to or from an account resolver")
        }
        guard self.old.resolver == self.new.resolver else {
            throw Refusal(description: "config reload does not support another account resolver")
        }
    }

    private mutating func compareRest(webSocketPort: Int) throws(Refusal) {
        self.change(\.writeDeadline) { "write_deadline = \(GoDuration.text($0))" }
        try self.refuse("WriteTimeout", \.writeTimeout) { $0 == .default ? "" : $0.rawValue }
        try self.refuse("MaxClosedClients", \.maxClosedClients) { "\($0)" }
        try self.compareOperators()
        try self.compareLeafNodes()
        try self.compareWebSocket(port: webSocketPort)
        try self.refuse("LameDuckDuration", \.lameDuckDuration) { GoDuration.text($0) }
        try self.refuse("LameDuckGracePeriod", \.lameDuckGracePeriod) { GoDuration.text($0) }
        self.change(\.maxTracedMsgLen) { "max_traced_msg_len = \($0)" }
        self.change(\.connectErrorReports, .cluster) { "connect_error_reports = \($0)" }
        self.change(\.reconnectErrorReports, .cluster) { "reconnect_error_reports = \($0)" }
        self.change(\.serverTags) { _ in "tags" }
        self.change(\.serverMetadata) { _ in "metadata" }
        try self.refuse("FeatureFlags", \.featureFlags) { flags in
            let pairs = flags.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
            return "map[\(pairs.joined(separator: " "))]"
        }
        if self.old.ocsp != self.new.ocsp { self.add("Reloaded: OCSP") }
        // The official text: without the colon.
        if self.old.ocspCache != self.new.ocspCache { self.add("Reloaded OCSP peer cache") }
    }

    /// nats-server reload.go validateClusterOpts, clusterOption.
    private mutating func compareCluster(port: Int) throws(Refusal) {
        try self.refuse("cluster host", \.cluster?.host) { $0 ?? "" }
        let ports = [self.old, self.new].map { configuration in
            let configured = configuration.cluster?.port ?? 0
            return configured == -1 ? port : configured
        }
        guard ports[0] == ports[1] else { throw Self.refusal("cluster port", "\(ports[0])", "\(ports[1])") }
        guard let cluster = self.new.cluster else { return }
        if let advertised = cluster.advertise, !advertised.isEmpty {
            do {
                _ = try AdvertisedAddress(advertised, defaultPort: 0)
            } catch {
                throw Refusal(description: "invalid Cluster.Advertise value of \(advertised), err=\(error)")
            }
        }
        let blocks = [self.old, self.new].map { configuration in
            var block = configuration.cluster
            // It says nothing, and moves with the lines above it.
            block?.tls?.position = nil
            block?.routes = []
            return block
        }
        // Certificates may be other ones under the same names.
        if blocks[0] != blocks[1] || cluster.tls != nil { self.add("Reloaded: cluster", .cluster) }
    }

    private mutating func compareRoutes() {
        let (old, new) = (self.old.cluster?.routes ?? [], self.new.cluster?.routes ?? [])
        if Set(old) != Set(new) { self.add("Reloaded: cluster routes", .routes) }
    }

    /// Nothing of it can change while the server runs.
    private func compareLeafNodes() throws(Refusal) {
        let blocks = [self.old, self.new].map { configuration in
            var block = configuration.leafnodes
            // They say nothing, and move with the lines above them.
            block?.tls?.position = nil
            for index in block?.remotes.indices ?? 0..<0 { block?.remotes[index].tls?.position = nil }
            return block
        }
        guard blocks[0] == blocks[1] else {
            throw Refusal(description: "config reload not supported for LeafNode: restart the server")
        }
    }

    // MARK: Comparing

    private mutating func add(_ text: String, _ effect: Effect = .nothing) {
        self.changes.append(Change(text: text, effect: effect))
    }

    private mutating func change<Value: Equatable>(
        _ value: (ServerConfiguration) -> Value,
        _ effect: Effect = .nothing,
        _ text: (Value) -> String
    ) {
        let changed = value(self.new)
        guard value(self.old) != changed else { return }
        self.add("Reloaded: \(text(changed))", effect)
    }

    private func refuse<Value: Equatable>(
        _ field: String,
        _ value: (ServerConfiguration) -> Value,
        _ text: (Value) -> String
    ) throws(Refusal) {
        let (old, new) = (text(value(self.old)), text(value(self.new)))
        guard value(self.old) == value(self.new) || old == new else { throw Self.refusal(field, old, new) }
    }

    private static func refusal(_ field: String, _ old: String, _ new: String) -> Refusal {
        Refusal(description: "config reload not supported for \(field): old=\(old), new=\(new)")
    }

    private static func users(_ configuration: ServerConfiguration) -> [UserConfiguration] {
        (configuration.authorization?.users ?? []) + configuration.accounts.flatMap(\.users)
    }

    /// What of a TLS block makes another context; the rest has its own lines.
    private static func essence(_ tls: TLSConfiguration?) -> TLSConfiguration? {
        guard var tls else { return nil }
        tls.timeout = nil
        tls.pinnedCerts = []
        tls.handshakeFirst = .off
        tls.connectionRateLimit = 0
        tls.verifyAndMap = false
        tls.position = nil
        // Which names may be asked for, and by which of two keys a certificate is named, make no other context.
        tls.allowInsecureCipherSuites = false
        tls.certs = tls.keyPairs
        (tls.certFile, tls.keyFile) = (nil, nil)
        return tls
    }

    /// Seconds as Go prints a float64: `3`, `1.5`.
    private static func seconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let value = Double(seconds) + Double(attoseconds) / 1e18
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
