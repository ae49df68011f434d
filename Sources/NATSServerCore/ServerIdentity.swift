import NATSText

/// The name a server gives itself: the form of a server's public nkey.
///
/// 32 bytes with the prefix byte for servers and a CRC-16, in base 32 without padding: 56 characters, the first an `N`.
/// Nothing is signed with a server's key in a single server without accounts, so the bytes are random.
struct ServerIdentity: Sendable {
    let id: String

    init(using generator: inout some RandomNumberGenerator) {
        var bytes: [UInt8] = [13 << 3]
        for _ in 0..<4 {
            withUnsafeBytes(of: generator.next() as UInt64) { bytes.append(contentsOf: $0) }
        }
        let checksum = CRC16.checksum(bytes)
        bytes.append(UInt8(truncatingIfNeeded: checksum))
        bytes.append(UInt8(truncatingIfNeeded: checksum >> 8))
        self.id = Base32.encode(bytes)
    }
}
