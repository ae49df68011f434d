import NATSServerConfig
import NATSServerCore

/// The flags of a command line that set options; they win over a configuration file, at the start and at each reload.
///
/// nats-server opts.go ConfigureOptions parses the command line a second time over what the file says; so only flags that
/// were given count, whatever their value.
struct FlagOverrides: Equatable, Sendable {
    /// A flag that needs a feature that is not there, or whose value is wrong.
    struct Refusal: Error, Equatable, CustomStringConvertible {
        /// What follows `nats-server: `.
        let description: String
    }

    private struct Given: Equatable, Sendable {
        /// The spelling that was used.
        let name: String
        let setting: Flag.Setting
        let value: FlagParser.Value
    }

    private var given: [Given] = []

    init() {}

    init(_ given: [FlagParser.Given]) {
        self.given = given.map { Given(name: $0.name, setting: $0.flag.setting, value: $0.value) }
    }

    /// Lets the flags win.
    func apply(to configuration: inout ServerConfiguration) throws(Refusal) {
        for given in self.given {
            switch given.value {
            case .boolean(let value): Self.set(given.setting, value, &configuration)
            case .integer(let value): Self.set(given.setting, value, &configuration)
            case .string(let value): Self.set(given.setting, value, &configuration)
            }
        }
        // These win over -D and -V wherever they stand, in this order (Go visits flags by name).
        for setting in [Flag.Setting.debugAndTrace, .debugAndVerboseTrace, .verboseTrace] {
            guard let value = self.boolean(setting) else { continue }
            configuration.trace = value
            if setting != .verboseTrace { configuration.debug = value }
            if setting != .debugAndTrace { configuration.traceVerbose = value }
        }
        try self.applyCluster(to: &configuration)
        try self.applyTLS(to: &configuration)
    }

    /// The first flag, as it was spelled, that needs a feature that is not there.
    func firstUnsupported(_ isUnsupported: (Flag.Setting) -> Bool = Flag.notYetSupported.contains) -> String? {
        self.given.first { isUnsupported($0.setting) && self.hasEffect($0) }.map { "-\($0.name)" }
    }

    /// Whether a flag asks for something, and nothing later takes it back.
    private func hasEffect(_ given: Given) -> Bool {
        guard self.given.last(where: { $0.setting == given.setting }) == given else { return false }
        switch given.setting {
        case .tlsVerify, .tlsCertificate, .tlsKey, .tlsAuthority:
            return self.boolean(.tls) != false
        default:
            break
        }
        switch given.value {
        case .boolean(let value): return value
        case .integer(let value): return value != 0
        case .string(let value): return !value.isEmpty
        }
    }

    private func boolean(_ setting: Flag.Setting) -> Bool? {
        guard case .boolean(let value) = self.given.last(where: { $0.setting == setting })?.value else { return nil }
        return value
    }

    private func string(_ setting: Flag.Setting) -> String? {
        guard case .string(let value) = self.given.last(where: { $0.setting == setting })?.value else { return nil }
        return value
    }

    // MARK: Plain settings

    private static func set(_ setting: Flag.Setting, _ value: Bool, _ configuration: inout ServerConfiguration) {
        switch setting {
        case .debug: configuration.debug = value
        case .trace: configuration.trace = value
        case .logTime: configuration.logtime = value
        case .logTimeUTC: configuration.logtimeUTC = value
        case .syslog: configuration.syslog = value
        case .jetStream:
            if value || configuration.jetstream != nil {
                var jetstream = configuration.jetstream ?? JetStreamConfiguration()
                jetstream.enabled = value
                configuration.jetstream = jetstream
            }
        default: break
        }
    }

    private static func set(_ setting: Flag.Setting, _ value: Int, _ configuration: inout ServerConfiguration) {
        switch setting {
        // Zero means the default, and only -1 any port.
        case .port: configuration.port = value == 0 ? ServerConfiguration().port : value
        case .httpPort: configuration.httpPort = value
        case .httpsPort: configuration.httpsPort = value
        case .logSizeLimit: configuration.logSizeLimit = value
        case .maxTracedMessageLength: configuration.maxTracedMsgLen = value
        case .profile: configuration.profPort = value
        default: break
        }
    }

    private static func set(_ setting: Flag.Setting, _ value: String, _ configuration: inout ServerConfiguration) {
        let text = value.isEmpty ? nil : value
        switch setting {
        case .host: configuration.host = text ?? ServerConfiguration().host
        case .serverName: configuration.serverName = text
        case .pidFile: configuration.pidFile = text
        case .portsFileDirectory: configuration.portsFileDir = text
        case .clientAdvertise: configuration.clientAdvertise = text
        case .logFile: configuration.logFile = text
        case .remoteSyslog: configuration.remoteSyslog = text
        case .storeDirectory: configuration.storeDir = text
        case .user: Self.authorize(&configuration) { $0.user = text }
        case .password: Self.authorize(&configuration) { $0.password = text }
        case .token: Self.authorize(&configuration) { $0.token = text }
        default: break
        }
    }

    private static func authorize(
        _ configuration: inout ServerConfiguration,
        _ change: (inout AuthorizationConfiguration) -> Void
    ) {
        var authorization = configuration.authorization ?? AuthorizationConfiguration()
        change(&authorization)
        // A block that was only made for an empty flag is none.
        configuration.authorization = authorization == AuthorizationConfiguration() ? nil : authorization
    }

    // MARK: Cluster

    /// nats-server opts.go overrideCluster.
    private func applyCluster(to configuration: inout ServerConfiguration) throws(Refusal) {
        let hasClusterAddress = ["cluster", "cluster.port", "cluster.host", "cluster.listen"].contains {
            configuration.given[$0] != nil
        }
        if let listen = self.string(.cluster) {
            if listen.isEmpty {
                configuration.cluster = nil
            } else {
                let address: ClusterAddress
                do {
                    address = try ClusterAddress(listen)
                } catch {
                    throw Refusal(description: error.description)
                }
                var cluster = configuration.cluster ?? ClusterConfiguration()
                cluster.host = address.host
                cluster.port = address.port
                var authorization = cluster.authorization ?? SimpleAuthorization()
                authorization.user = address.user
                authorization.password = address.password
                cluster.authorization = authorization == SimpleAuthorization() ? nil : authorization
                configuration.cluster = cluster
            }
        }
        if let routes = self.string(.routes) {
            let wantsCluster = self.string(.cluster).map { !$0.isEmpty } ?? hasClusterAddress
            guard routes.isEmpty || wantsCluster else {
                throw Refusal(description: "solicited routes require cluster capabilities, e.g. --cluster")
            }
            configuration.cluster?.routes = routes.isEmpty ? [] : ClusterAddress.routes(routes)
        }
        guard configuration.cluster != nil else { return }
        if let name = self.string(.clusterName) { configuration.cluster?.name = name.isEmpty ? nil : name }
        if let advertise = self.string(.clusterAdvertise) {
            configuration.cluster?.advertise = advertise.isEmpty ? nil : advertise
        }
        if let value = self.boolean(.noAdvertise) { configuration.cluster?.noAdvertise = value }
        if case .integer(let value) = self.given.last(where: { $0.setting == .connectRetries })?.value {
            configuration.cluster?.connectRetries = value
        }
    }

    // MARK: TLS

    /// nats-server opts.go overrideTLS: any of these flags replaces the file's block, unless TLS is switched off.
    private func applyTLS(to configuration: inout ServerConfiguration) throws(Refusal) {
        let settings: Set<Flag.Setting> = [.tls, .tlsVerify, .tlsCertificate, .tlsKey, .tlsAuthority]
        guard self.given.contains(where: { settings.contains($0.setting) }) else { return }
        guard self.boolean(.tls) != false else {
            configuration.tls = nil
            return
        }
        var tls = TLSConfiguration()
        guard let certificate = self.string(.tlsCertificate), !certificate.isEmpty else {
            throw Refusal(description: "TLS Server certificate must be present and valid")
        }
        guard let key = self.string(.tlsKey), !key.isEmpty else {
            throw Refusal(description: "TLS Server private key must be present and valid")
        }
        for path in [certificate, key] {
            if let problem = SystemCalls.reasonNotToRead(path) {
                throw Refusal(description: "error parsing X509 certificate/key pair: \(problem)")
            }
        }
        tls.certFile = certificate
        tls.keyFile = key
        if let authority = self.string(.tlsAuthority), !authority.isEmpty {
            if let problem = SystemCalls.reasonNotToRead(authority) {
                throw Refusal(description: "\(problem)")
            }
            tls.caFile = authority
        }
        tls.verify = self.boolean(.tlsVerify) ?? false
        configuration.tls = tls
    }
}
