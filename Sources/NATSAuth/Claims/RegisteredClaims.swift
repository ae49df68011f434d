import NATSWire

/// The claims that every JWT of NATS has (nats-io/jwt ClaimsData).
package struct RegisteredClaims: Sendable, Equatable {
    package var audience = ""
    /// Seconds since 1970; 0 for never.
    package var expires: Int64 = 0
    /// `jti`: a hash of the other registered claims, set when the claims are encoded.
    package var id = ""
    /// Seconds since 1970, set when the claims are encoded.
    package var issuedAt: Int64 = 0
    /// The public key of who signed, set when the claims are encoded.
    package var issuer = ""
    package var name = ""
    /// Seconds since 1970; 0 for always.
    package var notBefore: Int64 = 0
    /// The public key of whom the claims are about.
    package var subject = ""

    package init() {}

    /// Claims about the holder of a key.
    package init(subject: String, name: String = "") {
        self.subject = subject
        self.name = name
    }

    /// Whether the issuer claims something about itself.
    package var isSelfSigned: Bool { self.issuer == self.subject }

    func validate(_ context: ValidationContext, into report: inout ValidationReport) {
        if self.expires > 0, context.now > self.expires { report.time("claim is expired") }
        if self.notBefore > 0, self.notBefore > context.now { report.time("claim is not yet valid") }
    }

    mutating func read(_ reader: ClaimReader) throws(JSONError) {
        try reader.read("aud", into: &self.audience)
        try reader.read("exp", into: &self.expires)
        try reader.read("jti", into: &self.id)
        try reader.read("iat", into: &self.issuedAt)
        try reader.read("iss", into: &self.issuer)
        try reader.read("name", into: &self.name)
        try reader.read("nbf", into: &self.notBefore)
        try reader.read("sub", into: &self.subject)
    }

    func write(to writer: inout ClaimWriter) {
        writer.writeUnlessEmpty("aud", self.audience)
        writer.writeUnlessZero("exp", self.expires)
        writer.writeUnlessEmpty("jti", self.id)
        writer.writeUnlessZero("iat", self.issuedAt)
        writer.writeUnlessEmpty("iss", self.issuer)
        writer.writeUnlessEmpty("name", self.name)
        writer.writeUnlessZero("nbf", self.notBefore)
        writer.writeUnlessEmpty("sub", self.subject)
    }
}
