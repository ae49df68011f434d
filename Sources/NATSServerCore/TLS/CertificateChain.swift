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
            guard let certificate = try? DERReader.certificate(der) else { return nil }
            var rest = certificate.rest
            guard let subject = try? rest.next(DERReader.Tag.sequence) else { return nil }
            self.der = der
            self.subject = Array(subject.whole)
            self.issuer = Array(certificate.issuer.whole)
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
