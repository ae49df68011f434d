import NATSText
import NATSWire

/// Who may sign the accounts of a deployment, and what holds for all of them.
package struct OperatorClaims: ClaimSet {
    package static let typeName = "operator"
    package static let refusal = "not operator claim"
    package static let issuers: [NKey.Kind] = [.operator]
    package static let subjectRule: (kind: NKey.Kind, refusal: String)? =
        (.operator, "expected subject to be an operator public key")

    package var registered: RegisteredClaims
    package var tags: [String] = []
    package private(set) var version = 2

    /// Public keys of the operator's further keys.
    package var signingKeys: [String] = []
    /// Where tools find account JWTs, without the last parts of the path.
    package var accountServerURL = ""
    /// Where tools can reach the servers.
    package var operatorServiceURLs: [String] = []
    /// Public key of the system account.
    package var systemAccount = ""
    /// The oldest version of the server that may serve the operator, `major.minor.update`.
    package var assertServerVersion = ""
    /// Whether accounts have to be signed by one of ``signingKeys`` and not by the operator's own key.
    package var strictSigningKeyUsage = false

    /// Claims of the operator with a public key.
    package init(subject: String, name: String = "") {
        self.registered = RegisteredClaims(subject: subject, name: name)
    }

    package init(_ claims: ClaimObject, version: Int) throws(JWTError) {
        guard version == 1 || version == 2 else { throw .unsupportedVersion(version) }
        self.registered = RegisteredClaims()
        self.version = version
        try JWTError.rethrowing { () throws(JSONError) in
            let reader = try ClaimReader(claims.value)
            try self.registered.read(reader)
            if version == 1 { try reader.read("tags", into: &self.tags) }
            for nats in try reader.objects("nats") {
                try nats.read("signing_keys", into: &self.signingKeys)
                try nats.read("account_server_url", into: &self.accountServerURL)
                try nats.read("operator_service_urls", into: &self.operatorServiceURLs)
                try nats.read("system_account", into: &self.systemAccount)
                guard version == 2 else { continue }
                try nats.read("assert_server_version", into: &self.assertServerVersion)
                try nats.read("strict_signing_key_usage", into: &self.strictSigningKeyUsage)
                try nats.read("tags", into: &self.tags)
            }
        }
    }

    package var content: ClaimObject {
        var writer = ClaimWriter()
        writer.writeUnlessEmpty("signing_keys", self.signingKeys)
        writer.writeUnlessEmpty("account_server_url", self.accountServerURL)
        writer.writeUnlessEmpty("operator_service_urls", self.operatorServiceURLs)
        writer.writeUnlessEmpty("system_account", self.systemAccount)
        writer.writeUnlessEmpty("assert_server_version", self.assertServerVersion)
        writer.writeUnlessFalse("strict_signing_key_usage", self.strictSigningKeyUsage)
        return ClaimObject(value: writer.object)
    }

    /// Whether claims were signed by the operator, with a key that may do it.
    package func didSign(_ claims: some ClaimSet) -> Bool {
        guard claims.issuer == self.subject else { return self.signingKeys.contains(claims.issuer) }
        return !self.strictSigningKeyUsage || claims.subject == self.subject
    }

    /// The public keys whose signature makes an account one of the operator's.
    package var trustedKeys: [String] {
        (self.strictSigningKeyUsage ? [] : [self.subject]) + self.signingKeys
    }

    // MARK: Validation

    package func validate(_ context: ValidationContext, into report: inout ValidationReport) {
        self.registered.validate(context, into: &report)
        if let failure = self.accountServerFailure { report.error(failure) }
        for url in self.operatorServiceURLs {
            if let failure = Self.serviceFailure(url) { report.error(failure) }
        }
        for key in self.signingKeys where !NKey.isPublicKey(key, of: .operator) {
            report.error("\(key) is not an operator public key")
        }
        if !self.systemAccount.isEmpty, !NKey.isPublicKey(self.systemAccount, of: .account) {
            report.error("\(self.systemAccount) is not an account public key")
        }
        do throws(ServerVersionRequirement.Failure) {
            _ = try ServerVersionRequirement(self.assertServerVersion)
        } catch {
            report.error("assert server version error: \(error.words)")
        }
    }

    private var accountServerFailure: String? {
        guard !self.accountServerURL.isEmpty else { return nil }
        do throws(WebAddress.Failure) {
            let address = try WebAddress(self.accountServerURL)
            guard address.scheme.isEmpty else { return nil }
            return "account server url \(GoString.quoted(self.accountServerURL)) requires a protocol"
        } catch {
            return "error parsing account server url: \(error.words)"
        }
    }

    private static func serviceFailure(_ text: String) -> String? {
        guard !text.isEmpty else { return nil }
        let quoted = GoString.quoted(text)
        do throws(WebAddress.Failure) {
            let address = try WebAddress(text)
            if address.user != nil { return "operator service url \(quoted) - credentials are not supported" }
            if !address.path.isEmpty { return "operator service url \(quoted) - paths are not supported" }
            guard !["nats", "tls", "ws", "wss"].contains(address.scheme) else { return nil }
            return "operator service url \(quoted) - protocol not supported (only 'nats', 'tls', 'ws', 'wss' only)"
        } catch {
            return "error parsing operator service url \(quoted): \(error.words)"
        }
    }
}
