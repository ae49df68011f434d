import NATSText

/// An nkey: 32 bytes of an Ed25519 or X25519 key, in a text whose first letter says whose key it is.
///
///     public key   kind | key | CRC-16                       56 characters, `U…` for a user
///     seed         `S` and kind, packed into two bytes | key | CRC-16   58 characters, `SU…`
package enum NKey {
    /// Whose key it is; the raw value is the first byte, whose upper five bits give the first letter of the text.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case account = 0
        case cluster = 0x10
        case server = 0x68
        case `operator` = 0x70
        case user = 0xa0
        case curve = 0xb8

        /// The letter with which public keys begin.
        package var letter: Character {
            switch self {
            case .account: "A"
            case .cluster: "C"
            case .server: "N"
            case .operator: "O"
            case .user: "U"
            case .curve: "X"
            }
        }
    }

    /// What is wrong with a text that should be a key.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        /// A character that base 32 does not have, or a wrong length.
        case malformed
        case wrongChecksum
        /// A kind of key that is not known or not wanted here.
        case wrongKind
        /// The key kind is for encryption and cannot sign.
        case cannotSign

        package var description: String {
            switch self {
            case .malformed: "nkeys: invalid encoded key"
            case .wrongChecksum: "nkeys: invalid checksum"
            case .wrongKind: "nkeys: invalid prefix byte"
            case .cannotSign: "nkeys: cannot sign with this key"
            }
        }
    }

    private static let seedPrefix: UInt8 = 0x90
    static let keyLength = 32

    // MARK: Public keys

    /// The text of a public key.
    static func encode(_ key: some Collection<UInt8>, kind: Kind) -> String {
        Base32.encode(self.checked([kind.rawValue] + key))
    }

    /// Reads the text of a public key.
    static func decode(_ text: String) throws(Failure) -> (kind: Kind, key: ArraySlice<UInt8>) {
        let bytes = try self.unchecked(text)
        guard bytes.count == self.keyLength + 1, let first = bytes.first else { throw .malformed }
        guard let kind = Kind(rawValue: first) else { throw .wrongKind }
        return (kind, bytes.dropFirst())
    }

    /// Whether a text is the public key of such a holder, check sum included.
    package static func isPublicKey(_ text: String, of kind: Kind) -> Bool {
        guard let decoded = try? self.decode(text) else { return false }
        return decoded.kind == kind
    }

    // MARK: Seeds

    package static func encodeSeed(_ seed: some Collection<UInt8>, kind: Kind) -> String {
        let head = [self.seedPrefix | kind.rawValue >> 5, (kind.rawValue & 0x1F) << 3]
        return Base32.encode(self.checked(head + seed))
    }

    static func decodeSeed(_ text: String) throws(Failure) -> (kind: Kind, seed: ArraySlice<UInt8>) {
        let bytes = try self.unchecked(text)
        guard bytes.count == self.keyLength + 2 else { throw .malformed }
        guard bytes[0] & 0xF8 == self.seedPrefix, let kind = Kind(rawValue: bytes[0] << 5 | bytes[1] >> 3) else {
            throw .wrongKind
        }
        return (kind, bytes.dropFirst(2))
    }

    // MARK: Check sums

    private static func checked(_ bytes: [UInt8]) -> [UInt8] {
        let sum = CRC16.checksum(bytes)
        return bytes + [UInt8(truncatingIfNeeded: sum), UInt8(truncatingIfNeeded: sum >> 8)]
    }

    private static func unchecked(_ text: String) throws(Failure) -> [UInt8] {
        // Longer texts are no keys; they need not be decoded to know that.
        guard text.utf8.count <= 64, let bytes = Base32.decode(text), bytes.count > 4 else { throw .malformed }
        let content = Array(bytes.dropLast(2))
        let sum = UInt16(bytes[bytes.count - 2]) | UInt16(bytes[bytes.count - 1]) << 8
        guard CRC16.checksum(content) == sum else { throw .wrongChecksum }
        return content
    }
}
