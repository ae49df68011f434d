import Crypto

/// A public nkey that can check signatures.
package struct NKeyPublicKey: Sendable, Hashable, CustomStringConvertible {
    /// Whose key it is.
    package let kind: NKey.Kind
    /// The key as it is written, `U…` for a user.
    package let text: String
    /// The 32 bytes of the key.
    package let bytes: [UInt8]

    /// Reads the text of a public key.
    ///
    /// - Throws: ``NKey/Failure`` if it is none.
    package init(_ text: String) throws(NKey.Failure) {
        let (kind, key) = try NKey.decode(text)
        self.kind = kind
        self.bytes = Array(key)
        self.text = text
    }

    init(kind: NKey.Kind, key: [UInt8]) {
        self.kind = kind
        self.bytes = key
        self.text = NKey.encode(key, kind: kind)
    }

    package var description: String { self.text }

    /// Whether `signature` was made over `message` with the private key that belongs to this one.
    package func isValidSignature(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        guard self.kind != .curve, signature.count == 64,
            let verifier = try? Curve25519.Signing.PublicKey(rawRepresentation: self.bytes)
        else { return false }
        return verifier.isValidSignature(signature, for: message)
    }
}
