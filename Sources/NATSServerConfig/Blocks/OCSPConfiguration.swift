/// `ocsp`: stapling.
package struct OCSPConfiguration: Sendable, Equatable {
    package enum Mode: String, Sendable, Equatable {
        case auto
        case always
        case never
        case must
    }

    package var mode: Mode = .auto
    package var overrideURLs: [String] = []

    package init() {}
}

/// `ocsp_cache`.
package struct OCSPCacheConfiguration: Sendable, Equatable {
    /// `local` or `none`.
    package var type = "local"
    package var localStore = "_rc_"
    package var preserveRevoked = false
    package var saveInterval: Duration = .seconds(300)

    package init() {}
}

/// `tls { ocsp_peer }`.
package struct OCSPPeerConfiguration: Sendable, Equatable {
    package var verify = false
    package var allowedClockSkew: Duration = .seconds(30)
    package var caTimeout: Duration = .seconds(2)
    package var cacheTTLWhenNextUpdateUnset: Duration = .seconds(3600)
    package var warnOnly = false
    package var unknownIsGood = false
    package var allowWhenCAUnreachable = false

    package init() {}
}
