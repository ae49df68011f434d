/// A `tls` block.
package struct TLSConfiguration: Sendable, Equatable {
    /// A certificate (chain) with its key, both PEM files, relative to the working directory.
    package struct KeyPair: Sendable, Equatable {
        package var certFile: String
        package var keyFile: String
    }

    /// `handshake_first`: TLS before INFO.
    package enum HandshakeFirst: Sendable, Equatable {
        case off
        case on
        /// INFO goes out in clear text when the client has not begun a handshake after this time.
        case fallback(after: Duration)
    }

    /// Protocol versions that may be asked for.
    package enum Version: String, Sendable, Equatable, Comparable {
        case v12 = "1.2"
        case v13 = "1.3"

        package static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }
    }

    package var certFile: String?
    package var keyFile: String?
    package var caFile: String?
    /// `certs`: several certificates, instead of ``certFile``.
    package var certs: [KeyPair] = []
    /// Clients must show a certificate; set too by ``verifyAndMap`` and ``verifyCertAndCheckKnownURLs``.
    package var verify = false
    package var verifyAndMap = false
    package var verifyCertAndCheckKnownURLs = false
    package var insecure = false
    /// `nil`: 2 seconds.
    package var timeout: Duration?
    /// Names as Go spells them; empty: the library's defaults.
    package var cipherSuites: [String] = []
    /// Names as Go spells them; empty: the library's defaults.
    package var curvePreferences: [String] = []
    package var allowInsecureCipherSuites = false
    package var minVersion: Version = .v12
    /// Lower-case hexadecimal SHA-256 of the SubjectPublicKeyInfo.
    package var pinnedCerts: Set<String> = []
    package var handshakeFirst: HandshakeFirst = .off
    /// Handshakes per second; 0 is unlimited.
    package var connectionRateLimit = 0
    package var ocspPeer: OCSPPeerConfiguration?
    /// Where the block stands.
    package var position: SourcePosition?

    package init() {}

    /// The certificates, whichever way they were given.
    package var keyPairs: [KeyPair] {
        if let certFile, let keyFile { return [KeyPair(certFile: certFile, keyFile: keyFile)] }
        return self.certs
    }
}
