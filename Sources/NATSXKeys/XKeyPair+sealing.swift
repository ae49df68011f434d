private import CSodium
package import NATSAuth

/// Why something could not be sealed or opened, in the words of nkeys.
package enum XKeyError: Error, Equatable, CustomStringConvertible {
    /// The text is not the public key of somebody that one can seal for.
    case invalidRecipient
    /// The text is not the public key of somebody who can seal.
    case invalidSender
    /// Too short to be sealed.
    case invalidSealed
    /// Sealed in a form that is not known.
    case wrongVersion
    /// Sealed by somebody else, for somebody else, or damaged.
    case cannotOpen

    package var description: String {
        switch self {
        case .invalidRecipient: "nkeys: not a valid recipient public curve key"
        case .invalidSender: "nkeys: not a valid sender public curve key"
        case .invalidSealed: "nkeys: encrypted input is not valid"
        case .wrongVersion: "nkeys: encrypted input wrong version"
        case .cannotOpen: "nkeys: could not decrypt input"
        }
    }
}

/// Sealed texts of nkeys: "xkv1", a nonce of 24 bytes, and the box of NaCl (X25519, XSalsa20-Poly1305).
extension XKeyPair {
    private static let version = Array("xkv1".utf8)
    private static let nonceLength = 24
    /// What a box is longer than its content.
    private static let tagLength = 16
    /// libsodium chooses what suits the processor, once; negative if it cannot, and then nothing is sealed or opened.
    private static let isReady = sodium_init() >= 0

    /// Seals a message so that only one recipient can open it, and knows who has sealed it.
    ///
    /// - Parameters:
    ///   - message: What to seal.
    ///   - recipient: The recipient's public key, `X…`.
    /// - Returns: The sealed message, 44 bytes longer.
    /// - Throws: ``XKeyError/invalidRecipient`` if nothing can be sealed for that key.
    package func seal(_ message: [UInt8], for recipient: String) throws(XKeyError) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return try self.seal(message, for: recipient, using: &generator)
    }

    /// The same with other randomness for the nonce, which must never repeat.
    package func seal(
        _ message: [UInt8],
        for recipient: String,
        using generator: inout some RandomNumberGenerator
    ) throws(XKeyError) -> [UInt8] {
        guard Self.isReady, let key = try? NKeyPublicKey(recipient), key.kind == .curve else {
            throw .invalidRecipient
        }
        let nonce = (0..<Self.nonceLength).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var box = [UInt8](repeating: 0, count: message.count + Self.tagLength)
        let status = crypto_box_easy(&box, message, UInt64(message.count), nonce, key.bytes, self.bytes)
        // A key of small order, with which everybody could read it.
        guard status == 0 else { throw .invalidRecipient }
        return Self.version + nonce + box
    }

    /// Opens what somebody has sealed for this key.
    ///
    /// - Parameters:
    ///   - sealed: What was sealed.
    ///   - sender: The public key of who should have sealed it.
    /// - Returns: The message.
    /// - Throws: ``XKeyError`` as nkeys does.
    package func open(_ sealed: [UInt8], from sender: String) throws(XKeyError) -> [UInt8] {
        let start = Self.version.count + Self.nonceLength
        guard sealed.count > start else { throw .invalidSealed }
        guard sealed.starts(with: Self.version) else { throw .wrongVersion }
        guard Self.isReady, let key = try? NKeyPublicKey(sender), key.kind == .curve else { throw .invalidSender }
        let nonce = Array(sealed[Self.version.count..<start])
        let box = Array(sealed[start...])
        guard box.count >= Self.tagLength else { throw .cannotOpen }
        // One more, so that there is a place to point at when there is no content.
        var message = [UInt8](repeating: 0, count: box.count - Self.tagLength + 1)
        guard crypto_box_open_easy(&message, box, UInt64(box.count), nonce, key.bytes, self.bytes) == 0 else {
            throw .cannotOpen
        }
        return Array(message.dropLast())
    }
}
