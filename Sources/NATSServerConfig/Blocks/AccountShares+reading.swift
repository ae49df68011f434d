import NATSText

/// `exports` and `imports` of an account.
extension OptionReader {
    func exports(_ node: ConfigurationNode) -> [AccountExport] {
        guard let elements = node.array else {
            self.error("Exports should be an array, got \(GoFormat.typeName(node))", at: node)
            return []
        }
        return elements.compactMap { self.export($0) }
    }

    private func export(_ node: ConfigurationNode) -> AccountExport? {
        guard let entries = node.entries else {
            self.error("Export Items should be a map with type entry, got \(GoFormat.typeName(node))", at: node)
            return nil
        }
        var kindEntry: Entry?
        var export = AccountExport(kind: .stream, subject: "")
        /// Keys for services only, with what they are called if they stand at a stream.
        var serviceOnly: [(entry: Entry, directive: String)] = []
        var hasResponseType = false
        for entry in entries {
            switch entry.name {
            case "stream", "service":
                self.readKind(entry, into: &export, &kindEntry)
            case "response", "response_type":
                if hasResponseType {
                    self.error("Duplicate response type definition", at: entry.node)
                    continue
                }
                hasResponseType = true
                serviceOnly.append((entry, "response"))
                if let type = self.responseType(entry.node) { export.responseType = type }
            case "threshold", "response_threshold", "response_max_time", "response_time":
                if export.responseThreshold != nil {
                    self.error("Duplicate response threshold detected", at: entry.node)
                    continue
                }
                serviceOnly.append((entry, "response"))
                export.responseThreshold = self.responseThreshold(entry.node)
            case "accounts":
                export.accounts = self.plainStrings(entry.node).flatMap { $0.isEmpty ? nil : $0 }
            case "latency":
                serviceOnly.append((entry, "latency"))
                export.latency = self.latency(entry.node)
            case "account_token_position":
                if let position = self.integer(entry.node) { export.accountTokenPosition = position }
            case "allow_trace":
                serviceOnly.append((entry, "allow_trace"))
                export.allowTrace = self.bool(entry.node) ?? false
            default:
                self.unknown(entry)
            }
        }
        guard kindEntry != nil else { return nil }
        if export.kind == .stream {
            for (entry, directive) in serviceOnly {
                self.error("Detected \(directive) directive on non-service", at: entry.node)
            }
        }
        return export
    }

    private func readKind(_ entry: Entry, into export: inout AccountExport, _ seen: inout Entry?) {
        if let seen, seen.name != entry.name {
            self.error(
                "Detected \(entry.name) \(GoFormat.misused("q", entry.node)) but already saw a \(seen.name)",
                at: entry.node
            )
            return
        }
        guard let subject = entry.node.string else {
            self.error(
                "Expected \(entry.name) name to be string, got \(GoFormat.typeName(entry.node))",
                at: entry.node
            )
            return
        }
        export.kind = entry.name == "stream" ? .stream : .service
        export.subject = subject
        seen = entry
    }

    private func responseType(_ node: ConfigurationNode) -> AccountExport.ResponseType? {
        guard let text = node.string else {
            self.error("Expected response type to be string, got \(GoFormat.typeName(node))", at: node)
            return nil
        }
        switch text.lowercased() {
        case "single", "singleton": return .single
        case "stream": return .stream
        case "chunk", "chunked": return .chunked
        default:
            self.error("Unknown response type: \(GoFormat.quoted(text))", at: node)
            return nil
        }
    }

    private func responseThreshold(_ node: ConfigurationNode) -> Duration? {
        let failure = "Expected response threshold to be a parseable time duration, got"
        guard let text = node.string else {
            self.error("\(failure) \(GoFormat.typeName(node))", at: node)
            return nil
        }
        guard let duration = try? GoDuration.parse(text) else {
            self.error("\(failure) \(GoFormat.quoted(text))", at: node)
            return nil
        }
        return duration
    }

    private func latency(_ node: ConfigurationNode) -> AccountExport.Latency? {
        var latency = AccountExport.Latency()
        if let subject = node.string {
            latency.subject = subject
            return latency
        }
        guard node.map != nil else {
            self.error("Expected latency entry to be a map/struct or string, got \(GoFormat.typeName(node))", at: node)
            return nil
        }
        if let sampling = node["sampling"] {
            guard let percent = self.latencySampling(sampling) else { return nil }
            latency.sampling = percent
        }
        guard let subject = node["subject"] else {
            self.error("Latency subject required, but missing", at: node)
            return nil
        }
        guard let text = subject.string else {
            // The official text has the type of what it wanted.
            self.error("Expected latency subject to be a string, got string", at: subject)
            return nil
        }
        latency.subject = text
        return latency
    }

    /// Percent; 0 when requests ask for it.
    private func latencySampling(_ node: ConfigurationNode) -> Int? {
        let percent: Int
        switch node.value {
        case .integer(let number):
            percent = Int(clamping: number)
        case .string(let bytes):
            let text = ConfigurationNode.text(bytes)
            if text.trimmingSpaces().lowercased() == "headers" { return 0 }
            let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
            guard let number = Int(digits) else {
                let reason = GoFormat.integerFailure(digits, function: "Atoi")
                self.error("Failed to parse latency sample: \(reason)", at: node)
                return nil
            }
            percent = number
        default:
            self.error("Expected latency sample to be a string or map/struct, got \(GoFormat.typeName(node))", at: node)
            return nil
        }
        guard (1...100).contains(percent) else {
            self.error("bad sampling percentage, should be 1-100", at: node)
            return nil
        }
        return percent
    }

    // MARK: Imports

    func imports(_ node: ConfigurationNode) -> [AccountImport] {
        guard let elements = node.array else {
            self.error("Imports should be an array, got \(GoFormat.typeName(node))", at: node)
            return []
        }
        var imports: [AccountImport] = []
        for element in elements {
            guard let item = self.import(element) else { continue }
            if item.kind == .service,
                let other = imports.first(where: {
                    $0.kind == .service && $0.account == item.account && $0.localSubject == item.localSubject
                })
            {
                self.error(
                    "Duplicate service import subject \(GoFormat.quoted(item.localSubject)), previously used in import "
                        + "for account \(GoFormat.quoted(other.account)), subject \(GoFormat.quoted(other.subject))",
                    at: element
                )
                continue
            }
            imports.append(item)
        }
        return imports
    }

    private func `import`(_ node: ConfigurationNode) -> AccountImport? {
        guard let entries = node.entries else {
            self.error("Import Items should be a map with type entry, got \(GoFormat.typeName(node))", at: node)
            return nil
        }
        var item: AccountImport?
        var to: Entry?
        var prefix: String?
        var share = false
        var trace: Entry?
        for entry in entries {
            switch entry.name {
            case "stream", "service":
                let kind: AccountExport.Kind = entry.name == "stream" ? .stream : .service
                if let item, item.kind != kind {
                    let seen = kind == .stream ? "service" : "stream"
                    self.error("Detected \(entry.name) but already saw a \(seen)", at: entry.node)
                    continue
                }
                item = self.importSource(entry, kind)
            case "prefix":
                prefix = self.string(entry.node)
            case "to":
                if self.string(entry.node) != nil { to = entry }
            case "share":
                share = self.bool(entry.node) ?? false
            case "allow_trace":
                if self.bool(entry.node) != nil { trace = entry }
            default:
                self.unknown(entry)
            }
        }
        guard var result = item else { return nil }
        result.prefix = prefix.flatMap { $0.isEmpty ? nil : $0 }
        result.to = to?.node.string.flatMap { $0.isEmpty ? nil : $0 }
        result.share = share
        result.allowTrace = trace?.node.bool ?? false
        if result.kind == .stream, result.prefix != nil, let to {
            self.error("Stream import can not have a 'prefix' and a 'to' property", at: to.node)
        }
        if result.kind == .service, let trace {
            self.error("Detected allow_trace directive on a non-stream", at: trace.node)
        }
        return result
    }

    private func importSource(_ entry: Entry, _ kind: AccountExport.Kind) -> AccountImport? {
        guard let entries = entry.node.entries else {
            let name = kind == .stream ? "Stream" : "Service"
            self.error("\(name) entry should be an account map, got \(GoFormat.typeName(entry.node))", at: entry.node)
            return nil
        }
        var account = ""
        var subject = ""
        for inner in entries {
            switch inner.name {
            case "account": account = self.string(inner.node) ?? ""
            case "subject": subject = self.string(inner.node) ?? ""
            default: self.unknown(inner)
            }
        }
        guard !account.isEmpty, !subject.isEmpty else {
            self.error("Expect an account name and a subject", at: entry.node)
            return nil
        }
        return AccountImport(kind: kind, account: account, subject: subject)
    }
}

extension AccountImport {
    /// The subject in the importing account.
    var localSubject: String { self.to ?? self.subject }
}
