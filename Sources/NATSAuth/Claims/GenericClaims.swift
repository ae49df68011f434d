import NATSWire

/// The registered claims of a JWT, whatever else it says.
package struct GenericClaims: ClaimSet {
    package static let typeName = ""
    package static let refusal = "not generic claim"
    package static let issuers: [NKey.Kind] = []

    package var registered = RegisteredClaims()
    package var tags: [String] = []
    package private(set) var version = 2
    /// What stands under `nats`.
    package var content = ClaimObject(value: .object([]))

    package init(_ claims: ClaimObject, version: Int) throws(JWTError) {
        self.version = version
        try JWTError.rethrowing { () throws(JSONError) in
            let reader = try ClaimReader(claims.value)
            try self.registered.read(reader)
            for value in reader.values("nats") { self.content = ClaimObject(value: .object(try value.members("nats"))) }
        }
    }

    /// Reads the registered claims of a JWT of any kind, and checks its signature (nats-io/jwt DecodeGeneric).
    ///
    /// Unlike ``JWT/decode(_:)`` it goes by the header to tell the versions apart.
    ///
    /// - Throws: ``JWTError`` in the official words.
    package static func decode(_ text: String) throws(JWTError) -> GenericClaims {
        let token = try EncodedJWT(text)
        let isFirst = token.algorithm == "ed25519"
        let claims = try GenericClaims(token.claimObject, version: isFirst ? 1 : 2)
        try token.verify(issuer: claims.issuer, asFirstVersion: isFirst)
        return claims
    }

    package func validate(_ context: ValidationContext, into report: inout ValidationReport) {
        self.registered.validate(context, into: &report)
    }
}
