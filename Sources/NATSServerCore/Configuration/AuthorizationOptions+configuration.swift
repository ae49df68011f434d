import NATSAuth
package import NATSServerConfig

extension AuthorizationOptions {
    /// What a configuration says about who may connect, and to which account.
    package init(_ configuration: ServerConfiguration) {
        self.init()
        self.timeout = configuration.effectiveAuthTimeout
        self.noAuthUser = configuration.noAuthUser
        self.accounts = configuration.accounts.map(AccountOptions.init)
        if !configuration.mappings.isEmpty {
            var global = AccountOptions(name: Account.globalName)
            global.mappings = configuration.mappings.map(MappingOptions.init)
            self.accounts.append(global)
        }
        if let block = configuration.authorization {
            self.username = block.user
            self.password = block.password
            self.token = block.token
            self.proxyRequired = block.proxyRequired
            self.callout = block.authCallout.map(CalloutOptions.init)
            self.defaultPermissions = block.defaultPermissions.map(PermissionOptions.init)
            if let users = block.users {
                self.users = []
                self.add(users, account: nil)
            }
        }
        // The permissions that an account has for its users are with these already.
        for account in configuration.accounts { self.add(account.users, account: account.name) }
        self.setSystemAccount(configuration)
    }

    /// Finds the account that looks at the server: the one called `$SYS` if no other is named.
    ///
    /// If there is nobody but its users, clients without credentials belong to `$G` (nats-server server.go
    /// configureAccounts).
    private mutating func setSystemAccount(_ configuration: ServerConfiguration) {
        let isDefined = configuration.accounts.contains { $0.name == Account.systemName }
        let named = configuration.systemAccount ?? (isDefined ? Account.systemName : nil)
        self.systemAccount = named ?? (configuration.noSystemAccount ? nil : Account.systemName)
        guard let named, named != Account.globalName, configuration.operators.isEmpty,
            configuration.accounts.allSatisfy({ $0.name == named }), configuration.noAuthUser == nil,
            configuration.authorization == nil
        else {
            return
        }
        let user = User(name: Self.impliedName, password: String(Self.impliedName.dropFirst(6)))
        self.users = (self.users ?? []) + [user]
        self.noAuthUser = user.name
        self.impliedUser = user.name
    }

    /// The same over reloads, so that clients stay.
    private static let impliedName: String = {
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        return "nats-" + String((0..<8).compactMap { _ in digits.randomElement(using: &generator) })
    }()

    private mutating func add(_ users: [UserConfiguration], account: String?) {
        var named: [User] = []
        var nkeys: [NKeyUser] = []
        for user in users {
            let permissions = user.permissions.map(PermissionOptions.init)
            let types = Set((user.allowedConnectionTypes ?? []).compactMap { ConnectionType(rawValue: $0) })
            switch user.identity {
            case .password(let name, let password):
                var entry = User(name: name, password: password, permissions: permissions)
                entry.allowedConnectionTypes = types
                entry.account = account
                entry.proxyRequired = user.proxyRequired
                named.append(entry)
            case .nkey(let nkey):
                var entry = NKeyUser(nkey: nkey, permissions: permissions, allowedConnectionTypes: types)
                entry.account = account
                entry.proxyRequired = user.proxyRequired
                nkeys.append(entry)
            }
        }
        if !named.isEmpty { self.users = (self.users.take() ?? []) + named }
        if !nkeys.isEmpty { self.nkeys = (self.nkeys.take() ?? []) + nkeys }
    }
}

extension AccountOptions {
    /// The same from a configuration.
    init(_ configuration: AccountConfiguration) {
        self.init(name: configuration.name)
        self.limits.maxConnections = configuration.limits.maxConnections
        self.limits.maxSubscriptions = configuration.limits.maxSubscriptions
        self.limits.maxPayload = configuration.limits.maxPayload
        self.limits.maxLeafNodes = configuration.limits.maxLeafnodes
        self.mappings = configuration.mappings.map(MappingOptions.init)
        self.exports = configuration.exports.map(ExportOptions.init)
        self.imports = configuration.imports.map(ImportOptions.init)
    }
}

extension ExportOptions {
    init(_ configuration: AccountExport) {
        self.init(configuration.kind == .stream ? .stream : .service, configuration.subject)
        self.accounts = configuration.accounts
        self.accountTokenPosition = configuration.accountTokenPosition
        switch configuration.responseType {
        case .single: self.responseType = .single
        case .stream: self.responseType = .stream
        case .chunked: self.responseType = .chunked
        }
        if let threshold = configuration.responseThreshold { self.responseThreshold = threshold }
        self.latency = configuration.latency.map { Latency(subject: $0.subject, sampling: $0.sampling) }
    }
}

extension ImportOptions {
    init(_ configuration: AccountImport) {
        self.init(
            configuration.kind == .stream ? .stream : .service,
            account: configuration.account,
            subject: configuration.subject
        )
        self.to = configuration.to
        self.prefix = configuration.prefix
        self.share = configuration.share
    }
}

extension AccountOptions {
    /// What of it the rules for exports and imports look at.
    var configuration: AccountConfiguration {
        var configuration = AccountConfiguration(name: self.name)
        configuration.exports = self.exports.map { item in
            var export = AccountExport(kind: item.kind == .stream ? .stream : .service, subject: item.subject)
            export.accounts = item.accounts
            export.accountTokenPosition = item.accountTokenPosition
            export.tokenRequired = item.tokenRequired
            return export
        }
        configuration.imports = self.imports.map(\.configuration)
        return configuration
    }
}

extension ImportOptions {
    /// What of it the rules for exports and imports look at.
    var configuration: AccountImport {
        var own = AccountImport(
            kind: self.kind == .stream ? .stream : .service,
            account: self.account,
            subject: self.subject
        )
        own.to = self.to
        own.prefix = self.prefix
        return own
    }
}

extension PermissionOptions {
    /// The same from a configuration.
    init(_ configuration: PermissionsConfiguration) {
        self.init(
            publish: configuration.publish.map { Subjects(allow: $0.allow, deny: $0.deny) },
            subscribe: configuration.subscribe.map { Subjects(allow: $0.allow, deny: $0.deny) },
            responses: configuration.allowResponses.map { Responses(maxMessages: $0.maxMessages, expires: $0.expires) }
        )
    }
}
