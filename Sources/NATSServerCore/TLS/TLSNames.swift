import NIOSSL

/// Names of the TLS library that the official server stands on, and which of them ours knows.
enum TLSNames {
    /// A name that cannot be used, in the official server's words where it has some.
    struct Unusable: Error, Equatable {
        let description: String
    }

    private struct Suite {
        let name: String
        let id: UInt16
        /// Needs `allow_insecure_cipher_suites`.
        var isInsecure = false
        /// BoringSSL has it.
        var isKnown = true
    }

    /// In the order in which a server prefers them; those of TLS 1.3 first.
    private static let suites: [Suite] = [
        Suite(name: "TLS_AES_128_GCM_SHA256", id: 0x1301),
        Suite(name: "TLS_AES_256_GCM_SHA384", id: 0x1302),
        Suite(name: "TLS_CHACHA20_POLY1305_SHA256", id: 0x1303),
        Suite(name: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", id: 0xc02b),
        Suite(name: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", id: 0xc02f),
        Suite(name: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", id: 0xc02c),
        Suite(name: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", id: 0xc030),
        Suite(name: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", id: 0xcca9),
        Suite(name: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", id: 0xcca8),
        Suite(name: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", id: 0xc009),
        Suite(name: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", id: 0xc013),
        Suite(name: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", id: 0xc00a),
        Suite(name: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", id: 0xc014),
        Suite(name: "TLS_RSA_WITH_AES_128_GCM_SHA256", id: 0x009c, isInsecure: true),
        Suite(name: "TLS_RSA_WITH_AES_256_GCM_SHA384", id: 0x009d, isInsecure: true),
        Suite(name: "TLS_RSA_WITH_AES_128_CBC_SHA", id: 0x002f, isInsecure: true),
        Suite(name: "TLS_RSA_WITH_AES_256_CBC_SHA", id: 0x0035, isInsecure: true),
        Suite(name: "TLS_RSA_WITH_3DES_EDE_CBC_SHA", id: 0x000a, isInsecure: true, isKnown: false),
        Suite(name: "TLS_RSA_WITH_AES_128_CBC_SHA256", id: 0x003c, isInsecure: true, isKnown: false),
        Suite(name: "TLS_RSA_WITH_RC4_128_SHA", id: 0x0005, isInsecure: true, isKnown: false),
        Suite(name: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", id: 0xc012, isInsecure: true, isKnown: false),
        Suite(name: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", id: 0xc023, isInsecure: true, isKnown: false),
        Suite(name: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", id: 0xc027, isInsecure: true, isKnown: false),
        Suite(name: "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", id: 0xc007, isInsecure: true, isKnown: false),
        Suite(name: "TLS_ECDHE_RSA_WITH_RC4_128_SHA", id: 0xc011, isInsecure: true, isKnown: false),
    ]

    /// `nil`: BoringSSL lacks it.
    private static let curves: [(name: String, curve: NIOTLSCurve?)] = [
        ("X25519MLKEM768", .x25519_MLKEM768),
        ("SecP256r1MLKEM768", nil),
        ("SecP384r1MLKEM1024", nil),
        ("X25519", .x25519),
        ("CurveP256", .secp256r1),
        ("CurveP384", .secp384r1),
        ("CurveP521", .secp521r1),
    ]

    private static func isForTLS13(_ id: UInt16) -> Bool { id >> 8 == 0x13 }

    /// The cipher suites of TLS 1.2 for a list of names; all secure ones for an empty list.
    ///
    /// As in the official server the order of the list does not matter, and those of TLS 1.3 are always there.
    static func cipherSuites(_ names: [String], allowInsecure: Bool) throws(Unusable) -> [NIOTLSCipher] {
        var chosen: Set<UInt16> = []
        for name in names {
            guard let suite = self.suites.first(where: { $0.name == name }) else {
                throw Unusable(description: "unrecognized cipher \(name)")
            }
            chosen.insert(suite.id)
        }
        let insecure = self.suites.filter { $0.isInsecure && chosen.contains($0.id) }.map(\.name)
        guard allowInsecure || insecure.isEmpty else {
            throw Unusable(
                description: "insecure cipher suites configured without 'allow_insecure_cipher_suites' option set: "
                    + names.filter(insecure.contains).joined(separator: ", ")
            )
        }
        if let missing = self.suites.first(where: { !$0.isKnown && chosen.contains($0.id) }) {
            throw Unusable(description: "cipher suite \(missing.name) is not supported: BoringSSL does not have it")
        }
        return self.suites
            .filter { names.isEmpty ? !$0.isInsecure : chosen.contains($0.id) }
            .filter { !self.isForTLS13($0.id) }
            .map { NIOTLSCipher($0.id) }
    }

    /// The curves for a list of names, in the order of preference; all for an empty list.
    static func curves(_ names: [String]) throws(Unusable) -> [NIOTLSCurve] {
        guard !names.isEmpty else { return self.curves.compactMap(\.curve) }
        var result: [NIOTLSCurve] = []
        for name in names {
            guard let entry = self.curves.first(where: { $0.name == name }) else {
                throw Unusable(description: "unrecognized curve preference \(name)")
            }
            guard let curve = entry.curve else {
                throw Unusable(description: "curve preference \(name) is not supported: BoringSSL does not have it")
            }
            if !result.contains(curve) { result.append(curve) }
        }
        return result
    }

    /// Go's name of a cipher suite.
    static func cipherSuite(_ id: UInt16) -> String {
        if let suite = self.suites.first(where: { $0.id == id }) { return suite.name }
        let digits = String(id, radix: 16, uppercase: true)
        return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// A version as the log and `/connz` show it (nats-server server.go tlsVersion).
    static func version(_ number: UInt16) -> String {
        switch number {
        case 0x0301: "1.0"
        case 0x0302: "1.1"
        case 0x0303: "1.2"
        case 0x0304: "1.3"
        default: "Unknown [0x\(String(number, radix: 16))]"
        }
    }
}
