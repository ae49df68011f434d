import Crypto

/// A private nkey for encryption (X25519, `SX…`), and its public key.
///
/// Its description shows the public key only.
package struct XKeyPair: Sendable, CustomStringConvertible {
    /// The public half, `X…`.
    package let publicKey: NKeyPublicKey
    private let privateKey: Curve25519.KeyAgreement.PrivateKey

    /// A new pair.
    package init() {
        self.init(Curve25519.KeyAgreement.PrivateKey())
    }

    /// Reads a seed.
    ///
    /// - Throws: ``NKey/Failure`` if it is none, or of another kind.
    package init(seed text: String) throws(NKey.Failure) {
        let (kind, seed) = try NKey.decodeSeed(text)
        guard kind == .curve else { throw .wrongKind }
        guard let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: Array(seed)) else {
            throw .malformed
        }
        self.init(key)
    }

    private init(_ privateKey: Curve25519.KeyAgreement.PrivateKey) {
        self.privateKey = privateKey
        self.publicKey = NKeyPublicKey(kind: .curve, key: Array(privateKey.publicKey.rawRepresentation))
    }

    package var description: String { self.publicKey.text }

    /// The seed as it is written; a secret.
    package var seed: String { NKey.encodeSeed(self.bytes, kind: .curve) }

    /// The 32 bytes of the private key; a secret.
    package var bytes: [UInt8] { Array(self.privateKey.rawRepresentation) }
}
