package import NATSServerConfig

extension TLSOptions {
    /// What a configuration says about the connections of clients; `nil` without a `tls` block.
    package init?(_ configuration: ServerConfiguration) {
        guard let block = configuration.tls else { return nil }
        self.init(block)
        self.timeout = configuration.effectiveTLSTimeout
        self.allowNonTLS = configuration.allowNonTLS
    }

    /// What a `tls` block says.
    init(_ block: TLSConfiguration) {
        self.init()
        self.keyPairs = block.keyPairs.map { pair in
            KeyPair(certificate: .file(pair.certFile), key: .file(pair.keyFile))
        }
        self.authorities = block.caFile.map { .file($0) }
        self.verify = block.verify
        self.verifyAndMap = block.verifyAndMap
        if let timeout = block.timeout, timeout > .zero { self.timeout = timeout }
        self.cipherSuites = block.cipherSuites
        self.allowInsecureCipherSuites = block.allowInsecureCipherSuites
        self.curvePreferences = block.curvePreferences
        self.pinnedCerts = block.pinnedCerts
        self.connectionRateLimit = block.connectionRateLimit
        switch block.minVersion {
        case .v12: self.minVersion = .v12
        case .v13: self.minVersion = .v13
        }
        switch block.handshakeFirst {
        case .off: self.handshakeFirst = .off
        case .on: self.handshakeFirst = .on
        case .fallback(let delay):
            // Without a delay there is nothing to wait for (nats-server server.go
            // createClientEx).
            self.handshakeFirst = delay <= .zero ? .on : .fallback(after: delay)
        }
    }
}
