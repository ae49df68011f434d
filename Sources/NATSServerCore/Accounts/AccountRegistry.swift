import NIOConcurrencyHelpers

/// The accounts of a server, by name.
final class AccountRegistry: Sendable {
    /// Always there.
    let global: Account
    private let hash: SubjectHash
    private let accounts: NIOLockedValueBox<[String: Account]>

    init(_ options: [AccountOptions], hash: SubjectHash) {
        self.hash = hash
        self.global = Account(AccountOptions(name: Account.globalName), hash: hash)
        self.accounts = NIOLockedValueBox([Account.globalName: self.global])
        self.update(options)
    }

    /// In the order of their names.
    var all: [Account] { self.byName.values.sorted { $0.name < $1.name } }

    var byName: [String: Account] { self.accounts.withLockedValue { $0 } }

    subscript(name: String) -> Account? { self.accounts.withLockedValue { $0[name] } }

    /// The server ends: accounts that refer to each other let go.
    func end() { for account in self.byName.values { account.unlink() } }

    /// Makes the accounts those of a configuration; what keeps its name keeps its subscriptions and connections.
    func update(_ options: [AccountOptions]) {
        self.accounts.withLockedValue { accounts in
            var updated = [Account.globalName: self.global]
            for option in options {
                if let known = accounts[option.name] {
                    known.update(option)
                    updated[option.name] = known
                } else {
                    updated[option.name] = Account(option, hash: self.hash)
                }
            }
            if !options.contains(where: { $0.name == Account.globalName }) {
                self.global.update(AccountOptions(name: Account.globalName))
            }
            for account in updated.values { account.linkExports() }
            for account in updated.values { account.linkImports(updated) }
            for (name, account) in accounts where updated[name] == nil { account.unlink() }
            accounts = updated
        }
    }
}
