/// The blocks at file level.
extension ServerConfiguration {
    /// Returns the official name of a block that it knows.
    mutating func readBlock(
        _ entry: OptionReader.Entry,
        _ reader: OptionReader,
        _ names: inout UserNames
    ) -> String? {
        let node = entry.node
        switch entry.name {
        case "system_account", "system":
            return "system_account"
        case "mappings", "maps":
            self.mappings = reader.mappings(node)
            return "mappings"
        case "accounts":
            self.readAccounts(node, reader, &names)
        case "authorization":
            self.readAuthorization(node, reader, &names)
        case "tls":
            self.tls = reader.tls(node, .client)
        case "resolver_tls":
            self.resolverTLS = reader.tls(node, .client)
        case "ocsp":
            self.ocsp = reader.ocsp(node)
        case "ocsp_cache":
            self.ocspCache = reader.ocspCache(node)
        case "cluster":
            self.cluster = reader.cluster(node)
        case "gateway":
            self.gateway = reader.gateway(node)
        case "leaf", "leafnodes":
            self.leafnodes = reader.leafnodes(node)
            return "leafnodes"
        case "websocket", "ws":
            self.websocket = reader.websocket(node)
            return "websocket"
        case "mqtt":
            self.mqtt = reader.mqtt(node)
        case "jetstream":
            self.jetstream = reader.jetstream(node, storeDir: &self.storeDir)
        case "operator", "operators", "roots", "root", "root_operators", "root_operator":
            self.operators = reader.operators(node)
            return "operator"
        case "resolver", "account_resolver", "accounts_resolver":
            self.resolver = reader.resolver(node)
            return "resolver"
        case "resolver_preload":
            self.resolverPreload = reader.resolverPreload(node)
        case "resolver_pinned_accounts":
            self.resolverPinnedAccounts = reader.keyList(node, "resolver_pinned_accounts")
        case "trusted", "trusted_keys":
            self.trustedKeys = reader.trustedKeys(node)
            return "trusted_keys"
        case "proxies":
            self.proxies = reader.proxies(node)
        default:
            return nil
        }
        return entry.name
    }

    /// The accounts of an auth callout must exist.
    func checkCallout(_ reader: OptionReader) {
        guard let callout = self.authorization?.authCallout else { return }
        let names = Set(self.accounts.map(\.name)).union(reader.given["mappings"] == nil ? [] : ["$G"])
        for account in callout.allowedAccounts where !names.contains(account) {
            reader.error(
                "auth_callout allowed account \(GoFormat.quoted(account)) not found in configured accounts",
                at: nil
            )
        }
    }
}

/// User names and public nkeys seen so far: they must be unique over `authorization` and all accounts.
struct UserNames {
    private var names: Set<String> = []

    var isEmpty: Bool { self.names.isEmpty }

    /// Adds a user, or tells the error.
    mutating func add(_ identity: UserConfiguration.Identity) -> String? {
        guard !self.names.insert(identity.name).inserted else { return nil }
        let kind =
            switch identity {
            case .password: "user"
            case .nkey: "nkey"
            }
        return "Duplicate \(kind) \(GoFormat.quoted(identity.name)) detected"
    }
}
