extension NATSClientConfiguration {
    /// Who the client says it is, unless the URL of a server says it.
    ///
    /// Files are read and functions are called anew for every connection, so that secrets can change while the client
    /// lives; all of that has to be done within ``NATSClientConfiguration/connectTimeout``. What cannot be used fails the
    /// attempt with ``NATSError/Code/badCredentials``. No description shows a secret.
    public struct Credentials: Sendable {
        /// Signs what the server asks with a private key of Ed25519: 64 bytes.
        ///
        /// Cancelled if the connection ends meanwhile.
        public typealias Signer = @Sendable (_ nonce: [UInt8]) async throws -> [UInt8]

        enum Kind: Sendable {
            case none
            case userPassword(user: String, password: String)
            case token(String)
            case nkeySeed(String)
            case nkeySeedFile(String)
            case nkey(publicKey: String, sign: Signer)
            case credentials([UInt8])
            case credentialsFile(String)
            case jwt(@Sendable () async throws -> String, sign: Signer?)
            case provider(@Sendable () async throws -> Credentials)
        }

        let kind: Kind

        /// No credentials.
        public static let none = Credentials(kind: .none)

        /// A user and a password.
        public static func userPassword(user: String, password: String) -> Credentials {
            Credentials(kind: .userPassword(user: user, password: password))
        }

        /// A token.
        public static func token(_ token: String) -> Credentials {
            Credentials(kind: .token(token))
        }

        /// An nkey, by the seed of its user (`SU…`).
        public static func nkey(seed: String) -> Credentials {
            Credentials(kind: .nkeySeed(seed))
        }

        /// An nkey, by a file with the seed of its user.
        public static func nkey(seedFile path: String) -> Credentials {
            Credentials(kind: .nkeySeedFile(path))
        }

        /// An nkey whose private half is elsewhere, for example in a hardware module.
        ///
        /// - Parameters:
        ///   - publicKey: The public key of the user (`U…`).
        ///   - sign: Signs with the private key that belongs to it.
        /// - Returns: The credentials.
        public static func nkey(publicKey: String, sign: @escaping Signer) -> Credentials {
            Credentials(kind: .nkey(publicKey: publicKey, sign: sign))
        }

        /// The contents of a creds file: a user's JWT and seed, in the official layout.
        public static func credentials(_ contents: [UInt8]) -> Credentials {
            Credentials(kind: .credentials(contents))
        }

        /// A creds file: a user's JWT and seed, in the official layout.
        public static func credentialsFile(_ path: String) -> Credentials {
            Credentials(kind: .credentialsFile(path))
        }

        /// A user's JWT, and the signature that proves that it is the client's own.
        ///
        /// - Parameters:
        ///   - jwt: Gives the JWT.
        ///   - sign: Signs with the user's private key; nil for a bearer JWT, which needs no proof.
        /// - Returns: The credentials.
        public static func jwt(_ jwt: @escaping @Sendable () async throws -> String, sign: Signer?) -> Credentials {
            Credentials(kind: .jwt(jwt, sign: sign))
        }

        /// Credentials of any other kind, asked for at every connection.
        public static func provider(_ credentials: @escaping @Sendable () async throws -> Credentials) -> Credentials {
            Credentials(kind: .provider(credentials))
        }
    }
}

extension NATSClientConfiguration.Credentials: CustomStringConvertible, CustomReflectable {
    /// The kind of the credentials; never a secret.
    public var description: String {
        switch self.kind {
        case .none: "none"
        case .userPassword: "user and password"
        case .token: "token"
        case .nkeySeed: "nkey by seed"
        case .nkeySeedFile(let path): "nkey by seed file \(path)"
        case .nkey(let publicKey, _): "nkey \(publicKey)"
        case .credentials: "credentials"
        case .credentialsFile(let path): "credentials file \(path)"
        case .jwt: "JWT"
        case .provider: "provider"
        }
    }

    /// Shows what ``description`` shows.
    public var customMirror: Mirror {
        Mirror(self, children: ["kind": self.description])
    }
}
