package import NATSServerConfig

extension AuthorizationOptions {
    /// What a configuration says about who may connect.
    package init(_ configuration: ServerConfiguration) {
        self.init()
        self.timeout = configuration.effectiveAuthTimeout
        self.noAuthUser = configuration.noAuthUser
        guard let block = configuration.authorization else { return }
        self.username = block.user
        self.password = block.password
        self.token = block.token
        self.proxyRequired = block.proxyRequired
        self.defaultPermissions = block.defaultPermissions.map(PermissionOptions.init)
        guard let users = block.users else { return }
        var named: [User] = []
        var nkeys: [NKeyUser] = []
        for user in users {
            let permissions = user.permissions.map(PermissionOptions.init)
            let types = Set((user.allowedConnectionTypes ?? []).compactMap { ConnectionType(rawValue: $0) })
            switch user.identity {
            case .password(let name, let password):
                var entry = User(name: name, password: password, permissions: permissions)
                entry.allowedConnectionTypes = types
                entry.proxyRequired = user.proxyRequired
                named.append(entry)
            case .nkey(let nkey):
                var entry = NKeyUser(nkey: nkey, permissions: permissions, allowedConnectionTypes: types)
                entry.proxyRequired = user.proxyRequired
                nkeys.append(entry)
            }
        }
        self.users = named
        if !nkeys.isEmpty { self.nkeys = nkeys }
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
