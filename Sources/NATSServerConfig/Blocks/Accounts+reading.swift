extension ServerConfiguration {
    /// The `accounts` block: names, or maps.
    mutating func readAccounts(_ node: ConfigurationNode, _ reader: OptionReader, _ names: inout UserNames) {
        if let elements = node.array {
            var seen: Set<String> = []
            for element in elements {
                guard let name = reader.string(element) else { continue }
                if name == "$G" {
                    reader.error("\(GoFormat.quoted(name)) is a Reserved Account", at: element)
                } else if !seen.insert(name).inserted {
                    reader.error("Duplicate Account Entry: \(name)", at: element)
                } else {
                    self.accounts.append(AccountConfiguration(name: name))
                }
            }
            return
        }
        // Other types pass without a word in the official server; they define nothing.
        guard let entries = node.entries else { return }
        let errorsBefore = reader.errors.count
        for entry in entries where !entry.node.isUsedVariable {
            guard let inner = entry.node.entries else {
                reader.error("Expected map entries for accounts", at: entry.node)
                continue
            }
            guard entry.key != "$G" else {
                reader.error("\(entry.quotedKey) is a Reserved Account", at: entry.node)
                continue
            }
            self.accounts.append(self.account(entry.key, inner, reader, &names))
        }
        // What accounts share can only be judged when they are all right.
        if reader.errors.count == errorsBefore {
            var links = AccountLinks(self.accounts, hasSystemAccount: !self.noSystemAccount)
            for failure in links.check() { reader.error(failure, at: node) }
        }
    }

    private func account(
        _ name: String,
        _ entries: [OptionReader.Entry],
        _ reader: OptionReader,
        _ names: inout UserNames
    ) -> AccountConfiguration {
        var account = AccountConfiguration(name: name)
        var usersNode: ConfigurationNode?
        for entry in entries {
            let node = entry.node
            switch entry.name {
            case "nkey":
                guard let key = node.string, PublicKey.isValid(key, .account) else {
                    reader.error(
                        "Not a valid public nkey for an account: \(GoFormat.misused("q", node))",
                        at: node
                    )
                    continue
                }
                account.nkey = key
            case "imports":
                account.imports = reader.imports(node)
            case "exports":
                account.exports = reader.exports(node)
            case "jetstream":
                account.jetstream = reader.accountJetStream(node)
            case "users":
                usersNode = node
                account.users = reader.users(node, place: nil) ?? []
            case "default_permissions":
                account.defaultPermissions = reader.permissions(node, place: node)
            case "mappings", "maps":
                account.mappings = reader.mappings(node)
            case "limits":
                reader.limits(node, into: &account.limits)
            case "msg_trace", "trace_dest":
                account.msgTrace = reader.messageTrace(entry)
            default:
                reader.unknown(entry)
            }
        }
        account.users = account.users.withDefault(account.defaultPermissions)
        guard !account.users.isEmpty else { return account }
        if self.authorization?.user != nil {
            reader.error("Can not have a single user/pass and accounts", at: usersNode)
            return account
        }
        if self.authorization?.token != nil {
            reader.error("Can not have a token and accounts", at: usersNode)
            return account
        }
        for user in account.users {
            if let failure = names.add(user.identity) { reader.error(failure, at: usersNode) }
        }
        return account
    }
}

extension OptionReader {
    fileprivate func limits(_ node: ConfigurationNode, into limits: inout AccountConfiguration.Limits) {
        guard let entries = node.entries else {
            self.error("Expected account limits to be a map/struct, got \(GoFormat.value(node))", at: node)
            return
        }
        for entry in entries {
            let path: WritableKeyPath<AccountConfiguration.Limits, Int>
            switch entry.name {
            case "max_connections", "max_conn": path = \.maxConnections
            case "max_subscriptions", "max_subs": path = \.maxSubscriptions
            case "max_payload", "max_pay": path = \.maxPayload
            case "max_leafnodes", "max_leafs": path = \.maxLeafnodes
            default:
                self.unknownField(entry, "parsing account limits")
                continue
            }
            if let value = self.int64(entry.node) { limits[keyPath: path] = Int(Int32(truncatingIfNeeded: value)) }
        }
    }

    /// What is wrong with the value as a whole has no place in the official server.
    fileprivate func accountJetStream(_ node: ConfigurationNode) -> AccountJetStreamConfiguration? {
        if let flag = node.bool { return flag ? AccountJetStreamConfiguration() : nil }
        if let text = node.string {
            switch text.lowercased() {
            case "enabled", "enable": return AccountJetStreamConfiguration()
            case "disabled", "disable": return nil
            default:
                self.error("Expected 'enabled' or 'disabled' for string value, got '\(text)'", at: nil)
                return nil
            }
        }
        guard let entries = node.entries else {
            self.error(
                "Expected map, bool or string to define JetStream, got \(GoFormat.typeName(node))",
                at: nil
            )
            return nil
        }
        var limits = AccountJetStreamConfiguration()
        for entry in entries { self.readJetStreamLimit(entry, into: &limits) }
        return limits
    }

    private func readJetStreamLimit(_ entry: Entry, into limits: inout AccountJetStreamConfiguration) {
        let node = entry.node
        let key = entry.quotedKey
        let got = "got \(GoFormat.value(node))"
        func size(_ path: WritableKeyPath<AccountJetStreamConfiguration, Int>) {
            guard case .integer(let number) = node.value else {
                self.error("Expected a parseable size for \(key), \(got)", at: node)
                return
            }
            limits[keyPath: path] = Int(clamping: number)
        }
        switch entry.name {
        case "max_memory", "max_mem", "mem", "memory": size(\.maxMemory)
        case "max_store", "max_file", "max_disk", "store", "disk": size(\.maxStore)
        case "max_streams", "streams": size(\.maxStreams)
        case "max_consumers", "consumers": size(\.maxConsumers)
        case "mem_max_stream_bytes", "memory_max_stream_bytes": size(\.memMaxStreamBytes)
        case "disk_max_stream_bytes", "store_max_stream_bytes": size(\.diskMaxStreamBytes)
        case "max_ack_pending": size(\.maxAckPending)
        case "max_bytes_required", "max_stream_bytes", "max_bytes":
            guard let flag = node.bool else {
                self.error("Expected a parseable bool for \(key), \(got)", at: node)
                return
            }
            limits.maxBytesRequired = flag
        case "cluster_traffic":
            guard let owner = node.string else {
                self.error("Expected either 'system' or 'owner' string value for \(key), \(got)", at: node)
                return
            }
            guard ["system", "", "owner"].contains(owner) else {
                self.error("Expected 'system' or 'owner' string value for \(key), \(got)", at: node)
                return
            }
            limits.clusterTrafficByOwner = owner == "owner"
        default:
            self.unknown(entry)
        }
    }

    fileprivate func messageTrace(_ entry: Entry) -> AccountConfiguration.MessageTrace? {
        let topKey = entry.quotedKey
        var dest: String?
        var sampling: Int?
        let isReadable = self.succeeds {
            if entry.node.string != nil {
                dest = self.traceDestination(entry)
                return
            }
            guard let entries = entry.node.entries else {
                self.error(
                    "Expected account message trace \(topKey) to be a string or a map/struct, got "
                        + GoFormat.typeName(entry.node),
                    at: entry.node
                )
                return
            }
            for inner in entries {
                switch inner.name {
                case "dest": dest = self.traceDestination(inner)
                case "sampling": sampling = self.traceSampling(inner)
                default:
                    self.unknownField(inner, "parsing account message trace map/struct \(topKey)")
                }
            }
        }
        guard isReadable else { return nil }
        guard let dest else {
            if sampling != nil {
                self.warning("Trace destination sampling ignored since no destination was set", at: entry.node)
            }
            return nil
        }
        return AccountConfiguration.MessageTrace(dest: dest, sampling: sampling ?? 100)
    }

    private func traceDestination(_ entry: Entry) -> String? {
        guard let dest = entry.node.string else {
            self.error(
                "Field \(entry.quotedKey) should be a string, got \(GoFormat.typeName(entry.node))",
                at: entry.node
            )
            return nil
        }
        guard SubjectText.isValidPublish(dest) else {
            self.error("Trace destination \(GoFormat.quoted(dest)) is not valid", at: entry.node)
            return nil
        }
        return dest
    }

    private func traceSampling(_ entry: Entry) -> Int? {
        let value: Int
        switch entry.node.value {
        case .integer(let number):
            value = Int(clamping: number)
        case .string(let bytes):
            let text = ConfigurationNode.text(bytes)
            guard let number = Int(text.hasSuffix("%") ? String(text.dropLast()) : text) else {
                self.error("Invalid trace destination sampling value \(GoFormat.quoted(text))", at: entry.node)
                return nil
            }
            value = number
        default:
            self.error(
                "Trace destination sampling field \(entry.quotedKey) should be an integer or a percentage, "
                    + "got \(GoFormat.typeName(entry.node))",
                at: entry.node
            )
            return nil
        }
        guard (1...100).contains(value) else {
            // The misspelling is the official one.
            self.error(
                "Ttrace destination sampling value \(value) is invalid, needs to be [1..100]",
                at: entry.node
            )
            return nil
        }
        return value
    }
}
