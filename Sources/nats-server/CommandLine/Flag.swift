/// A flag of the official server: its spellings, its kind of value, and what it sets.
struct Flag: Sendable {
    /// What Go's `flag` package parses the value as.
    enum Kind: Sendable {
        case boolean, integer, string
    }

    /// The heading under which the help lists it.
    enum Group: String, Sendable, CaseIterable {
        case server = "Server Options"
        case logging = "Logging Options"
        case jetStream = "JetStream Options"
        case authorization = "Authorization Options"
        case tls = "TLS Options"
        case cluster = "Cluster Options"
        case profiling = "Profiling Options"
        case common = "Common Options"
    }

    /// What a flag sets.
    enum Setting: Sendable, CaseIterable {
        case host, port, serverName, pidFile, httpPort, httpsPort, configFile, test, signal, clientAdvertise
        case portsFileDirectory
        case logFile, logTime, logTimeUTC, syslog, remoteSyslog, debug, trace, verboseTrace, debugAndTrace
        case debugAndVerboseTrace, logSizeLimit, maxTracedMessageLength
        case jetStream, storeDirectory
        case user, password, token
        case tls, tlsVerify, tlsCertificate, tlsKey, tlsAuthority
        case routes, cluster, clusterName, clusterAdvertise, noAdvertise, connectRetries
        case profile
        case help, version, helpTLS
    }

    /// All spellings without dashes; Go treats `-x` and `--x` alike.
    let names: [String]
    let kind: Kind
    let setting: Setting
    let group: Group
    /// How the help shows the value.
    let placeholder: String?
    let text: String

    init(
        _ names: [String],
        _ kind: Kind,
        _ setting: Setting,
        _ group: Group,
        _ placeholder: String?,
        _ text: String
    ) {
        self.names = names
        self.kind = kind
        self.setting = setting
        self.group = group
        self.placeholder = placeholder
        self.text = text
    }

    /// Flags of features that are not there yet: a start that needs one is refused.
    ///
    /// Take a setting out of here when its feature works.
    static let notYetSupported: Set<Setting> = [
        .jetStream, .profile,
    ]
}
