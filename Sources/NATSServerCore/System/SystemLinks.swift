internal import NATSWire

/// What the system account and the others share without a word in the configuration.
///
/// Every account may ask for its own connections, its own figures, and who its users are; nobody else reaches the
/// system account (nats-server events.go addSystemAccountExports and registerSystemImports).
enum SystemLinks {
    /// Adds the system account, `$G`, and what accounts have of the system account.
    ///
    /// - Parameters:
    ///   - options: The accounts as they are configured.
    ///   - system: The name of the system account.
    /// - Returns: all accounts, in the same order.
    static func complete(_ options: [AccountOptions], system: String?) -> [AccountOptions] {
        guard let system else { return options }
        var accounts = options
        for name in [Account.globalName, system] where !accounts.contains(where: { $0.name == name }) {
            accounts.append(AccountOptions(name: name))
        }
        return accounts.map { $0.name == system ? self.exporting($0) : self.importing($0, from: system) }
    }

    /// The same for one account.
    static func complete(_ options: AccountOptions, system: String?) -> AccountOptions {
        guard let system else { return options }
        return options.name == system ? self.exporting(options) : self.importing(options, from: system)
    }

    private static func exporting(_ options: AccountOptions) -> AccountOptions {
        var account = options
        func covers(_ subject: String) -> Bool {
            options.exports.contains { $0.kind == .service && SubjectGrammar.isSubset(subject, of: $0.subject) }
        }
        for page in ["CONNZ", "STATZ"] {
            let subject = SystemSubjects.account("*", page)
            guard !covers(subject) else { continue }
            var export = ExportOptions(.service, subject)
            export.responseType = .stream
            export.accountTokenPosition = 4
            account.exports.append(export)
        }
        if !covers(SystemSubjects.subscribers) { account.exports.append(.init(.service, SystemSubjects.subscribers)) }
        let users = SystemSubjects.userInfo(of: "*")
        if !covers(users) {
            account.exports.append(ExportOptions(.service, users))
            account.imports.append(self.userInfo(of: options.name, from: options.name))
        }
        return account
    }

    /// An account with the services of the system account.
    ///
    /// - Parameters:
    ///   - options: The account, not the system account.
    ///   - system: The name of the system account.
    /// - Returns: the account with its imports.
    static func importing(_ options: AccountOptions, from system: String) -> AccountOptions {
        var account = options
        func add(_ item: ImportOptions) {
            let isThere = account.imports.contains { other in
                other.kind == .service && other.account == system && other.localSubject == item.localSubject
            }
            if !isThere { account.imports.append(item) }
        }
        func page(_ remote: String, as local: String) {
            var item = ImportOptions(.service, account: system, subject: remote)
            item.to = local
            add(item)
        }
        let connections = SystemSubjects.account(options.name, "CONNZ")
        page(connections, as: SystemSubjects.account("PING", "CONNZ"))
        page(connections, as: SystemSubjects.server("PING", "CONNZ"))
        page(SystemSubjects.account(options.name, "STATZ"), as: SystemSubjects.account("PING", "STATZ"))
        add(self.userInfo(of: options.name, from: system))
        return account
    }

    private static func userInfo(of account: String, from system: String) -> ImportOptions {
        var item = ImportOptions(.service, account: system, subject: SystemSubjects.userInfo(of: account))
        item.to = SystemSubjects.ownUserInfo
        item.share = true
        return item
    }
}
