import Crypto

/// What the server wants to know of a certificate that has been verified, or that is its own.
struct ClientCertificate: Sendable, Equatable {
    private static let subjectAlternativeName = "2.5.29.17"

    let subject: DistinguishedName
    private(set) var emailAddresses: [String] = []
    private(set) var dnsNames: [String] = []
    private(set) var uris: [String] = []
    /// Hexadecimal SHA-256 of the SubjectPublicKeyInfo.
    let publicKeyDigest: String
    /// Hexadecimal SHA-256 of the certificate.
    let digest: String

    /// Reads a certificate (RFC 5280 section 4.1).
    init(der: [UInt8]) throws(DERReader.Malformed) {
        var body = try DERReader.certificate(der).rest
        self.subject = try DistinguishedName(der: try body.next(DERReader.Tag.sequence).content)
        let publicKey = try body.next(DERReader.Tag.sequence).whole
        self.publicKeyDigest = Self.hexadecimal(SHA256.hash(data: publicKey))
        self.digest = Self.hexadecimal(SHA256.hash(data: der))
        _ = try body.nextIfPresent(0x81)  // issuer's unique identifier
        _ = try body.nextIfPresent(0x82)  // subject's unique identifier
        guard let extensions = try body.nextIfPresent(0xa3) else { return }
        var wrapper = extensions.reader
        var list = try wrapper.next(DERReader.Tag.sequence).reader
        while !list.isAtEnd {
            var entry = try list.next(DERReader.Tag.sequence).reader
            let identifier = try DERReader.objectIdentifier(try entry.next(DERReader.Tag.objectIdentifier).content)
            _ = try entry.nextIfPresent(DERReader.Tag.boolean)
            let value = try entry.next(DERReader.Tag.octetString)
            if identifier == Self.subjectAlternativeName { try self.readNames(value.content) }
        }
    }

    private mutating func readNames(_ der: ArraySlice<UInt8>) throws(DERReader.Malformed) {
        var outer = DERReader(der)
        var names = try outer.next(DERReader.Tag.sequence).reader
        while !names.isAtEnd {
            let name = try names.next()
            let text = String(decoding: name.content, as: UTF8.self)
            switch name.tag {
            case 0x81: self.emailAddresses.append(text)
            case 0x82: self.dnsNames.append(text)
            case 0x86: self.uris.append(text)
            default: break
            }
        }
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
