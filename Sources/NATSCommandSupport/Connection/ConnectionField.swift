/// What flags, environment variables and contexts tell alike about a connection.
package enum ConnectionField: Sendable, Hashable, CaseIterable {
    case server
    case user
    case password
    case token
    case creds
    case nkey
    case jwt
    case seed
    case certificate
    case privateKey
    case authorities
    case inboxPrefix
    case socksProxy

    /// The flag, with its dashes.
    var flag: String {
        switch self {
        case .server: "--server"
        case .user: "--user"
        case .password: "--password"
        case .token: "--token"
        case .creds: "--creds"
        case .nkey: "--nkey"
        case .jwt: "--jwt"
        case .seed: "--seed"
        case .certificate: "--tlscert"
        case .privateKey: "--tlskey"
        case .authorities: "--tlscacert"
        case .inboxPrefix: "--inbox-prefix"
        case .socksProxy: "--socks-proxy"
        }
    }

    /// The environment variable, where there is one.
    var variable: String? {
        switch self {
        case .server: "NATS_URL"
        case .user: "NATS_USER"
        case .password: "NATS_PASSWORD"
        case .token: "NATS_TOKEN"
        case .creds: "NATS_CREDS"
        case .nkey: "NATS_NKEY"
        case .jwt: "NATS_JWT"
        case .seed: "NATS_SEED"
        case .certificate: "NATS_CERT"
        case .privateKey: "NATS_KEY"
        case .authorities: "NATS_CA"
        case .inboxPrefix: nil
        case .socksProxy: "NATS_SOCKS_PROXY"
        }
    }

    /// The key in the file of a context.
    var contextKey: String {
        switch self {
        case .server: "url"
        case .user: "user"
        case .password: "password"
        case .token: "token"
        case .creds: "creds"
        case .nkey: "nkey"
        case .jwt: "user_jwt"
        case .seed: "user_seed"
        case .certificate: "cert"
        case .privateKey: "key"
        case .authorities: "ca"
        case .inboxPrefix: "inbox_prefix"
        case .socksProxy: "socks_proxy"
        }
    }

    /// Whether it says where to connect or as whom: what keeps the selected context out.
    var namesServerOrUser: Bool {
        switch self {
        case .server, .user, .password, .token, .creds, .nkey, .jwt, .seed, .certificate, .privateKey: true
        case .authorities, .inboxPrefix, .socksProxy: false
        }
    }

    /// Whether it may be any text; the others are shown in errors, and so have no control characters.
    var isFreeText: Bool {
        switch self {
        case .user, .password, .token: true
        default: false
        }
    }
}
