import NIOConcurrencyHelpers

/// The accounts of a server, by name.
final class AccountRegistry: Sendable {
    /// Always there.
    let global: Account
    /// The name of the account that looks at the server, fixed at the start; `nil` if there is none.
    let systemName: String?
    private let hash: SubjectHash
    private let accounts: NIOLockedValueBox<[String: Account]>
    private let observer = NIOLockedValueBox<(@Sendable () -> Void)?>(nil)

    init(_ options: [AccountOptions], system: String? = nil, hash: SubjectHash) {
        self.hash = hash
        self.systemName = system
        self.global = Account(
            AccountOptions(name: Account.globalName),
            isSystem: system == Account.globalName,
            hash: hash
        )
        self.accounts = NIOLockedValueBox([Account.globalName: self.global])
        self.update(options)
    }

    /// In the order of their names.
    var all: [Account] { self.byName.values.sorted { $0.name < $1.name } }

    var byName: [String: Account] { self.accounts.withLockedValue { $0 } }

    /// The account that looks at the server; the same one as long as the server runs.
    var system: Account? { self.systemName.flatMap { self[$0] } }

    subscript(name: String) -> Account? { self.accounts.withLockedValue { $0[name] } }

    /// Makes accounts what their claims say, and lets all others be.
    ///
    /// - Parameters:
    ///   - options: Accounts that have come or changed, and those that import from them.
    ///   - updated: Those whose own claims are other ones.
    /// - Returns: all accounts.
    func merge(_ options: [AccountOptions], updated: Set<String>) -> [String: Account] {
        let options = options.map { SystemLinks.complete($0, system: self.systemName) }
        var hasNew = false
        defer { if hasNew { self.tellObserver() } }
        return self.accounts.withLockedValue { accounts in
            for option in options {
                if let known = accounts[option.name] {
                    known.update(option, isNew: updated.contains(option.name))
                } else {
                    accounts[option.name] = Account(option, hash: self.hash)
                    hasNew = true
                }
            }
            for option in options { accounts[option.name]?.linkExports() }
            for option in options { accounts[option.name]?.linkImports(accounts) }
            return accounts
        }
    }

    /// Takes an account away whose connections are closed, or will be.
    func remove(_ name: String) {
        guard name != Account.globalName else { return }
        guard let removed = self.accounts.withLockedValue({ $0.removeValue(forKey: name) }) else { return }
        removed.unlink()
        self.tellObserver()
    }

    /// Calls a closure from now on whenever accounts have come or gone, on whatever thread; `nil` ends that.
    func observe(_ observer: (@Sendable () -> Void)?) { self.observer.withLockedValue { $0 = observer } }

    private func tellObserver() { self.observer.withLockedValue { $0 }?() }

    /// The server ends: accounts that refer to each other let go.
    func end() {
        self.observe(nil)
        for account in self.byName.values { account.unlink() }
    }

    /// Makes the accounts those of a configuration; what keeps its name keeps its subscriptions and connections.
    func update(_ options: [AccountOptions]) {
        let options = SystemLinks.complete(options, system: self.systemName)
        let hasChanged = self.accounts.withLockedValue { accounts in
            var updated = [Account.globalName: self.global]
            for option in options {
                if let known = accounts[option.name] {
                    known.update(option)
                    updated[option.name] = known
                } else {
                    updated[option.name] = Account(
                        option,
                        isSystem: option.name == self.systemName,
                        hash: self.hash
                    )
                }
            }
            if !options.contains(where: { $0.name == Account.globalName }) {
                self.global.update(AccountOptions(name: Account.globalName))
            }
            for account in updated.values { account.linkExports() }
            for account in updated.values { account.linkImports(updated) }
            for (name, account) in accounts where updated[name] == nil { account.unlink() }
            defer { accounts = updated }
            return accounts.count != updated.count || updated.contains { accounts[$0.key] == nil }
        }
        if hasChanged { self.tellObserver() }
    }
}
