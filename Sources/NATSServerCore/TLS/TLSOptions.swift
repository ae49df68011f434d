/// How connections are secured; names and defaults are those of the official `tls` block.
package struct TLSOptions: Sendable, Equatable {
    /// Where PEM text comes from.
    package enum Source: Sendable, Equatable {
        /// A file, relative to the working directory; read again at each reload.
        case file(String)
        case text([UInt8])
    }

    /// A certificate, with those that lead to its authority behind it, and its private key.
    package struct KeyPair: Sendable, Equatable {
        package var certificate: Source
        package var key: Source

        package init(certificate: Source, key: Source) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// `handshake_first`: whether INFO is sent in clear text.
    package enum HandshakeFirst: Sendable, Equatable {
        /// INFO in clear text, then the handshake.
        case off
        /// INFO follows the handshake.
        case on
        /// INFO in clear text if the client has sent nothing after this time.
        case fallback(after: Duration)
    }

    package enum Version: Int, Sendable, Comparable {
        case v12
        case v13

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// `certs`, or `cert_file` and `key_file`.
    ///
    /// With several, clients choose by the host name that they ask for.
    package var keyPairs: [KeyPair] = []
    /// `ca_file`: authorities of client certificates; those of the system if `nil`.
    package var authorities: Source?
    /// Clients need a certificate.
    package var verify = false
    /// Clients need a certificate, and it says who they are.
    package var verifyAndMap = false
    /// Time for a handshake.
    package var timeout: Duration = .seconds(2)
    package var handshakeFirst: HandshakeFirst = .off
    /// `allow_non_tls`: clients may do without.
    package var allowNonTLS = false
    package var minVersion: Version = .v12
    /// Go's names, for TLS 1.2; all that are secure if empty.
    ///
    /// Those of TLS 1.3 cannot be chosen.
    package var cipherSuites: [String] = []
    /// `allow_insecure_cipher_suites`.
    package var allowInsecureCipherSuites = false
    /// Go's names; all if empty.
    package var curvePreferences: [String] = []
    /// Clients need one of these keys: hexadecimal SHA-256 of the SubjectPublicKeyInfo; any if empty.
    package var pinnedCerts: Set<String> = []
    /// Handshakes that may begin per second; 0 means any number.
    package var connectionRateLimit = 0

    package init() {}

    /// Whether clients need a certificate.
    var wantsClientCertificate: Bool { self.verify || self.verifyAndMap }

    /// Whether every client has to use TLS (nats-server server.go AcceptLoop: INFO after the handshake leaves no choice).
    var isRequired: Bool { !self.allowNonTLS || self.handshakeFirst == .on }
}
