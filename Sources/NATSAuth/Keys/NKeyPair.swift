import Crypto

/// A private nkey: signs, and knows its public key.
///
/// Its description shows the public key only.
package struct NKeyPair: Sendable, CustomStringConvertible {
    /// The public half.
    package let publicKey: NKeyPublicKey
    private let privateKey: Curve25519.Signing.PrivateKey

    /// A new pair.
    ///
    /// - Throws: ``NKey/Failure/cannotSign`` for the kind that cannot sign.
    package init(kind: NKey.Kind) throws(NKey.Failure) {
        try self.init(kind: kind, privateKey: Curve25519.Signing.PrivateKey())
    }

    /// Reads a seed (`SU…` for a user).
    ///
    /// - Throws: ``NKey/Failure`` if it is none, or the kind cannot sign.
    package init(seed text: String) throws(NKey.Failure) {
        let (kind, seed) = try NKey.decodeSeed(text)
        guard let privateKey = try? Curve25519.Signing.PrivateKey(rawRepresentation: Array(seed)) else {
            throw .malformed
        }
        try self.init(kind: kind, privateKey: privateKey)
    }

    /// A new pair for a server.
    package static func server() -> NKeyPair { NKeyPair(signing: Curve25519.Signing.PrivateKey(), kind: .server) }

    /// A new pair for a user.
    package static func user() -> NKeyPair { NKeyPair(signing: Curve25519.Signing.PrivateKey(), kind: .user) }

    private init(kind: NKey.Kind, privateKey: Curve25519.Signing.PrivateKey) throws(NKey.Failure) {
        guard kind != .curve else { throw .cannotSign }
        self.init(signing: privateKey, kind: kind)
    }

    private init(signing privateKey: Curve25519.Signing.PrivateKey, kind: NKey.Kind) {
        self.privateKey = privateKey
        self.publicKey = NKeyPublicKey(kind: kind, key: Array(privateKey.publicKey.rawRepresentation))
    }

    package var description: String { self.publicKey.text }

    /// The seed as it is written; a secret.
    package var seed: String { NKey.encodeSeed(Array(self.privateKey.rawRepresentation), kind: self.publicKey.kind) }

    /// The signature over a message: 64 bytes.
    ///
    /// - Throws: ``NKey/Failure/cannotSign`` if the key does not do it.
    package func sign(_ message: [UInt8]) throws(NKey.Failure) -> [UInt8] {
        guard let signature = try? self.privateKey.signature(for: message) else { throw .cannotSign }
        return Array(signature)
    }
}
