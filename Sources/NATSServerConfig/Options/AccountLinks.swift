/// Checks that what accounts import is exported, allowed, and forms no cycle.
///
/// The rules of nats-server accounts.go (addStreamExport, addServiceExport, addStreamImport, addServiceImport), in the
/// order in which the official server applies them: exports of streams, of services, imports of streams, of services.
package struct AccountLinks {
    private struct Authorization {
        /// `nil`: everybody.
        var approved: Set<String>?
        var tokenPosition = 0
        /// Importers need an activation token; only claims say so.
        var needsToken = false
    }

    private struct Link {
        var account: String
        /// In the importing account.
        var local: String
        /// In the exporting account.
        var remote: String
    }

    private struct State {
        var streamExports: [String: Authorization] = [:]
        var serviceExports: [String: Authorization] = [:]
        var streamImports: [Link] = []
        var serviceImports: [Link] = []
    }

    private struct Failure: Error {
        let words: String
    }

    private let accounts: [AccountConfiguration]
    private let hasSystemAccount: Bool
    private var states: [String: State] = [:]

    package init(_ accounts: [AccountConfiguration], hasSystemAccount: Bool) {
        self.accounts = accounts
        self.hasSystemAccount = hasSystemAccount
        for account in accounts { self.states[account.name] = State() }
    }

    /// All that is wrong, in the official words.
    package mutating func check() -> [String] {
        var failures: [String] = []
        self.checkExports(.stream, &failures)
        self.checkExports(.service, &failures)
        for kind in [AccountExport.Kind.stream, .service] {
            let name = kind == .stream ? "stream" : "service"
            for account in self.accounts {
                for item in account.imports where item.kind == kind {
                    guard self.states[item.account] != nil else {
                        failures.append("\(GoFormat.quoted(item.account)) account not defined for \(name) import")
                        continue
                    }
                    do throws(Failure) {
                        switch kind {
                        case .stream: try self.add(stream: item, to: account.name)
                        case .service: try self.add(service: item, to: account.name)
                        }
                    } catch {
                        failures.append(
                            "Error adding \(name) import \(GoFormat.quoted(item.subject)): \(error.words)"
                        )
                    }
                }
            }
        }
        return failures
    }

    // MARK: Exports

    private mutating func checkExports(_ kind: AccountExport.Kind, _ failures: inout [String]) {
        let name = kind == .stream ? "stream" : "service"
        for account in self.accounts {
            for export in account.exports where export.kind == kind {
                for other in export.accounts ?? [] where self.states[other] == nil {
                    failures.append("\(GoFormat.quoted(other)) account not defined for \(name) export")
                }
                let subject = GoFormat.quoted(export.subject)
                do throws(Failure) {
                    let authorization = try self.authorization(of: export)
                    switch kind {
                    case .stream:
                        self.states[account.name]?.streamExports[export.subject] = authorization
                    case .service:
                        self.states[account.name]?.serviceExports[export.subject] = authorization
                        if let failure = self.latencyFailure(export, in: account.name) { failures.append(failure) }
                    }
                } catch {
                    failures.append("Error adding \(name) export \(subject): \(error.words)")
                }
            }
        }
    }

    private func authorization(of export: AccountExport) throws(Failure) -> Authorization {
        if export.accountTokenPosition != 0 {
            let tokens = SubjectText.tokens(export.subject)
            let position = export.accountTokenPosition
            guard position > 0, position <= tokens.count, tokens[position - 1] == "*" else {
                throw Failure(words: "sublist: invalid subject")
            }
        }
        let known = export.accounts?.filter { self.states[$0] != nil }
        return Authorization(
            approved: known.flatMap { $0.isEmpty ? nil : Set($0) },
            tokenPosition: export.accountTokenPosition,
            needsToken: export.tokenRequired
        )
    }

    private func latencyFailure(_ export: AccountExport, in account: String) -> String? {
        guard let latency = export.latency else { return nil }
        let start = "Error adding service latency sampling for \(GoFormat.quoted(export.subject))"
        guard self.hasSystemAccount else { return "\(start): system account not setup" }
        let onSubject = "\(start) on subject \(GoFormat.quoted(latency.subject))"
        guard SubjectText.isValidPublish(latency.subject), !self.exportsService(account, latency.subject) else {
            return "\(onSubject): invalid publish subject"
        }
        guard export.responseType == .single else { return "\(onSubject): bad service response type" }
        return nil
    }

    private func exportsService(_ account: String, _ subject: String) -> Bool {
        self.states[account]?.serviceExports.keys.contains { SubjectText.isSubset(subject, of: $0) } ?? false
    }

    // MARK: Claims

    /// An account has come or changed: what it exports counts from now on, and it imports nothing.
    ///
    /// - Returns: the indices of exports that cannot be, and of those whose latency cannot be measured, with the words.
    package mutating func replaceExports(
        of account: AccountConfiguration
    ) -> (refused: [Int: String], unmeasured: [Int: String]) {
        self.states[account.name] = State()
        var refused: [Int: String] = [:]
        var unmeasured: [Int: String] = [:]
        for (index, export) in account.exports.enumerated() {
            do throws(Failure) {
                let authorization = try self.authorization(of: export)
                switch export.kind {
                case .stream:
                    self.states[account.name]?.streamExports[export.subject] = authorization
                case .service:
                    self.states[account.name]?.serviceExports[export.subject] = authorization
                    unmeasured[index] = self.latencyFailure(export, in: account.name)
                }
            } catch {
                refused[index] = error.words
            }
        }
        return (refused, unmeasured)
    }

    /// An account has a further import.
    ///
    /// - Parameters:
    ///   - item: What it is.
    ///   - importer: The account, which is known, as is the exporter.
    ///   - isActivated: Whether the import's token is a good one; only asked where one is needed.
    /// - Returns: why it cannot be, `nil` if it can.
    package mutating func add(_ item: AccountImport, to importer: String, isActivated: () -> Bool) -> String? {
        do throws(Failure) {
            switch item.kind {
            case .stream: try self.add(stream: item, to: importer, isActivated: isActivated)
            case .service: try self.add(service: item, to: importer, isActivated: isActivated)
            }
            return nil
        } catch {
            return error.words
        }
    }

    /// Whether an import that an account has is still allowed.
    package func isAuthorized(_ item: AccountImport, to importer: String, isActivated: () -> Bool) -> Bool {
        let state = self.states[item.account]
        let exports = (item.kind == .stream ? state?.streamExports : state?.serviceExports) ?? [:]
        return self.isApproved(exports, importer, item.subject, isActivated)
    }

    /// An account is no more.
    package mutating func remove(_ account: String) { self.states[account] = nil }

    // MARK: Imports

    private func isApproved(
        _ authorization: Authorization,
        _ importer: String,
        _ tokens: [Substring],
        _ isActivated: () -> Bool
    ) -> Bool {
        let position = authorization.tokenPosition
        if position > 0 {
            return position <= tokens.count && tokens[position - 1] == importer
        }
        if authorization.needsToken { return isActivated() }
        return authorization.approved?.contains(importer) ?? true
    }

    /// Whether an account may import a subject: by an export of just that subject, or of one that covers it.
    private func isApproved(
        _ exports: [String: Authorization],
        _ importer: String,
        _ subject: String,
        _ isActivated: () -> Bool
    ) -> Bool {
        if let exact = exports[subject] { return self.isApproved(exact, importer, [], isActivated) }
        // Of several that cover it the official server takes any; the same one each time is better.
        let covering = exports.keys.filter { SubjectText.isSubset(subject, of: $0) }.min()
        guard let authorization = covering.flatMap({ exports[$0] }) else { return false }
        return self.isApproved(authorization, importer, SubjectText.tokens(subject), isActivated)
    }

    private mutating func add(
        stream item: AccountImport,
        to importer: String,
        isActivated: () -> Bool = { false }
    ) throws(Failure) {
        let from = item.subject
        let exports = self.states[item.account]?.streamExports ?? [:]
        guard SubjectText.isValid(from), self.isApproved(exports, importer, from, isActivated) else {
            throw Failure(words: "stream import not authorized")
        }
        var to = item.to ?? from
        if let prefix = item.prefix {
            guard !SubjectText.hasWildcard(prefix) else {
                throw Failure(words: "stream import prefix can not contain wildcard tokens")
            }
            to = (prefix.hasSuffix(".") ? prefix : "\(prefix).") + from
        }
        try self.checkStreamCycle(item.account, to, visited: [importer])
        try self.checkStreamCycle(item.account, from, visited: [importer])
        if SubjectText.hasWildcard(from), to != from {
            if let failure = TransformRules.failure(from, TransformRules.tokenized(to), isStrict: true) {
                throw Failure(
                    words: "failed to create mapping transform for stream import subject from "
                        + "\(GoFormat.quoted(from)) to \(GoFormat.quoted(to)): \(failure)"
                )
            }
            to = TransformRules.untokenized(to)
        }
        let links = self.states[importer]?.streamImports ?? []
        guard !links.contains(where: { $0.account == item.account && $0.remote == from }) else {
            throw Failure(words: "stream import already exists")
        }
        self.states[importer]?.streamImports.append(Link(account: item.account, local: to, remote: from))
    }

    private mutating func add(
        service item: AccountImport,
        to importer: String,
        isActivated: () -> Bool = { false }
    ) throws(Failure) {
        let remote = item.subject
        let local = item.to ?? remote
        guard SubjectText.isValid(local), SubjectText.isValid(remote) else {
            throw Failure(words: "sublist: invalid subject")
        }
        let exports = self.states[item.account]?.serviceExports ?? [:]
        guard self.isApproved(exports, importer, remote, isActivated) else {
            throw Failure(words: "service import not authorized")
        }
        let hasWildcard = SubjectText.hasWildcard(remote)
        let searched = hasWildcard ? TransformRules.untokenized(local) : local
        try self.checkServiceCycle(item.account, searched, visited: [importer])
        let links = self.states[importer]?.serviceImports ?? []
        if let other = links.first(where: { $0.account == item.account && $0.local == local }) {
            throw Failure(
                words: "duplicate service import subject \(GoFormat.quoted(local)), previously used in import for "
                    + "account \(GoFormat.quoted(other.account)), subject \(GoFormat.quoted(other.remote))"
            )
        }
        var link = Link(account: item.account, local: local, remote: remote)
        if hasWildcard, remote != local {
            link.remote = TransformRules.untokenized(remote)
            if let failure = TransformRules.failure(link.remote, TransformRules.tokenized(local), isStrict: true) {
                throw Failure(
                    words: "failed to create mapping transform for service import subject from "
                        + "\(GoFormat.quoted(local)) to \(GoFormat.quoted(link.remote)): \(failure)"
                )
            }
            link.local = TransformRules.untokenized(local)
        }
        self.states[importer]?.serviceImports.append(link)
    }

    // MARK: Cycles

    private static let searchLimit = 1024

    private func checkStreamCycle(_ account: String, _ subject: String, visited: Set<String>) throws(Failure) {
        var visited = visited
        try self.searchStreams(account, subject, &visited)
    }

    private func searchStreams(_ account: String, _ subject: String, _ visited: inout Set<String>) throws(Failure) {
        guard visited.count < Self.searchLimit else { throw Failure(words: "search cycle depth exhausted") }
        guard let state = self.states[account],
            state.streamExports.keys.contains(where: { SubjectText.isSubset(subject, of: $0) })
        else {
            return
        }
        for link in state.streamImports where SubjectText.collide(subject, link.local) {
            guard !visited.contains(link.account) else { throw Failure(words: "import forms a cycle") }
            visited.insert(account)
            let next = SubjectText.isSubset(link.local, of: subject) ? link.local : subject
            try self.searchStreams(link.account, next, &visited)
        }
    }

    private func checkServiceCycle(_ account: String, _ subject: String, visited: Set<String>) throws(Failure) {
        var visited = visited
        try self.searchServices(account, subject, &visited)
    }

    private func searchServices(_ account: String, _ subject: String, _ visited: inout Set<String>) throws(Failure) {
        guard visited.count < Self.searchLimit else { throw Failure(words: "search cycle depth exhausted") }
        for link in self.states[account]?.serviceImports ?? []
        where SubjectText.collide(subject, link.remote) {
            guard !visited.contains(link.account) else { throw Failure(words: "import forms a cycle") }
            visited.insert(account)
            let next = SubjectText.isSubset(link.local, of: subject) ? link.local : subject
            try self.searchServices(link.account, next, &visited)
        }
    }
}
