public import NIOSSL

extension NATSClientConfiguration {
    /// How connections are secured.
    ///
    /// Whatever is set here is a wish for TLS: a server that does not offer it is not connected to in clear then, but
    /// fails with ``NATSError/Code/secureConnectionWanted``.
    ///
    /// Files are read, and ``configuration`` is called, anew for every connection, so that certificates can change while
    /// the client lives. What cannot be used fails the first connect before it begins, and later attempts, with
    /// ``NATSError/Code/tls``.
    public struct TLS: Sendable {
        /// Where a PEM text comes from.
        public enum PEM: Sendable {
            /// A file.
            case file(String)
            /// The text itself.
            case text(String)
        }

        /// Whether TLS is used with every server, whatever its URL says.
        public var isRequired = false
        /// Whether the handshake comes before the server's INFO; for servers with `handshake_first`, and implies
        /// ``isRequired``.
        public var handshakeFirst = false
        /// Authorities whose certificates are trusted; nil for those of the system.
        public var trustRoots: PEM?
        /// The client's certificate, with those that lead to its authority behind it.
        public var certificate: PEM?
        /// The private key of ``certificate``.
        public var privateKey: PEM?
        /// The name or IP address that the server's certificate must be for, in the place of the host in its URL.
        public var serverName: String?
        /// Whether the server's certificate goes unchecked: anybody can pose as the server then.
        ///
        /// Each connection logs a warning.
        public var skipsVerification = false
        /// Everything at once, in the place of ``trustRoots``, ``certificate``, ``privateKey`` and ``skipsVerification``.
        ///
        /// Those must be left alone then. Called on a thread that may block.
        public var configuration: (@Sendable () throws -> TLSConfiguration)?

        /// No TLS unless a server or its URL requires it, or something is set; the authorities of the system; no certificate.
        public init() {}

        /// Whether there is anything to be read.
        var hasMaterial: Bool {
            self.trustRoots != nil || self.certificate != nil || self.configuration != nil
        }

        /// Whether no connection is left in clear.
        var isWanted: Bool {
            // nats.go Secure, RootCAs, ClientCert: who says how TLS is to be made wants it, and nobody on the way may take
            // it off.
            self.isRequired || self.handshakeFirst || self.hasMaterial || self.skipsVerification
                || self.serverName != nil
        }

        func check() throws(NATSError) {
            guard (self.certificate == nil) == (self.privateKey == nil) else {
                throw NATSError(.invalidConfiguration, "a TLS certificate and its private key are given together")
            }
            let hasParts = self.trustRoots != nil || self.certificate != nil || self.skipsVerification
            guard self.configuration == nil || !hasParts else {
                throw NATSError(.invalidConfiguration, "a whole TLS configuration leaves no room for parts of one")
            }
        }
    }
}

extension NATSClientConfiguration.TLS.PEM: CustomStringConvertible, CustomReflectable {
    /// The file's name; never a text, which may be a secret.
    public var description: String {
        switch self {
        case .file(let path): "file \(path)"
        case .text: "text"
        }
    }

    /// Shows what ``description`` shows.
    public var customMirror: Mirror {
        Mirror(self, children: ["kind": self.description])
    }
}
