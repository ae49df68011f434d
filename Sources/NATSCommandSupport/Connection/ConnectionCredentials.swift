package import NATSClient

/// Who a tool says it is, after flags, environment and context were weighed.
///
/// Its description does not show a secret.
package enum ConnectionCredentials: Sendable, Equatable {
    case none
    case userPassword(user: String, password: String)
    case token(String)
    case creds(SecretValue)
    case nkey(SecretValue)
    /// Without a seed it is a bearer JWT, which needs no signature.
    case jwt(SecretValue, seed: SecretValue?)

    /// The same for the client.
    ///
    /// - Throws: `ToolFailure` if a JWT or its seed is not there.
    package func clientCredentials() throws(ToolFailure) -> NATSClientConfiguration.Credentials {
        switch self {
        case .none:
            return .none
        case .userPassword(let user, let password):
            return .userPassword(user: user, password: password)
        case .token(let token):
            return .token(token)
        case .creds(.file(let path)):
            return .credentialsFile(path)
        case .creds(.contents(let bytes)):
            return .credentials(bytes)
        case .nkey(.file(let path)):
            return .nkey(seedFile: path)
        case .nkey(.contents(let bytes)):
            return .nkey(seed: String(decoding: bytes, as: UTF8.self))
        case .jwt(let jwt, let seed):
            // What is missing now is an error of ours, with its reason.
            _ = try Self.jwt(jwt)
            guard let seed else { return .jwt({ try Self.jwt(jwt) }, sign: nil) }
            _ = try Self.credsText(jwt, seed)
            return .provider { .credentials(Array(try Self.credsText(jwt, seed).utf8)) }
        }
    }

    private static func jwt(_ value: SecretValue) throws(ToolFailure) -> String {
        guard let jwt = self.line(beginningWith: "eyJ", in: try value.bytes()) else {
            throw ToolFailure("there is no JWT in \(value.place)")
        }
        return jwt
    }

    /// Both as a creds file has them.
    private static func credsText(_ jwt: SecretValue, _ seed: SecretValue) throws(ToolFailure) -> String {
        guard let key = self.line(beginningWith: "SU", in: try seed.bytes()) else {
            throw ToolFailure("there is no seed of a user in \(seed.place)")
        }
        return """
            -----BEGIN NATS USER JWT-----
            \(try self.jwt(jwt))
            ------END NATS USER JWT------

            -----BEGIN USER NKEY SEED-----
            \(key)
            ------END USER NKEY SEED------

            """
    }

    /// JWTs and seeds stand on lines of their own, with or without decoration around them.
    private static func line(beginningWith prefix: String, in bytes: [UInt8]) -> String? {
        let blanks = Array(" \t\r".utf8)
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let bare = line.drop(while: blanks.contains)
            guard bare.starts(with: prefix.utf8) else { continue }
            return String(decoding: bare.prefix { !blanks.contains($0) }, as: UTF8.self)
        }
        return nil
    }
}

extension ConnectionCredentials: CustomStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .none: "none"
        case .userPassword: "user and password"
        case .token: "token"
        case .creds(let value): "creds, \(value)"
        case .nkey(let value): "nkey, \(value)"
        case .jwt(let jwt, let seed): "JWT, \(jwt); seed, \(seed.map(\.description) ?? "none")"
        }
    }

    package var customMirror: Mirror {
        Mirror(self, children: ["kind": self.description])
    }
}
