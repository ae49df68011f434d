/// A `cluster` block.
package struct ClusterConfiguration: Sendable, Equatable {
    package var name: String?
    package var host = "0.0.0.0"
    /// 0: no listener; -1 lets the system choose.
    package var port = 0
    package var authorization: SimpleAuthorization?
    package var routes: [ConfigurationURL] = []
    package var tls: TLSConfiguration?
    package var advertise: String?
    package var noAdvertise = false
    package var connectRetries = 0
    package var connectBackoff = false
    /// Subjects whose interest is asked for from other servers.
    package var importPermission: SubjectPermission?
    /// Subjects whose interest other servers may ask for.
    package var exportPermission: SubjectPermission?
    /// Negative: no pooling.
    package var poolSize = 3
    package var accounts: [String] = []
    package var compression = CompressionConfiguration(mode: "accept")
    /// `nil`: that of the server.
    package var pingInterval: Duration?
    package var pingMax: Int?
    package var writeDeadline: Duration?
    package var writeTimeout: WriteTimeoutPolicy = .default

    package init() {}
}

/// `compression`.
package struct CompressionConfiguration: Sendable, Equatable {
    package var mode: String
    package var rttThresholds: [Duration] = []

    package init(mode: String) {
        self.mode = mode
    }
}
