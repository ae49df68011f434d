import NIOConcurrencyHelpers
import Logging
import NATSAuth
internal import NATSServerConfig
import NATSText
internal import NATSWire
import NIOCore

/// What has become of an account, for the connections that belong to it.
struct AccountChange: Sendable {
    let account: Account
    let authority: AccountAuthority
    /// Signing keys whose scopes are other ones than before.
    var alteredSigners: Set<String> = []
    var signersChanged = false
    /// The permissions of users without any are other ones than before.
    var defaultPermissionsChanged = false
}

/// Taking over claims: from here on they are what the server goes by.
extension OperatorMode {
    /// Takes over the claims of accounts.
    ///
    /// - Parameters:
    ///   - found: The claims, exporters before importers.
    ///   - failures: Why accounts that they import from are not there.
    func install(_ found: [Found], failures: [String: String]) {
        self.state.withLockedValue { state in
            guard !state.isEnded else { return }
            let changes = self.install(found, failures: failures, into: &state)
            self.scheduleSweep(&state)
            // Under the lock, so that connections hear of changes in their order.
            for change in changes { self.announce(change, state.loops) }
            if !changes.isEmpty { self.announceImports(state.loops) }
        }
    }

    private func install(_ found: [Found], failures: [String: String], into state: inout State) -> [AccountChange] {
        let now = NIODeadline.now()
        var before: [String: AccountAuthority] = [:]
        var changed: Set<String> = []
        for item in found {
            let name = item.claims.subject
            if let known = state.entries[name] {
                // Two looks for the same account can come here one after the other.
                if known.authority.jwt == item.jwt, !known.isIncomplete { continue }
                before[name] = known.authority
            }
            changed.insert(name)
            self.setExports(item, &state, now)
        }
        for item in found where changed.contains(item.claims.subject) {
            self.setImports(of: item.claims.subject, failures, &state)
        }
        let affected = self.recheckImporters(of: changed, failures, &state)
        let names = changed.union(affected)
        let accounts = self.registry.merge(
            names.compactMap { state.entries[$0]?.options },
            updated: changed
        )
        for name in names {
            guard let account = accounts[name] else { continue }
            state.entries[name]?.account = account
            guard let entry = state.entries[name] else { continue }
            account.setStanding(
                AccountStanding(
                    authority: entry.authority,
                    isExpired: entry.isExpired,
                    isIncomplete: entry.isIncomplete
                )
            )
        }
        return found.compactMap { item in
            let name = item.claims.subject
            guard changed.contains(name), let entry = state.entries[name] else { return nil }
            var change = AccountChange(account: entry.account, authority: entry.authority)
            if let old = before[name] {
                (change.alteredSigners, change.signersChanged) = entry.authority.changedSigners(since: old)
                change.defaultPermissionsChanged = old.claims.defaultPermissions != item.claims.defaultPermissions
            }
            return change
        }
    }

    // MARK: Exports

    private func setExports(_ item: Found, _ state: inout State, _ now: NIODeadline) {
        let claims = item.claims
        let name = claims.subject
        let authority = AccountAuthority(jwt: item.jwt, claims: claims, isStrict: self.isStrict(claims.issuer))
        self.logger.debug("Updating account claims: \(name)/\(claims.name)")
        var options = AccountOptions(claims)
        var configuration = AccountConfiguration(name: name)
        configuration.exports = options.exports.map(\.claimedConfiguration)
        for export in options.exports {
            let kind = export.kind == .stream ? "stream" : "service"
            self.logger.debug("Adding \(kind) export \(Self.quoted(export.subject)) for \(authority.label)")
        }
        let (refused, unmeasured) = state.links.replaceExports(of: configuration)
        for (index, words) in refused.sorted(by: { $0.key < $1.key }) where options.exports.indices.contains(index) {
            let kind = options.exports[index].kind == .stream ? "stream" : "service"
            self.logger.debug("Error adding \(kind) export to account [\(authority.label)]: \(words)")
        }
        for (index, words) in unmeasured where options.exports.indices.contains(index) {
            let note = options.exports[index].latency?.sampling == 0 ? " (using headers)" : ""
            self.logger.debug(
                "Error adding latency tracking\(note) for service export to account [\(authority.label)]: \(words)"
            )
            options.exports[index].latency = nil
        }
        options.exports = options.exports.enumerated().filter { refused[$0.offset] == nil }.map(\.element)
        let expiry = Self.deadline(claims.registered.expires, now)
        var entry =
            state.entries[name]
            ?? Entry(account: self.registry.global, authority: authority, options: options, updated: now)
        for claim in entry.authority.claims.imports { state.importers[claim.account]?.remove(name) }
        entry.authority = authority
        entry.options = options
        entry.imports = []
        entry.tokens = item.tokens
        entry.updated = now
        entry.expiry = expiry
        entry.isExpired = expiry.map { $0 <= now } ?? false
        state.entries[name] = entry
    }

    /// When a JWT expires, by whole seconds as the official server does it; `nil` for never.
    static func deadline(_ expires: Int64, _ now: NIODeadline) -> NIODeadline? {
        guard expires != 0 else { return nil }
        let seconds = WallClock.nanosecondsSince1970() / 1_000_000_000
        guard expires > seconds else { return now }
        // A century is as good as for ever.
        return now + .seconds(min(expires - seconds, 3_000_000_000))
    }

    // MARK: Imports

    /// Lets an account import what its claims say, as far as that is there and allowed.
    private func setImports(of name: String, _ failures: [String: String], _ state: inout State) {
        guard var entry = state.entries[name] else { return }
        let claims = entry.authority.claims
        let label = entry.authority.label
        entry.imports = []
        entry.options.imports = []
        entry.isIncomplete = false
        entry.activationExpiry = nil
        for (claim, token) in zip(claims.imports, entry.tokens) {
            state.importers[claim.account, default: []].insert(name)
            guard let options = ImportOptions(claim) else { continue }
            let kind = options.kind == .stream ? "stream" : "service"
            guard let exporter = state.entries[claim.account], failures[claim.account] == nil else {
                let cause = failures[claim.account] ?? "account missing"
                self.logger.error(
                    "Can't locate account [\(claim.account)] for import of [\(claim.subject)] \(kind) (err=\(cause))"
                )
                entry.isIncomplete = true
                continue
            }
            self.logAdding(options, from: exporter.authority.label, to: label)
            let (isActivated, expiry) = self.activation(token, options, exporter)
            if let words = state.links.add(options.configuration, to: name, isActivated: { isActivated }) {
                self.logger.debug("Error adding \(kind) import to account [\(label)]: \(words)")
                entry.isIncomplete = true
                continue
            }
            entry.imports.append((claim, token))
            entry.options.imports.append(options)
            entry.activationExpiry = Self.earlier(entry.activationExpiry, expiry)
        }
        state.entries[name] = entry
    }

    private func logAdding(_ options: ImportOptions, from exporter: String, to importer: String) {
        switch options.kind {
        case .stream:
            let to = Self.quoted(options.to ?? options.prefix ?? "")
            self.logger.debug("Adding stream import \(exporter):\(Self.quoted(options.subject)) for \(importer):\(to)")
        case .service:
            let from = Self.quoted(options.localSubject)
            let to = options.to == nil || options.localSubject == options.subject ? "" : options.subject
            self.logger.debug("Adding service import \(exporter):\(from) for \(importer):\(Self.quoted(to))")
        }
    }

    /// Whether an import's token is a good one now, and until when.
    private func activation(
        _ token: ActivationToken,
        _ options: ImportOptions,
        _ exporter: Entry
    ) -> (isGood: Bool, expiry: NIODeadline?) {
        let export =
            exporter.options.exports.first { $0.kind == options.kind && $0.subject.isIdentical(to: options.subject) }
            ?? exporter.options.exports.first { export in
                export.kind == options.kind && SubjectGrammar.isSubset(options.subject, of: export.subject)
            }
        let check = ActivationCheck(exporter: exporter.authority.claims, isStrict: exporter.authority.isStrict)
        let seconds = WallClock.nanosecondsSince1970() / 1_000_000_000
        let revocations = RevocationList(export?.revocations ?? [:])
        let verdict = check.decide(token, revocations: revocations, at: seconds)
        switch verdict {
        case .refused: return (false, nil)
        case .permitted: return (true, nil)
        case .permittedUntil(let expires): return (true, Self.deadline(expires, .now()))
        }
    }

    /// Accounts have changed: looks again at what others import from them.
    ///
    /// - Returns: the accounts of which something is different now.
    private func recheckImporters(
        of changed: Set<String>,
        _ failures: [String: String],
        _ state: inout State
    ) -> Set<String> {
        var affected: Set<String> = []
        for name in changed {
            for importer in state.importers[name] ?? [] where !changed.contains(importer) {
                guard let entry = state.entries[importer] else { continue }
                if entry.isIncomplete {
                    self.setImports(of: importer, failures, &state)
                } else {
                    self.recheckImports(of: importer, &state)
                }
                affected.insert(importer)
            }
        }
        return affected
    }

    /// Looks whether what an account imports is still allowed.
    ///
    /// - Returns: whether anything is different now.
    @discardableResult
    func recheckImports(of name: String, _ state: inout State) -> Bool {
        guard var entry = state.entries[name] else { return false }
        entry.activationExpiry = nil
        for (index, (claim, token)) in entry.imports.enumerated() where entry.options.imports.indices.contains(index) {
            guard let exporter = state.entries[claim.account] else { continue }
            let options = entry.options.imports[index]
            let (isActivated, expiry) = self.activation(token, options, exporter)
            let isAuthorized = state.links.isAuthorized(
                options.configuration,
                to: name,
                isActivated: { isActivated }
            )
            entry.options.imports[index].isInvalid = !isAuthorized
            entry.activationExpiry = Self.earlier(entry.activationExpiry, expiry)
        }
        let hasChanged = entry.options.imports != state.entries[name]?.options.imports
        state.entries[name] = entry
        return hasChanged
    }

    static func earlier(_ left: NIODeadline?, _ right: NIODeadline?) -> NIODeadline? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }

    private static func quoted(_ text: String) -> String { GoString.quoted(Array(text.utf8)) }
}
