import NATSServerCore

extension NATSTestServer {
    /// How clients' connections are secured.
    ///
    /// ```swift
    /// var options = NATSTestServer.Options()
    /// options.tls = .init(certificate: .file("server.pem"), key: .file("server.key"))
    /// ```
    public struct TLS: Sendable, Equatable {
        /// Where a PEM text comes from.
        public enum PEM: Sendable, Equatable {
            /// The text itself.
            case text(String)
            /// A file, relative to the working directory; read when the server starts.
            case file(String)

            var source: TLSOptions.Source {
                switch self {
                case .text(let text): .text(Array(text.utf8))
                case .file(let path): .file(path)
                }
            }
        }

        /// Whether clients get INFO in clear text before the handshake.
        public enum HandshakeFirst: Sendable, Equatable {
            /// INFO in clear text, then the handshake.
            case off
            /// INFO follows the handshake; other clients see nothing.
            case on
            /// INFO in clear text if the client has sent nothing after this time.
            case fallback(after: Duration)
        }

        /// The oldest version that is accepted.
        public enum Version: Sendable, Equatable {
            /// TLS 1.2.
            case v12
            /// TLS 1.3.
            case v13
        }

        /// The server's certificate, with those that lead to its authority behind it.
        public var certificate: PEM
        /// Private key of ``certificate``.
        public var key: PEM
        /// Authorities of client certificates; those of the system if `nil`.
        public var authorities: PEM?
        /// Whether clients need a certificate.
        public var verify = false
        /// Whether clients need a certificate that says which of the users they are: by an e-mail address, DNS name, URI
        /// or its subject.
        public var verifyAndMap = false
        /// Whether clients may do without TLS.
        public var allowNonTLS = false
        /// Whether clients get INFO in clear text before the handshake.
        public var handshakeFirst = HandshakeFirst.off
        /// Time for a handshake.
        public var timeout: Duration = .seconds(2)
        /// The oldest version that is accepted.
        public var minVersion = Version.v12
        /// Keys of which clients need one: lower-case hexadecimal SHA-256 of the SubjectPublicKeyInfo; any if empty.
        public var pinnedCertificates: Set<String> = []
        /// Cipher suites of TLS 1.2 in Go's names; all secure ones if empty.
        public var cipherSuites: [String] = []
        /// Curves in Go's names; all if empty.
        public var curvePreferences: [String] = []

        /// A server with this certificate that asks clients for none.
        public init(certificate: PEM, key: PEM) {
            self.certificate = certificate
            self.key = key
        }

        var options: TLSOptions {
            var options = TLSOptions()
            options.keyPairs = [.init(certificate: self.certificate.source, key: self.key.source)]
            options.authorities = self.authorities?.source
            options.verify = self.verify
            options.verifyAndMap = self.verifyAndMap
            options.allowNonTLS = self.allowNonTLS
            options.timeout = self.timeout
            options.pinnedCerts = Set(self.pinnedCertificates.map { $0.lowercased() })
            options.cipherSuites = self.cipherSuites
            options.curvePreferences = self.curvePreferences
            switch self.minVersion {
            case .v12: options.minVersion = .v12
            case .v13: options.minVersion = .v13
            }
            switch self.handshakeFirst {
            case .off: options.handshakeFirst = .off
            case .on: options.handshakeFirst = .on
            case .fallback(let delay): options.handshakeFirst = .fallback(after: delay)
            }
            return options
        }
    }
}
