import NATSText

/// `jetstream`.
extension OptionReader {
    private typealias Block = JetStreamConfiguration

    private static let jetStreamTable = OptionTable<Block>([
        (.init("domain", .text(\.domain)), aliases: []),
        (.init("enabled", .bool(\.enabled)), ["enable"]),
        (.init("key", .text(\.encryptionKey)), ["ek", "encryption_key"]),
        (.init("prev_key", .text(\.previousEncryptionKey)), ["prev_ek", "prev_encryption_key"]),
        (.init("extension_hint", .text(\.extensionHint)), []),
        (.init("meta_compact_sync", .bool(\.metaCompactSync)), []),
    ])

    /// The key or block; the whole configuration may name one `storeDir`.
    func jetstream(_ node: ConfigurationNode, storeDir: inout String?) -> JetStreamConfiguration? {
        var block = Block()
        if let flag = node.bool {
            block.enabled = flag
            return block
        }
        if let text = node.string {
            switch text.lowercased() {
            case "enabled", "enable": block.enabled = true
            case "disabled", "disable": block.enabled = false
            default:
                self.error("Expected 'enabled' or 'disabled' for string value, got '\(text)'", at: node)
            }
            return block
        }
        guard let entries = node.entries else {
            self.error(
                "Expected map, bool or string to define JetStream, got \(GoFormat.typeName(node))",
                at: node
            )
            return nil
        }
        var directory = storeDir
        // The official reader reports wrong types at the block.
        self.reportingTypes(at: node) {
            for entry in entries {
                if let name = Self.jetStreamTable.read(entry, into: &block, self) {
                    self.record("jetstream", name, entry.node)
                    continue
                }
                if ["store", "store_dir", "storedir"].contains(entry.name) {
                    if directory != nil {
                        self.error("Duplicate 'store_dir' configuration", at: entry.node)
                    } else {
                        directory = self.string(entry.node).flatMap { $0.isEmpty ? nil : $0 }
                    }
                    self.record("jetstream", "store_dir", entry.node)
                } else if self.readSizes(entry, into: &block) || self.readJetStream(entry, into: &block) {
                    self.record("jetstream", entry.name, entry.node)
                } else {
                    self.unknown(entry)
                }
            }
        }
        storeDir = directory
        if block.infoQueueLimit <= 0 { block.infoQueueLimit = block.requestQueueLimit }
        return block
    }

    private func readJetStream(_ entry: Entry, into block: inout Block) -> Bool {
        let node = entry.node
        switch entry.name {
        case "strict":
            if let flag = node.bool {
                block.strict = flag
            } else {
                self.error(
                    "Expected 'true' or 'false' for bool value, got '\(GoFormat.misused("s", node))'",
                    at: node
                )
            }
        case "sync", "sync_interval":
            if node.string?.lowercased() == "always" {
                block.syncAlways = true
            } else if let interval = self.duration(node, entry.key) {
                block.syncInterval = interval
            }
        case "cipher":
            block.cipher = self.cipher(node)
        case "limits":
            self.readLimits(node, into: &block.limits)
        case "tpm":
            block.tpm = self.tpm(node, into: &block)
        case "unique_tag":
            block.uniqueTag = self.string(node).map { $0.trimmingSpaces().lowercased() }
        case "meta_compact":
            guard case .integer(let number) = node.value, number >= 0 else {
                self.error(
                    "Expected an absolute size for \(entry.quotedKey), got \(GoFormat.value(node))",
                    at: node
                )
                break
            }
            block.metaCompact = Int(clamping: number)
        case "max_concurrent_io":
            guard case .integer(let number) = node.value, (4...8192).contains(number) else {
                self.error(
                    "Expected an absolute size for \(entry.quotedKey) between 4 and 8192, got "
                        + GoFormat.value(node),
                    at: node
                )
                break
            }
            block.maxConcurrentIO = Int(number)
        default:
            return false
        }
        return true
    }

    private func readSizes(_ entry: Entry, into block: inout Block) -> Bool {
        let node = entry.node
        switch entry.name {
        case "max_memory_store", "max_mem_store", "max_mem":
            block.maxMemoryStore = self.storageSize(node, "max_mem_store")
        case "max_file_store", "max_file":
            block.maxFileStore = self.storageSize(node, "max_file_store")
        case "max_outstanding_catchup":
            block.maxOutstandingCatchup = self.storageSize(node, entry.name) ?? 0
        case "max_buffered_size":
            block.maxBufferedSize = self.storageSize(node, entry.name) ?? 0
        case "meta_compact_size":
            guard let size = self.storageSize(node, entry.name) else { break }
            if size < 0 {
                self.error(
                    "Expected an absolute size for \(entry.quotedKey), got \(GoFormat.value(node))",
                    at: node
                )
            } else {
                block.metaCompactSize = size
            }
        case "max_buffered_msgs":
            block.maxBufferedMsgs = self.parseableSize(entry) ?? 0
        case "request_queue_limit":
            if let limit = self.parseableSize(entry), limit > 0 { block.requestQueueLimit = limit }
        case "info_queue_limit":
            if let limit = self.parseableSize(entry) { block.infoQueueLimit = limit }
        default:
            return false
        }
        return true
    }

    private func parseableSize(_ entry: Entry) -> Int? {
        if case .integer(let number) = entry.node.value { return Int(clamping: number) }
        self.error(
            "Expected a parseable size for \(entry.quotedKey), got \(GoFormat.value(entry.node))",
            at: entry.node
        )
        return nil
    }

    /// A number, or a text that ends in K, M, G or T (nats-server opts.go getStorageSize).
    private func storageSize(_ node: ConfigurationNode, _ name: String) -> Int? {
        switch node.value {
        case .integer(let number): return Int(clamping: number)
        case .string(let bytes):
            let text = ConfigurationNode.text(bytes)
            guard let suffix = text.last else { return 0 }
            let digits = String(text.dropLast())
            guard let number = Int64(digits) else {
                self.error("\(name) \(GoFormat.integerFailure(digits, function: "ParseInt"))", at: node)
                return nil
            }
            guard let power = ["K": 10, "M": 20, "G": 30, "T": 40][suffix] else {
                self.error("\(name) sizes defined as strings must end in K, M, G, T", at: node)
                return nil
            }
            return Int(clamping: number &* (Int64(1) << Int64(power)))
        default:
            self.error("\(name) must be int64 or string", at: node)
            return nil
        }
    }

    private func cipher(_ node: ConfigurationNode) -> Block.Cipher? {
        guard let name = self.string(node) else { return nil }
        switch name.lowercased() {
        case "chacha", "chachapoly": return .chacha
        case "aes": return .aes
        default:
            self.error("Unknown cipher type: \(GoFormat.quoted(name))", at: node)
            return nil
        }
    }

    private func readLimits(_ node: ConfigurationNode, into limits: inout Block.Limits) {
        guard let entries = node.entries else {
            self.error("Expected a map to define JetStreamLimits, got \(GoFormat.typeName(node))", at: node)
            return
        }
        for entry in entries {
            switch entry.name {
            case "max_ack_pending": limits.maxAckPending = self.integer(entry.node) ?? 0
            case "max_ha_assets": limits.maxHAAssets = self.integer(entry.node) ?? 0
            case "max_request_batch": limits.maxRequestBatch = self.integer(entry.node) ?? 0
            case "duplicate_window": limits.duplicateWindow = self.placelessDuration(entry.node)
            case "batch":
                guard let inner = entry.node.entries else {
                    self.error(
                        "Expected a map to define batch limits, got \(GoFormat.typeName(entry.node))",
                        at: entry.node
                    )
                    continue
                }
                for item in inner { self.readBatch(item, into: &limits) }
            default: self.unknown(entry)
            }
        }
    }

    private func readBatch(_ entry: Entry, into limits: inout Block.Limits) {
        switch entry.name {
        case "max_inflight_per_stream": limits.maxBatchInflightPerStream = self.integer(entry.node) ?? 0
        case "max_inflight_total": limits.maxBatchInflightTotal = self.integer(entry.node) ?? 0
        case "max_msgs": limits.maxBatchMessages = self.integer(entry.node) ?? 0
        case "timeout": limits.maxBatchTimeout = self.placelessDuration(entry.node)
        default: self.unknown(entry)
        }
    }

    /// A duration whose error has no place in the official server.
    private func placelessDuration(_ node: ConfigurationNode) -> Duration {
        guard let text = self.string(node) else { return .zero }
        do {
            return try GoDuration.parse(text)
        } catch {
            self.error(error.words, at: nil)
            return .zero
        }
    }

    private func tpm(_ node: ConfigurationNode, into block: inout Block) -> Block.TPM? {
        guard let entries = node.entries else {
            self.error("Expected a map to define JetStreamLimits, got \(GoFormat.typeName(node))", at: node)
            return nil
        }
        var tpm = Block.TPM()
        for entry in entries {
            switch entry.name {
            case "keys_file": tpm.keysFile = self.string(entry.node) ?? ""
            case "encryption_password": tpm.encryptionPassword = self.string(entry.node) ?? ""
            case "srk_password": tpm.srkPassword = self.string(entry.node) ?? ""
            case "pcr": tpm.pcr = self.integer(entry.node) ?? 0
            case "cipher": block.cipher = self.cipher(entry.node)
            default: self.unknown(entry)
            }
        }
        return tpm
    }
}
