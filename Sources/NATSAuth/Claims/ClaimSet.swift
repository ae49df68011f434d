import NATSText
package import NATSWire

/// Claims of one kind: what a JWT of NATS says about an operator, account, user or import.
package protocol ClaimSet: Sendable, Equatable {
    /// What the JWT calls claims of this kind.
    static var typeName: String { get }
    /// What is said when a JWT has other claims than wanted.
    static var refusal: String { get }
    /// Whose keys may sign such claims; any if empty.
    static var issuers: [NKey.Kind] { get }
    /// Whose key the subject must be for the claims to be encoded, and what is said otherwise.
    static var subjectRule: (kind: NKey.Kind, refusal: String)? { get }

    var registered: RegisteredClaims { get set }
    var tags: [String] { get set }
    /// 2; 1 for claims that were read from an old JWT.
    var version: Int { get }

    /// Reads all claims; `version` is that of the JWT.
    init(_ claims: ClaimObject, version: Int) throws(JWTError)
    /// What stands under `nats`, without tags, type and version.
    var content: ClaimObject { get }
    /// Checks everything that a signature does not prove.
    func validate(_ context: ValidationContext, into report: inout ValidationReport)
}

/// An object of JSON with its members in order.
package struct ClaimObject: Sendable, Equatable {
    let value: JSONValue
}

extension ClaimSet {
    package static var subjectRule: (kind: NKey.Kind, refusal: String)? { nil }

    /// The public key of whom the claims are about.
    package var subject: String { self.registered.subject }
    /// The public key of who signed.
    package var issuer: String { self.registered.issuer }
    package var name: String { self.registered.name }

    /// The claims as Go's encoder shows them when they have been read.
    package var document: JSONValue { self.document(self.registered) }

    private func document(_ registered: RegisteredClaims) -> JSONValue {
        var nats = ClaimWriter()
        for (key, value) in (try? self.content.value.members("nats")) ?? [] { nats.write(key, value) }
        nats.writeUnlessEmpty("tags", self.tags)
        nats.writeUnlessEmpty("type", Self.typeName)
        nats.write("version", 2)
        var writer = ClaimWriter()
        registered.write(to: &writer)
        writer.write("nats", nats.object)
        return writer.object
    }

    /// Checks everything that a signature does not prove.
    package func validate(_ context: ValidationContext) -> ValidationReport {
        var report = ValidationReport()
        self.validate(context, into: &report)
        return report
    }

    /// A JWT of these claims, signed with a key.
    ///
    /// - Parameters:
    ///   - pair: The issuer's key.
    ///   - time: When the claims are issued, in seconds since 1970.
    /// - Returns: The JWT.
    /// - Throws: ``JWTError`` if the key may not sign such claims, or the subject is not theirs.
    package func encoded(signedBy pair: NKeyPair, at time: Int64) throws(JWTError) -> String {
        if let rule = Self.subjectRule, !NKey.isPublicKey(self.subject, of: rule.kind) {
            throw .wrongSubject(rule.refusal)
        }
        guard !self.subject.isEmpty else { throw .noSubject }
        guard Self.issuers.isEmpty || Self.issuers.contains(pair.publicKey.kind) else {
            throw .wrongIssuer(expected: Self.issuers)
        }
        var registered = self.registered
        registered.issuer = pair.publicKey.text
        registered.issuedAt = time
        registered.id = ""
        var hashed = ClaimWriter()
        registered.write(to: &hashed)
        registered.id = Base32.encode(SHA512Truncated.hash(hashed.object.compact))

        let header = Base64URL.encode(#"{"typ":"JWT","alg":"ed25519-nkey"}"#.utf8)
        let signed = "\(header).\(Base64URL.encode(self.document(registered).compact))"
        let signature: [UInt8]
        do throws(NKey.Failure) {
            signature = try pair.sign(Array(signed.utf8))
        } catch {
            throw .notEncodable(error.description)
        }
        return "\(signed).\(Base64URL.encode(signature))"
    }
}
