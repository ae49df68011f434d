extension ServerConfiguration {
    /// The `authorization` block at file level.
    mutating func readAuthorization(_ node: ConfigurationNode, _ reader: OptionReader, _ names: inout UserNames) {
        guard let authorization = reader.authorization(node, path: "authorization") else { return }
        self.authorization = authorization
        let isSingle = authorization.user != nil || authorization.password != nil
        if isSingle, authorization.token != nil {
            reader.error("Cannot have a user/pass and token", at: node)
            return
        }
        if authorization.users != nil || !names.isEmpty {
            if authorization.user != nil {
                reader.error("Can not have a single user/pass and a users array", at: node)
                return
            }
            if authorization.token != nil {
                reader.error("Can not have a token and a users array", at: node)
                return
            }
        }
        for user in authorization.users ?? [] {
            if let failure = names.add(user.identity) {
                reader.error(failure, at: node)
                return
            }
        }
    }
}

extension OptionReader {
    /// An `authorization` block; `path` is its place in ``given``.
    func authorization(_ node: ConfigurationNode, path: String) -> AuthorizationConfiguration? {
        guard let entries = self.entries(node) else { return nil }
        var block = AuthorizationConfiguration()
        for entry in entries {
            let node = entry.node
            switch entry.name {
            case "user", "username":
                block.user = self.string(node).flatMap { $0.isEmpty ? nil : $0 }
            case "pass", "password":
                block.password = self.string(node).flatMap { $0.isEmpty ? nil : $0 }
            case "token":
                block.token = self.string(node).flatMap { $0.isEmpty ? nil : $0 }
            case "timeout":
                block.timeout = self.authorizationTimeout(entry, "error parsing authorization config")
                    .flatMap { $0 == .zero ? nil : $0 }
            case "users":
                block.users = self.users(node, place: node)
            case "default_permission", "default_permissions", "permissions":
                block.defaultPermissions = self.permissions(node, place: node)
            case "auth_callout", "auth_hook":
                block.authCallout = self.authCallout(node)
            case "proxy_required":
                block.proxyRequired = self.bool(node) ?? false
            default:
                self.unknown(entry)
                continue
            }
            self.record(path, entry.name, node)
        }
        block.users = block.users?.withDefault(block.defaultPermissions)
        return block
    }

    /// A `users` array; `place` is where it is reported that this is none, `nil` where the official server names none.
    func users(_ node: ConfigurationNode, place: ConfigurationNode?) -> [UserConfiguration]? {
        guard let elements = node.array else {
            self.error("Expected users field to be an array, got \(GoFormat.value(node))", at: place)
            return nil
        }
        var users: [UserConfiguration] = []
        for element in elements {
            guard let entries = element.entries else {
                self.error("Expected user entry to be a map/struct, got \(GoFormat.value(element))", at: element)
                continue
            }
            if let user = self.user(entries, element) { users.append(user) }
        }
        return users
    }

    private func user(_ entries: [Entry], _ element: ConfigurationNode) -> UserConfiguration? {
        var nkey = ""
        var name = ""
        var password = ""
        var user = UserConfiguration(identity: .nkey(""))
        let isReadable = self.succeeds {
            for entry in entries {
                let node = entry.node
                switch entry.name {
                case "nkey": nkey = self.string(node) ?? ""
                case "user", "username": name = self.string(node) ?? ""
                case "pass", "password": password = self.string(node) ?? ""
                case "permission", "permissions", "authorization":
                    user.permissions = self.permissions(node, place: node)
                case "allowed_connection_types", "connection_types", "clients":
                    user.allowedConnectionTypes = self.connectionTypes(node)
                case "proxy_required": user.proxyRequired = self.bool(node) ?? false
                default: self.unknown(entry)
                }
            }
        }
        // The official server blames the key that it saw last, in its random order.
        let place = entries.last?.node ?? element
        if nkey.isEmpty, name.isEmpty {
            if isReadable { self.error("User entry requires a user", at: place) }
            return nil
        }
        if nkey.isEmpty {
            user.identity = .password(user: name, password: password)
            return user
        }
        guard PublicKey.isValid(nkey, .user) else {
            self.error("Not a valid public nkey for a user", at: place)
            return nil
        }
        guard name.isEmpty, password.isEmpty else {
            self.error("Nkey users do not take usernames or passwords", at: place)
            return nil
        }
        user.identity = .nkey(nkey)
        return user
    }

    private static let connectionTypes: Set<String> = [
        "STANDARD", "WEBSOCKET", "LEAFNODE", "LEAFNODE_WS", "MQTT", "MQTT_WS", "IN_PROCESS",
    ]

    private func connectionTypes(_ node: ConfigurationNode) -> Set<String>? {
        guard let names = self.strings(node, "allowed connection types")?.map({ $0.uppercased() }) else { return nil }
        let unknown = names.filter { !Self.connectionTypes.contains($0) }
        if !unknown.isEmpty {
            self.error(
                "invalid connection types [\(unknown.map(GoFormat.quoted).joined(separator: " "))]",
                at: node
            )
        }
        let known = Set(names).intersection(Self.connectionTypes)
        return known.isEmpty ? nil : known
    }

    private func authCallout(_ node: ConfigurationNode) -> AuthCalloutConfiguration? {
        guard let entries = node.entries else {
            self.error("Expected authorization callout to be a map/struct, got \(GoFormat.value(node))", at: node)
            return nil
        }
        var callout = AuthCalloutConfiguration()
        let isReadable = self.succeeds {
            for entry in entries { self.readCallout(entry, into: &callout) }
        }
        // A key that nobody knows does not keep the official server from asking for the others.
        for entry in entries where !Self.calloutKeys.contains(entry.name) {
            self.unknownField(entry, "parsing authorization callout")
        }
        guard isReadable else { return nil }
        // The official server blames the key that it saw last, in its random order.
        let place = entries.last?.node ?? node
        if callout.issuer.isEmpty {
            self.error("Authorization callouts require an issuer to be specified", at: place)
            return nil
        }
        if callout.authUsers.isEmpty {
            self.error("Authorization callouts require authorized users to be specified", at: place)
            return nil
        }
        return callout
    }

    private func readCallout(_ entry: Entry, into callout: inout AuthCalloutConfiguration) {
        let node = entry.node
        switch entry.name {
        case "issuer":
            guard let key = self.string(node) else { return }
            if !PublicKey.isValid(key, .account) {
                self.error(
                    "Expected callout user to be a valid public account nkey, got \(GoFormat.quoted(key))",
                    at: node
                )
            }
            callout.issuer = key
        case "account", "acc":
            if let name = self.string(node), !name.isEmpty { callout.account = name }
        case "auth_users", "users":
            callout.authUsers = self.calloutNames(node, "auth_users")
        case "xkey", "key":
            guard let key = self.string(node) else { return }
            if !PublicKey.isValid(key, .curve) {
                self.error("Expected callout xkey to be a valid public xkey, got \(GoFormat.quoted(key))", at: node)
            }
            callout.xkey = key
        case "allowed_accounts":
            callout.allowedAccounts = self.calloutNames(node, "allowed accounts")
        default:
            break
        }
    }

    private static let calloutKeys: Set<String> = [
        "issuer", "account", "acc", "auth_users", "users", "xkey", "key", "allowed_accounts",
    ]

    private func calloutNames(_ node: ConfigurationNode, _ what: String) -> [String] {
        guard node.array != nil else {
            self.error("Expected \(what) field to be an array, got *conf.token", at: node)
            return []
        }
        return self.plainStrings(node) ?? []
    }

    /// The `authorization` of websocket and mqtt.
    func simpleAuthorization(_ node: ConfigurationNode) -> SimpleAuthorization? {
        guard let entries = self.entries(node) else { return nil }
        var block = SimpleAuthorization()
        for entry in entries {
            switch entry.name {
            case "user", "username": block.user = self.string(entry.node)
            case "pass", "password": block.password = self.string(entry.node)
            case "token": block.token = self.string(entry.node)
            case "timeout":
                switch entry.node.value {
                case .integer(let number): block.timeout = Self.seconds(number)
                case .float(let number): block.timeout = Self.seconds(number)
                default: block.timeout = .seconds(1)
                }
            default: self.unknown(entry)
            }
        }
        return block
    }

    /// The `authorization` of clusters and gateways: one user.
    ///
    /// `owner` begins the error texts.
    func peerAuthorization(_ node: ConfigurationNode, _ owner: String) -> AuthorizationConfiguration? {
        guard let block = self.authorization(node, path: "\(owner.lowercased()).authorization") else { return nil }
        if block.users != nil {
            self.error("\(owner) authorization does not allow multiple users", at: node)
            return nil
        }
        if block.token != nil {
            self.error("\(owner) authorization does not support tokens", at: node)
            return nil
        }
        if block.authCallout != nil {
            self.error("\(owner) authorization does not support callouts", at: node)
            return nil
        }
        return block
    }
}

extension SimpleAuthorization {
    init(_ block: AuthorizationConfiguration) {
        self.user = block.user
        self.password = block.password
        self.timeout = block.timeout
    }
}

extension [UserConfiguration] {
    /// Gives the permissions to those who have none of their own.
    func withDefault(_ permissions: PermissionsConfiguration?) -> [UserConfiguration] {
        self.map { user in
            var user = user
            user.permissions = user.permissions ?? permissions
            return user
        }
    }
}
