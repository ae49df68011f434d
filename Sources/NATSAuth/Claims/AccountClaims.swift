import NATSText
import NATSWire

/// An account: what it shares, its limits, and who may sign its users.
package struct AccountClaims: ClaimSet {
    /// Where traces of messages go that ask for it with a `traceparent` header.
    package struct Trace: Sendable, Equatable {
        package var destination: String
        /// Percent of the messages; 0 stands for 100.
        package var sampling: Int

        package init(destination: String, sampling: Int = 0) {
            self.destination = destination
            self.sampling = sampling
        }

        /// Percent of the messages.
        package var percent: Int { self.sampling == 0 ? 100 : self.sampling }
    }

    package static let typeName = "account"
    package static let refusal = "not account claim"
    package static let issuers: [NKey.Kind] = [.account, .operator]
    package static let subjectRule: (kind: NKey.Kind, refusal: String)? =
        (.account, "expected subject to be account public key")

    package var registered: RegisteredClaims
    package var tags: [String] = []
    package private(set) var version = 2

    package var imports: [ImportClaim] = []
    package var exports: [ExportClaim] = []
    package var limits: AccountLimits
    package var signingKeys = SigningKeys()
    /// Users whose claims no longer count.
    package var revocations = RevocationList()
    /// Permissions of users that have none.
    package var defaultPermissions = ClaimPermissions()
    package var mappings: [String: [WeightedMapping]] = [:]
    package var authorization = ExternalAuthorization()
    package var trace: Trace?
    /// `system`, `owner` or empty.
    package var clusterTraffic = ""
    package var info = ClaimInfo()
    /// Imports and exports that were `null` in the JSON, which is an error.
    private var nullImports = 0
    private var nullExports = 0

    /// An account without limits and without JetStream.
    package init(subject: String, name: String = "") {
        self.registered = RegisteredClaims(subject: subject, name: name)
        self.limits = .unlimited
    }

    package init(_ claims: ClaimObject, version: Int) throws(JWTError) {
        guard version == 1 || version == 2 else { throw .unsupportedVersion(version) }
        self.registered = RegisteredClaims()
        self.limits = AccountLimits()
        self.version = version
        try JWTError.rethrowing { () throws(JSONError) in
            let reader = try ClaimReader(claims.value)
            try self.registered.read(reader)
            if version == 1 { try reader.read("tags", into: &self.tags) }
            for nats in try reader.objects("nats") { try self.read(nats) }
        }
        // nats-io/jwt loadAccount: where there are tiers, nothing else counts.
        if !self.limits.jetStreamTiers.isEmpty { self.limits.jetStream = AccountLimits.JetStream() }
    }

    private mutating func read(_ nats: ClaimReader) throws(JSONError) {
        for value in nats.values("imports") {
            (self.imports, self.nullImports) = ([], 0)
            for element in try value.elements("imports") {
                if element == .null {
                    self.nullImports += 1
                } else {
                    self.imports.append(try ImportClaim(ClaimReader(element, "imports")))
                }
            }
        }
        for value in nats.values("exports") {
            (self.exports, self.nullExports) = ([], 0)
            for element in try value.elements("exports") {
                if element == .null {
                    self.nullExports += 1
                } else {
                    self.exports.append(try ExportClaim(ClaimReader(element, "exports")))
                }
            }
        }
        for limits in try nats.objects("limits") { try self.limits.read(limits, version: self.version) }
        try nats.read("revocations", into: &self.revocations.times)
        guard self.version == 2 else {
            var keys: [String] = []
            try nats.read("signing_keys", into: &keys)
            for key in keys { self.signingKeys.add(key) }
            return
        }
        for value in nats.values("signing_keys") { try self.signingKeys.read(value) }
        for permissions in try nats.objects("default_permissions") { try self.defaultPermissions.read(permissions) }
        for value in nats.values("mappings") {
            for (subject, list) in try value.members("mappings") {
                var destinations: [WeightedMapping] = []
                for element in list == .null ? [] : try list.elements("mappings") {
                    destinations.append(try WeightedMapping(ClaimReader(element, "mappings")))
                }
                self.mappings[subject] = destinations
            }
        }
        for authorization in try nats.objects("authorization") { try self.authorization.read(authorization) }
        for object in try nats.objects("trace") {
            var trace = self.trace ?? Trace(destination: "")
            try object.read("dest", into: &trace.destination)
            try object.read("sampling", into: &trace.sampling)
            self.trace = trace
        }
        try nats.read("cluster_traffic", into: &self.clusterTraffic)
        try self.info.read(nats)
        try nats.read("tags", into: &self.tags)
    }

    package var content: ClaimObject {
        var writer = ClaimWriter()
        let imports = self.imports.sorted { $0.subject.utf8.lexicographicallyPrecedes($1.subject.utf8) }
        let exports = self.exports.sorted { $0.subject.utf8.lexicographicallyPrecedes($1.subject.utf8) }
        writer.writeUnlessEmpty("imports", imports.map(\.object))
        writer.writeUnlessEmpty("exports", exports.map(\.object))
        writer.write("limits", self.limits.object)
        writer.writeUnlessEmpty("signing_keys", self.signingKeys.values)
        writer.writeUnlessEmpty("revocations", self.revocations.times)
        var permissions = ClaimWriter()
        self.defaultPermissions.write(to: &permissions)
        writer.write("default_permissions", permissions.object)
        writer.writeUnlessEmpty("mappings", self.mappings.mapValues { JSONValue.array($0.map(\.object)) })
        writer.write("authorization", self.authorization.object)
        if let trace {
            var object = ClaimWriter()
            object.writeUnlessEmpty("dest", trace.destination)
            object.writeUnlessZero("sampling", trace.sampling)
            writer.write("trace", object.object)
        }
        writer.writeUnlessEmpty("cluster_traffic", self.clusterTraffic)
        self.info.write(to: &writer)
        return ClaimObject(value: writer.object)
    }

    // MARK: Signatures

    /// Whether a user's claims were signed by the account, with its own key or a signing key.
    package func didSign(_ user: UserClaims) -> Bool {
        self.didSign(issuer: user.issuer, issuerAccount: user.issuerAccount)
    }

    /// Whether an activation token was signed by the account, with its own key or a signing key.
    package func didSign(_ activation: ActivationClaims) -> Bool {
        self.didSign(issuer: activation.issuer, issuerAccount: activation.issuerAccount)
    }

    private func didSign(issuer: String, issuerAccount: String) -> Bool {
        issuer == self.subject || issuerAccount == self.subject && self.signingKeys.contains(issuer)
    }

    // MARK: Validation

    package func validate(_ context: ValidationContext, into report: inout ValidationReport) {
        self.registered.validate(context, into: &report)
        for _ in 0..<min(self.nullImports, 1) { report.error("null import is not allowed") }
        ImportClaim.validateOverlaps(self.imports, into: &report)
        for item in self.imports where !report.isFull { item.validate(in: self.subject, into: &report) }
        for _ in 0..<min(self.nullExports, 1) { report.error("null export is not allowed") }
        for item in self.exports where !report.isFull { item.validate(into: &report) }
        ExportClaim.validateOverlaps(self.exports, into: &report)
        self.limits.validate(into: &report)
        self.defaultPermissions.validate(into: &report)
        WeightedMapping.validate(self.mappings, into: &report)
        self.authorization.validate(into: &report)
        self.validateTrace(into: &report)
        self.validateCounts(into: &report)
        self.signingKeys.validate(into: &report)
        self.info.validate(into: &report)
        if !["", "system", "owner"].contains(self.clusterTraffic) {
            report.error("unknown cluster traffic option: \(GoString.quoted(self.clusterTraffic))")
        }
        if NKey.isPublicKey(self.issuer, of: .account), !self.limits.isEmpty {
            report.warning("self-signed account JWTs shouldn't contain operator limits")
        }
    }

    private func validateTrace(into report: inout ValidationReport) {
        guard let trace else { return }
        var destination = ValidationReport()
        ClaimSubject.validate(trace.destination, into: &destination)
        if let issue = destination.issues.first {
            report.error("the account Trace.Destination \(issue.description)")
        }
        if ClaimSubject.hasWildcards(trace.destination) {
            report.error(
                "the account Trace.Destination subject \(GoString.quoted(trace.destination)) is not a valid publish subject"
            )
        }
        if !(0...100).contains(trace.sampling) {
            report.error(
                "the account Trace.Sampling value '\(trace.sampling)' is not valid, should be in the range [1..100]"
            )
        }
    }

    private func validateCounts(into report: inout ValidationReport) {
        let imports = Int64(self.imports.count + self.nullImports)
        let exports = Int64(self.exports.count + self.nullExports)
        let tooMany = "the account contains more imports than allowed by the operator"
        // nats-io/jwt Account.Validate asks twice, the second time also for claims that limit nothing.
        if !self.limits.isEmpty, self.limits.imports >= 0, imports > self.limits.imports { report.error(tooMany) }
        if self.limits.imports != unlimitedClaim, imports > self.limits.imports { report.error(tooMany) }
        guard self.limits.exports != unlimitedClaim else { return }
        if exports > self.limits.exports {
            report.error("the account contains more exports than allowed by the operator")
        }
        guard !self.limits.wildcardExports else { return }
        for export in self.exports where ClaimSubject.hasWildcards(export.subject) {
            report.error("the account contains wildcard exports that are not allowed by the operator")
        }
    }
}
