import NATSAuth
internal import NATSServerConfig

extension AccountOptions {
    /// What an account's claims say, but for its imports.
    init(_ claims: AccountClaims) {
        self.init(name: claims.subject)
        func limit(_ value: Int64) -> Int { Int(max(Int64(Int32.min), min(Int64(Int32.max), value))) }
        self.limits.maxConnections = limit(claims.limits.connections)
        self.limits.maxSubscriptions = limit(claims.limits.traffic.subscriptions)
        self.limits.maxPayload = limit(claims.limits.traffic.payload)
        self.limits.maxLeafNodes = limit(claims.limits.leafNodeConnections)
        self.mappings = claims.mappings.sorted { $0.key < $1.key }.compactMap { source, destinations in
            let usable = destinations.filter { TransformRules.mappingFailure(source, $0.subject) == nil }
            // nats-server accounts.go AddWeightedMappings: with one that cannot be none is.
            guard usable.count == destinations.count else { return nil }
            return MappingOptions(
                source: source,
                destinations: destinations.map {
                    MappingOptions.Destination(
                        subject: $0.subject,
                        weight: $0.percent,
                        cluster: $0.cluster.isEmpty ? nil : $0.cluster
                    )
                }
            )
        }
        self.exports = claims.exports.compactMap(ExportOptions.init)
    }
}

extension ExportOptions {
    /// The same from claims; `nil` without a kind.
    init?(_ claim: ExportClaim) {
        switch claim.type {
        case .stream: self.init(.stream, claim.subject)
        case .service: self.init(.service, claim.subject)
        case nil: return nil
        }
        self.tokenRequired = claim.tokenRequired
        self.revocations = claim.revocations.times
        self.accountTokenPosition = Int(min(claim.accountTokenPosition, UInt64(Int32.max)))
        guard self.kind == .service else { return }
        switch claim.response {
        case .stream: self.responseType = .stream
        case .chunked: self.responseType = .chunked
        case .singleton, nil: self.responseType = .single
        }
        if claim.responseThreshold > 0 { self.responseThreshold = .nanoseconds(claim.responseThreshold) }
        self.latency = claim.latency.map { Latency(subject: $0.results, sampling: $0.sampling) }
    }

    /// What of it the rules for exports look at.
    var claimedConfiguration: AccountExport {
        var export = AccountExport(kind: self.kind == .stream ? .stream : .service, subject: self.subject)
        export.accountTokenPosition = self.accountTokenPosition
        export.tokenRequired = self.tokenRequired
        export.latency = self.latency.map { latency in
            var own = AccountExport.Latency()
            own.sampling = latency.sampling
            own.subject = latency.subject
            return own
        }
        switch self.responseType {
        case .single: export.responseType = .single
        case .stream: export.responseType = .stream
        case .chunked: export.responseType = .chunked
        }
        return export
    }
}

extension ImportOptions {
    /// The same from claims; `nil` without a kind.
    init?(_ claim: ImportClaim) {
        switch claim.type {
        case .stream:
            self.init(.stream, account: claim.account, subject: claim.subject)
            if claim.localSubject.isEmpty {
                self.prefix = claim.to.isEmpty ? nil : claim.to
            } else {
                self.to = claim.localSubject
            }
        case .service where !claim.localSubject.isEmpty:
            self.init(.service, account: claim.account, subject: claim.subject)
            self.to = claim.localSubject
            self.share = claim.share
        case .service:
            // The old form, where the subject is the importer's (nats-server accounts.go UpdateAccountClaims).
            self.init(.service, account: claim.account, subject: claim.to.isEmpty ? claim.subject : claim.to)
            self.to = claim.subject
            self.share = claim.share
        case nil:
            return nil
        }
    }
}
