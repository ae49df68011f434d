package import Logging
package import NATSServerConfig

extension ServerOptions {
    /// What a configuration says, for the engine.
    ///
    /// Process matters (pid file, ports file, where the log goes) are not among it.
    package init(_ configuration: ServerConfiguration, logger: Logger) {
        self.init(logger: logger)
        self.host = configuration.host
        // 0 or less lets the system choose; the engine refuses what is lower than -1 as the official server does.
        self.port = configuration.port
        self.serverName = configuration.serverName
        self.clientAdvertise = configuration.clientAdvertise

        self.authorization = AuthorizationOptions(configuration)
        self.operators = OperatorModeOptions(configuration)
        self.tls = TLSOptions(configuration)
        self.webSocket = configuration.websocket.flatMap(WebSocketOptions.init)

        self.cluster = configuration.cluster.flatMap { $0.port == 0 ? nil : ClusterOptions($0) }
        self.leafNodes = configuration.leafnodes.flatMap(LeafNodesOptions.init)

        self.maxConnections = configuration.maxConnections
        self.maxControlLine = configuration.maxControlLine
        self.maxPayload = configuration.maxPayload
        self.maxPending = configuration.maxPending
        self.maxSubscriptions = configuration.maxSubscriptions
        self.maxSubscriptionTokens = configuration.maxSubTokens
        self.maxClosedClients = configuration.maxClosedClients
        self.writeDeadline = configuration.writeDeadline
        self.pingInterval = configuration.pingInterval
        self.pingsOutMax = configuration.pingMax
        self.noHeaderSupport = configuration.noHeaderSupport
        self.noSublistCache = configuration.disableSublistCache
        self.noFastProducerStall = configuration.noFastProducerStall
        self.lameDuckDuration = configuration.lameDuckDuration
        self.lameDuckGracePeriod = configuration.lameDuckGracePeriod
        self.connectErrorReports = configuration.connectErrorReports
        self.reconnectErrorReports = configuration.reconnectErrorReports

        self.monitoring.host = configuration.httpHost ?? ""
        self.monitoring.port = configuration.httpPort
        self.monitoring.httpsPort = configuration.httpsPort
        self.monitoring.basePath = configuration.httpBasePath ?? ""
        self.monitoring.tags = configuration.serverTags
        self.monitoring.metadata = configuration.serverMetadata
        self.monitoring.featureFlags.merge(configuration.featureFlags) { $1 }

        self.traceProtocol = configuration.trace
        self.traceHeaders = configuration.traceHeaders
        self.maxTracedMessageLength = configuration.maxTracedMsgLen
    }
}

extension ServerConfiguration {
    /// Time for a TLS handshake with a client.
    package var effectiveTLSTimeout: Duration {
        guard let timeout = self.tls?.timeout, timeout != .zero else { return .seconds(2) }
        return timeout
    }

    /// Time that a client has to give credentials (nats-server opts.go getDefaultAuthTimeout).
    package var effectiveAuthTimeout: Duration {
        if let timeout = self.authorization?.timeout, timeout > .zero { return timeout }
        return self.tls == nil ? .seconds(2) : self.effectiveTLSTimeout + .seconds(1)
    }
}
