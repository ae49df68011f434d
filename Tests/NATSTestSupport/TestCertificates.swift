import Crypto
import Foundation
import SwiftASN1
package import X509

/// A certificate with its key, made for one test run.
package struct TestCertificate: Sendable {
    /// The certificate alone.
    package let certificate: Certificate
    /// PEM texts.
    package let certificateText: String
    package let keyText: String
    fileprivate let privateKey: Certificate.PrivateKey

    /// Lower-case hexadecimal SHA-256 of the SubjectPublicKeyInfo.
    package var publicKeyDigest: String {
        var serializer = DER.Serializer()
        guard (try? serializer.serialize(self.certificate.publicKey)) != nil else { return "" }
        return SHA256.hash(data: serializer.serializedBytes).map { String(format: "%02x", $0) }.joined()
    }

    /// DER bytes.
    package var bytes: [UInt8] {
        var serializer = DER.Serializer()
        guard (try? serializer.serialize(self.certificate)) != nil else { return [] }
        return serializer.serializedBytes
    }
}

/// An authority that lives as long as a test.
package struct TestAuthority: Sendable {
    package let own: TestCertificate

    /// The certificate as a PEM text.
    package var text: String { self.own.certificateText }

    package init(name: String = "Test Authority") throws {
        let key = P256.Signing.PrivateKey()
        let privateKey = Certificate.PrivateKey(key)
        let subject = try TestAuthority.subject([[("CN", name)]])
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: privateKey.publicKey,
            notValidBefore: Date(timeIntervalSinceNow: -86_400),
            notValidAfter: Date(timeIntervalSinceNow: 86_400),
            issuer: subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true))
            },
            issuerPrivateKey: privateKey
        )
        self.own = TestCertificate(
            certificate: certificate,
            certificateText: try certificate.serializeAsPEM().pemString,
            keyText: key.pemRepresentation,
            privateKey: privateKey
        )
    }

    /// A certificate for 127.0.0.1 or the addresses given, unless it is for names only, and localhost.
    package func server(
        dnsNames: [String] = ["localhost"],
        namesOnly: Bool = false,
        addresses: [[UInt8]] = [[127, 0, 0, 1]],
        isExpired: Bool = false
    ) throws -> TestCertificate {
        let addresses = addresses.map { GeneralName.ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        return try self.issue(
            subject: [[("CN", dnsNames.first ?? "server")]],
            names: dnsNames.map { .dnsName($0) } + (namesOnly ? [] : addresses),
            usages: [.serverAuth],
            isExpired: isExpired
        )
    }

    /// One of a server that dials others as well, at 127.0.0.1.
    package func peer(name: String = "localhost") throws -> TestCertificate {
        try self.issue(
            subject: [[("CN", name)]],
            names: [.dnsName(name), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1]))],
            usages: [.serverAuth, .clientAuth],
            isExpired: false
        )
    }

    /// A client's certificate; the subject's parts from the most general to the most special, each with the attributes
    /// that belong together, by their short names.
    package func client(
        subject: [[(String, String)]] = [[("CN", "client")]],
        emails: [String] = [],
        dnsNames: [String] = [],
        uris: [String] = [],
        isExpired: Bool = false
    ) throws -> TestCertificate {
        let emails = emails.map { GeneralName.rfc822Name($0) }
        let dnsNames = dnsNames.map { GeneralName.dnsName($0) }
        let uris = uris.map { GeneralName.uniformResourceIdentifier($0) }
        return try self.issue(
            subject: subject,
            names: emails + dnsNames + uris,
            usages: [.clientAuth],
            isExpired: isExpired
        )
    }

    private func issue(
        subject: [[(String, String)]],
        names: [GeneralName],
        usages: [ExtendedKeyUsage.Usage],
        isExpired: Bool
    ) throws -> TestCertificate {
        let key = P256.Signing.PrivateKey()
        let privateKey = Certificate.PrivateKey(key)
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: privateKey.publicKey,
            notValidBefore: Date(timeIntervalSinceNow: -7_200),
            notValidAfter: Date(timeIntervalSinceNow: isExpired ? -3_600 : 86_400),
            issuer: self.own.certificate.subject,
            subject: try Self.subject(subject),
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage(usages)
                if !names.isEmpty { SubjectAlternativeNames(names) }
            },
            issuerPrivateKey: self.own.privateKey
        )
        return TestCertificate(
            certificate: certificate,
            certificateText: try certificate.serializeAsPEM().pemString,
            keyText: key.pemRepresentation,
            privateKey: privateKey
        )
    }

    private static let types: [String: ASN1ObjectIdentifier] = [
        "CN": .RDNAttributeType.commonName,
        "C": .RDNAttributeType.countryName,
        "O": .RDNAttributeType.organizationName,
        "OU": .RDNAttributeType.organizationalUnitName,
        "DC": .RDNAttributeType.domainComponent,
        "L": .RDNAttributeType.localityName,
        "ST": .RDNAttributeType.stateOrProvinceName,
    ]

    private static func subject(_ parts: [[(String, String)]]) throws -> DistinguishedName {
        try DistinguishedName(
            parts.map { part in
                try RelativeDistinguishedName(
                    part.map { name, value in
                        guard let type = self.types[name] else { throw UnknownAttribute(name: name) }
                        // As usual certificates have it.
                        if name == "DC" { return try .init(type: type, ia5String: value) }
                        if name == "C" { return try .init(type: type, printableString: value) }
                        return .init(type: type, utf8String: value)
                    }
                )
            }
        )
    }

    private struct UnknownAttribute: Error {
        let name: String
    }
}

extension TestCertificate {
    /// Writes certificate and key to files, and returns their paths.
    package func write(to directory: TemporaryDirectory, as name: String) throws -> (certificate: String, key: String) {
        (
            try directory.write(self.certificateText, to: "\(name).pem"),
            try directory.write(self.keyText, to: "\(name).key")
        )
    }
}
