import NATSText

/// Whether a text is a public nkey (nats-io/nkeys): base32 of a prefix byte, 32 bytes of key and a CRC-16.
enum PublicKey {
    enum Kind: UInt8, CaseIterable {
        case account = 0x00
        case cluster = 0x10
        case server = 0x68
        case operatorKey = 0x70
        case user = 0xa0
        case curve = 0xb8
    }

    static func isValid(_ text: String, _ kind: Kind) -> Bool {
        self.kind(of: text) == kind
    }

    /// Any kind that can sign.
    static func isValid(_ text: String) -> Bool {
        self.kind(of: text) != nil
    }

    private static func kind(of text: String) -> Kind? {
        guard let bytes = self.decode(text), bytes.count == 33, let first = bytes.first else { return nil }
        return Kind(rawValue: first)
    }

    /// Whether a text is the seed of a user.
    static func isUserSeed(_ text: String) -> Bool {
        guard let bytes = self.decode(text), bytes.count == 34 else { return false }
        let prefix = bytes[0] & 0xf8
        let kind = (bytes[0] & 7) << 5 | (bytes[1] & 0xf8) >> 3
        return prefix == 0x90 && kind == Kind.user.rawValue
    }

    /// What is encoded, without the checksum; `nil` when it is wrong.
    private static func decode(_ text: String) -> [UInt8]? {
        guard let bytes = Base32.decode(text), bytes.count >= 4 else { return nil }
        let sum = UInt16(bytes[bytes.count - 2]) | UInt16(bytes[bytes.count - 1]) << 8
        let content = Array(bytes.dropLast(2))
        return CRC16.checksum(content) == sum ? content : nil
    }
}
