import NATSTestSupport
import Testing

@testable import NATSServerCore

@Suite("certificates and the users that they name")
struct CertificateTests {
    @Test("what a certificate says is read")
    func reading() throws {
        let made = try TestAuthority().client(
            subject: [[("C", "US")], [("O", "Acme, Inc.")], [("OU", "a"), ("OU", "b")], [("CN", "client")]],
            emails: ["a@b.c", "d@e.f"],
            dnsNames: ["x.y"],
            uris: ["spiffe://z"]
        )
        let certificate = try ClientCertificate(der: made.bytes)
        #expect(certificate.emailAddresses == ["a@b.c", "d@e.f"])
        #expect(certificate.dnsNames == ["x.y"])
        #expect(certificate.uris == ["spiffe://z"])
        #expect(certificate.publicKeyDigest == made.publicKeyDigest)
        #expect(certificate.subject.goText == "CN=client,OU=a+OU=b,O=Acme\\, Inc.,C=US")
        #expect(certificate.digest.count == 64)
    }

    @Test("no cut or changed certificate does harm")
    func damage() throws {
        let bytes = try TestAuthority().client(emails: ["a@b.c"], dnsNames: ["x.y"]).bytes
        for count in 0..<bytes.count {
            #expect(throws: DERReader.Malformed.self) { try ClientCertificate(der: Array(bytes[..<count])) }
        }
        for index in bytes.indices {
            for value in [0, 0x7f, 0x80, 0x84, 0xff] as [UInt8] {
                var changed = bytes
                changed[index] = value
                _ = try? ClientCertificate(der: changed)
            }
        }
        #expect(throws: DERReader.Malformed.self) { try ClientCertificate(der: []) }
    }

    @Test("object identifiers")
    func identifiers() throws {
        #expect(try DERReader.objectIdentifier([0x55, 0x04, 0x03]) == "2.5.4.3")
        #expect(
            try DERReader.objectIdentifier([0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19])
                == "0.9.2342.19200300.100.1.25"
        )
        #expect(throws: DERReader.Malformed.self) { try DERReader.objectIdentifier([]) }
        #expect(throws: DERReader.Malformed.self) { try DERReader.objectIdentifier([0x55, 0x84]) }
        #expect(throws: DERReader.Malformed.self) {
            try DERReader.objectIdentifier([0x55] + [UInt8](repeating: 0xff, count: 20) + [0x01])
        }
    }

    // MARK: Distinguished names

    private func subject(_ parts: [[(String, String)]]) throws -> DistinguishedName {
        try ClientCertificate(der: try TestAuthority().client(subject: parts).bytes).subject
    }

    @Test(
        "a written name is the subject, part by part",
        arguments: [
            ("CN=example.com,OU=CNCF", true, true),
            ("cn=example.com, ou=CNCF", true, true),
            ("CN=example.com , OU=CNCF ", true, true),
            ("OU=CNCF,CN=example.com", false, true),
            ("CN=example.com", false, false),
            ("CN=Example.com,OU=CNCF", false, false),
            ("CN=example\\2ecom,OU=\\43NCF", true, true),
            ("CN=example.com+OU=CNCF", false, false),
        ]
    )
    func matching(text: String, exactly: Bool, inAnyOrder: Bool) throws {
        let subject = try #require(try self.subject([[("OU", "CNCF")], [("CN", "example.com")]]).named)
        let written = try #require(DistinguishedName(text: text))
        #expect(written.matches(subject) == exactly)
        #expect(written.matchesInAnyOrder(subject) == inAnyOrder)
    }

    @Test("attributes of a part match in any order")
    func multiple() throws {
        let subject = try #require(try self.subject([[("O", "x")], [("OU", "a"), ("CN", "b")]]).named)
        #expect(try #require(DistinguishedName(text: "CN=b+OU=a,O=x")).matches(subject))
        #expect(try #require(DistinguishedName(text: "OU=a+CN=b,O=x")).matches(subject))
        #expect(try #require(DistinguishedName(text: "CN=b,OU=a,O=x")).matches(subject) == false)
    }

    @Test("what is no name", arguments: ["a", "=", ",", "CN=a,b", "CN=#04", "CN=a\\x", "CN=a\\zz", "+CN=a"])
    func malformed(text: String) {
        let isNone = DistinguishedName(text: text) == nil || DistinguishedName(text: text)?.parts.isEmpty == true
        #expect(isNone)
    }

    @Test("Go's spelling of a subject")
    func spelling() throws {
        let subject = try self.subject([
            [("DC", "com")], [("DC", "foo")], [("L", " x ")], [("CN", "#1")], [("O", "a\"<b>;\\")],
        ])
        #expect(subject.goText == "CN=\\#1,L=\\ x\\ ,O=a\\\"\\<b\\>\\;\\\\")
        #expect(subject.domainComponents == "DC=com,DC=foo")
        #expect(subject.goDescription.hasPrefix(subject.goText + ",0.9.2342.19200300.100.1.25=#"))
    }

    // MARK: Search

    private func find(_ certificate: TestCertificate?, _ users: Set<String>) throws -> String? {
        var search = CertificateUser(isUser: users.contains, users: { Array(users) })
        return search.find(try certificate.map { try ClientCertificate(der: $0.bytes) })
    }

    @Test("e-mail before DNS before URI before subject")
    func order() throws {
        let authority = try TestAuthority()
        let certificate = try authority.client(emails: ["e"], dnsNames: ["d"], uris: ["u:u"])
        #expect(try self.find(certificate, ["e", "d", "u:u", "CN=client"]) == "e")
        #expect(try self.find(certificate, ["d", "u:u", "CN=client"]) == "d")
        #expect(try self.find(certificate, ["u:u", "CN=client"]) == "u:u")
        #expect(try self.find(certificate, ["CN=client"]) == "CN=client")
        #expect(try self.find(certificate, ["cn=client"]) == "cn=client")
        #expect(try self.find(certificate, ["client", ""]) == nil)
        #expect(try self.find(nil, ["e"]) == nil)
    }

    @Test("domain components in the order of the certificate are found too")
    func domainComponents() throws {
        let certificate = try TestAuthority().client(subject: [[("DC", "com")], [("DC", "foo")], [("CN", "x")]])
        #expect(try self.find(certificate, ["CN=x,DC=foo,DC=com"]) == "CN=x,DC=foo,DC=com")
        #expect(try self.find(certificate, ["CN=x,DC=com,DC=foo"]) == "CN=x,DC=com,DC=foo")
        #expect(try self.find(certificate, ["CN=x"]) == "CN=x")
    }
}
