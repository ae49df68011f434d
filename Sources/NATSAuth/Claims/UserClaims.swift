import NATSWire

/// Who may connect, and what they may do.
package struct UserClaims: ClaimSet {
    package static let typeName = "user"
    package static let refusal = "not user claim"
    package static let issuers: [NKey.Kind] = [.account]
    package static let subjectRule: (kind: NKey.Kind, refusal: String)? =
        (.user, "expected subject to be user public key")

    package var registered: RegisteredClaims
    package var tags: [String] = []
    package private(set) var version = 2

    package var limits: UserLimits
    /// The account that the issuer signs for, when it is one of its signing keys.
    package var issuerAccount = ""

    /// A user without limits; ``UserLimits/init()`` for one signed by a scoped key.
    package init(subject: String, name: String = "", limits: UserLimits = .unlimited) {
        self.registered = RegisteredClaims(subject: subject, name: name)
        self.limits = limits
    }

    package init(_ claims: ClaimObject, version: Int) throws(JWTError) {
        guard version == 1 || version == 2 else { throw .unsupportedVersion(version) }
        self.registered = RegisteredClaims()
        self.version = version
        // What the first version left out was not limited.
        self.limits = version == 1 ? .unlimited : UserLimits()
        try JWTError.rethrowing { () throws(JSONError) in
            let reader = try ClaimReader(claims.value)
            try self.registered.read(reader)
            if version == 1 {
                try reader.read("tags", into: &self.tags)
                try reader.read("issuer_account", into: &self.issuerAccount)
            }
            for nats in try reader.objects("nats") {
                try self.limits.read(nats)
                guard version == 2 else { continue }
                try nats.read("issuer_account", into: &self.issuerAccount)
                try nats.read("tags", into: &self.tags)
            }
            if version == 1 {
                self.limits.proxyRequired = false
                self.limits.allowedConnectionTypes = []
            }
        }
    }

    package var content: ClaimObject {
        var writer = ClaimWriter()
        self.limits.write(to: &writer)
        writer.writeUnlessEmpty("issuer_account", self.issuerAccount)
        return ClaimObject(value: writer.object)
    }

    /// Whether the claims limit and permit nothing, as a scoped signing key wants it.
    package var hasEmptyPermissions: Bool { self.limits == UserLimits() }

    /// The account that the user belongs to.
    package var account: String { self.issuerAccount.isEmpty ? self.issuer : self.issuerAccount }

    package func validate(_ context: ValidationContext, into report: inout ValidationReport) {
        self.registered.validate(context, into: &report)
        self.limits.validate(context, into: &report)
        if !self.issuerAccount.isEmpty, !NKey.isPublicKey(self.issuerAccount, of: .account) {
            report.error("account_id is not an account public key")
        }
    }
}
