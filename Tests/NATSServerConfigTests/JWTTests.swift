import NATSAuth
import NATSServerConfig
import NATSTestSupport
import NATSWire
import Testing

@Suite struct JWTTests {
    /// A JWT with its parts as given, signed by a new key of a kind.
    private static func jwt(
        _ kind: NKey.Kind,
        type: String,
        header: String = "{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}",
        version: Int = 2,
        spoiled: Bool = false
    ) throws -> String {
        let pair = try NKeyPair(kind: kind)
        let nats = version > 1 ? "{\"type\":\"\(type)\",\"version\":\(version)}" : "{}"
        let old = version > 1 ? "" : ",\"type\":\"\(type)\""
        let claims = """
            {"jti":"x","iat":1700000000,"iss":"\(pair.publicKey)","name":"n","sub":"\(pair.publicKey)","nats":\(nats)\(old)}
            """
        let head = Base64.encodeURLSafe(header.utf8)
        let body = Base64.encodeURLSafe(claims.utf8)
        let signed = version > 1 ? "\(head).\(body)" : body
        var signature = try pair.sign(Array(signed.utf8))
        if spoiled { signature[0] ^= 1 }
        return "\(head).\(body).\(Base64.encodeURLSafe(signature))"
    }

    @Test(
        "operator and account JWTs get the official verdict",
        .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server"))
    )
    func verdicts() async throws {
        let jwts = try [
            Self.jwt(.operator, type: "operator"), Self.jwt(.operator, type: "operator", spoiled: true),
            Self.jwt(.operator, type: "account"), Self.jwt(.account, type: "account"),
            Self.jwt(.account, type: "operator"), Self.jwt(.user, type: "account"), Self.jwt(.account, type: "user"),
            Self.jwt(.operator, type: "operator", header: "{\"typ\":\"x\",\"alg\":\"ed25519-nkey\"}"),
            Self.jwt(.operator, type: "operator", header: "{\"typ\":\"jwt\",\"alg\":\"ed25519\"}"),
            Self.jwt(.operator, type: "operator", header: "{\"typ\":\"JWT\",\"alg\":\"none\"}"),
            Self.jwt(.operator, type: "operator", version: 1), Self.jwt(.operator, type: "operator", version: 3),
            Self.jwt(.account, type: "account", version: 1), "eyJ.a.b", "eyJ", "eyJ.a.b.c", "eyJ9.e30.e30",
            "eyJ!.e30.e30",
        ]
        let decorated = "-----BEGIN NATS OPERATOR JWT-----\n\(jwts[0])\n------END NATS OPERATOR JWT------\n"
        let directory = try TemporaryDirectory()
        try directory.write(decorated, to: "operator.jwt")
        var texts = jwts.flatMap { ["operator: \"\($0)\"", "resolver_preload { A: \"\($0)\" }"] }
        texts.append("operator: operator.jwt")
        for (index, text) in texts.enumerated() { try directory.write(text, to: "s\(index).conf") }
        let official = try await OfficialVerdicts.verdicts(count: texts.count, in: directory)
        #expect(official.count { $0.digest != nil } >= 4)
        for (index, text) in texts.enumerated() {
            let ours = ConfigurationVerdict.ours("s\(index).conf", in: directory.path)
            #expect(ours.digest == official[index].digest, "\(text): \(ours) \(official[index])")
            // Only the words about JSON may differ.
            let hasOwnWords = text.contains("eyJ9") || text.contains("eyJ.a")
            if !hasOwnWords { #expect(ours.lines == official[index].lines, "\(text)") }
        }
    }
}
