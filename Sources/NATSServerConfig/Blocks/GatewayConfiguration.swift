/// A `gateway` block.
package struct GatewayConfiguration: Sendable, Equatable {
    /// An entry of `gateways`.
    package struct Remote: Sendable, Equatable {
        package var name = ""
        package var urls: [ConfigurationURL] = []
        package var tls: TLSConfiguration?
    }

    package var name: String?
    package var host = "0.0.0.0"
    package var port = 0
    package var authorization: SimpleAuthorization?
    package var tls: TLSConfiguration?
    package var advertise: String?
    package var connectRetries = 0
    package var connectBackoff = false
    package var gateways: [Remote] = []
    package var rejectUnknownCluster = false
    package var writeDeadline: Duration?
    package var writeTimeout: WriteTimeoutPolicy = .default

    package init() {}
}
