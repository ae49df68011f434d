import NATSWire

/// An account's permission for another one to import something that is not public.
package struct ActivationClaims: ClaimSet {
    package static let typeName = "activation"
    package static let refusal = "not activation claim"
    package static let issuers: [NKey.Kind] = [.account, .operator]
    package static let subjectRule: (kind: NKey.Kind, refusal: String)? =
        (.account, "expected subject to be an account")

    package var registered: RegisteredClaims
    package var tags: [String] = []
    package private(set) var version = 2

    package var importSubject = ""
    package var importType: ExchangeType?
    /// The account that the issuer signs for, when it is one of its signing keys.
    package var issuerAccount = ""

    /// A permission for an account.
    package init(account: String, importing subject: String, type: ExchangeType, name: String = "") {
        self.registered = RegisteredClaims(subject: account, name: name)
        self.importSubject = subject
        self.importType = type
    }

    package init(_ claims: ClaimObject, version: Int) throws(JWTError) {
        guard version == 1 || version == 2 else { throw .unsupportedVersion(version) }
        self.registered = RegisteredClaims()
        self.version = version
        try JWTError.rethrowing { () throws(JSONError) in
            let reader = try ClaimReader(claims.value)
            try self.registered.read(reader)
            if version == 1 {
                try reader.read("tags", into: &self.tags)
                try reader.read("issuer_account", into: &self.issuerAccount)
            }
            for nats in try reader.objects("nats") {
                try nats.read("subject", into: &self.importSubject)
                try ExchangeType.read(version == 1 ? "type" : "kind", of: nats, into: &self.importType)
                guard version == 2 else { continue }
                try nats.read("issuer_account", into: &self.issuerAccount)
                try nats.read("tags", into: &self.tags)
            }
        }
    }

    package var content: ClaimObject {
        var writer = ClaimWriter()
        writer.writeUnlessEmpty("subject", self.importSubject)
        writer.writeUnlessEmpty("kind", self.importType?.rawValue ?? "")
        writer.writeUnlessEmpty("issuer_account", self.issuerAccount)
        return ClaimObject(value: writer.object)
    }

    package func validate(_ context: ValidationContext, into report: inout ValidationReport) {
        self.registered.validate(context, into: &report)
        self.validateWithoutTimes(into: &report)
    }

    func validateWithoutTimes(into report: inout ValidationReport) {
        if self.importType == nil { report.error("invalid import type: \"unknown\"") }
        ClaimSubject.validate(self.importSubject, into: &report)
        if !self.issuerAccount.isEmpty, !NKey.isPublicKey(self.issuerAccount, of: .account) {
            report.error("account_id is not an account public key")
        }
    }
}
