/// The way from a certificate that has been verified to the authority that is trusted, found by names.
///
/// Of the certificates in between those count that are among the authorities: BoringSSL does not tell what else a client
/// has sent.
struct CertificateChain: Sendable {
    private struct Link {
        let der: [UInt8]
        let subject: [UInt8]
        let issuer: [UInt8]

        init?(_ der: [UInt8]) {
            guard let names = try? Self.names(der) else { return nil }
            self.der = der
            self.subject = names.subject
            self.issuer = names.issuer
        }

        private static func names(_ der: [UInt8]) throws(DERReader.Malformed) -> (subject: [UInt8], issuer: [UInt8]) {
            var outer = DERReader(der[...])
            var certificate = try outer.next(DERReader.Tag.sequence).reader
            var body = try certificate.next(DERReader.Tag.sequence).reader
            _ = try body.nextIfPresent(0xa0)  // version
            _ = try body.next(0x02)  // serial number
            _ = try body.next(DERReader.Tag.sequence)  // signature algorithm
            let issuer = Array(try body.next(DERReader.Tag.sequence).whole)
            _ = try body.next(DERReader.Tag.sequence)  // validity
            return (Array(try body.next(DERReader.Tag.sequence).whole), issuer)
        }
    }

    /// No chain is longer.
    private static let maximumLength = 10

    private let authorities: [Link]

    /// - Parameter authorities: What is trusted, in DER.
    init(authorities: [[UInt8]]) { self.authorities = authorities.compactMap(Link.init) }

    /// A certificate and those above it, in DER.
    func chain(from certificate: [UInt8]) -> [[UInt8]] {
        var chain = [certificate]
        var link = Link(certificate)
        while let current = link, current.issuer != current.subject, chain.count < Self.maximumLength {
            link = self.authorities.first { $0.subject == current.issuer && !chain.contains($0.der) }
            if let link { chain.append(link.der) }
        }
        return chain
    }
}
