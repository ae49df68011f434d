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
        let checksum = Self.crc16(bytes)
        bytes.append(UInt8(truncatingIfNeeded: checksum))
        bytes.append(UInt8(truncatingIfNeeded: checksum >> 8))
        self.id = Self.base32(bytes)
    }

    /// CRC-16/XMODEM, as nkeys use it.
    private static func crc16(_ bytes: [UInt8]) -> UInt16 {
        var crc: UInt16 = 0
        for byte in bytes {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
        }
        return crc
    }

    private static func base32(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var text: [UInt8] = []
        var bits = 0
        var value: UInt32 = 0
        for byte in bytes {
            value = value << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[Int(value >> UInt32(bits)) & 31])
            }
        }
        if bits > 0 { text.append(alphabet[Int(value << UInt32(5 - bits)) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }
}
