import NATSText

/// Operator mode: `operator`, `resolver` and what belongs to them. And `proxies`.
extension OptionReader {
    /// JWTs: texts, or files that hold them.
    func operators(_ node: ConfigurationNode) -> [String] {
        var names: [String] = []
        if let name = node.string {
            names = [name]
        } else if let elements = node.array {
            for element in elements {
                guard element.position != nil else {
                    self.error("error parsing operators: unsupported type \(GoFormat.typeName(element))", at: node)
                    break
                }
                guard let name = element.string else {
                    self.error(
                        "error parsing operators: unsupported type *conf.token where string is expected",
                        at: node
                    )
                    continue
                }
                names.append(name)
            }
        } else {
            self.error("error parsing operators: unsupported type \(GoFormat.typeName(node))", at: node)
        }
        return names.compactMap { name in
            do throws(ConfigurationFileError) {
                return try self.operatorJWT(name)
            } catch {
                self.error("error parsing operator JWT: \(error.description)", at: node)
                return nil
            }
        }
    }

    private func operatorJWT(_ name: String) throws(ConfigurationFileError) -> String {
        // An empty name is no file, where a directory would be looked for otherwise.
        guard !name.isEmpty else { throw ConfigurationFileError("open : no such file or directory") }
        let content: String
        do {
            content = String(decoding: try self.source.read(name), as: UTF8.self)
        } catch {
            guard name.hasPrefix("eyJ") else { throw error }
            content = name
        }
        let jwt = Self.undecorated(content)
        guard jwt.split(separator: ".", omittingEmptySubsequences: false).count == 3 else {
            throw ConfigurationFileError("expected 3 chunks")
        }
        if let failure = self.checks.operatorJWT?(jwt) { throw ConfigurationFileError(failure) }
        return jwt
    }

    /// A JWT without the lines that mark it in a file.
    private static func undecorated(_ content: String) -> String {
        let lines = content.split(whereSeparator: \.isNewline).map { String($0).trimmingSpaces() }
        if let begin = lines.firstIndex(where: { $0.hasPrefix("---") && $0.hasSuffix("---") }),
            begin + 1 < lines.count
        {
            return lines[begin + 1]
        }
        return content.trimmingSpaces()
    }

    // MARK: Resolver

    func resolver(_ node: ConfigurationNode) -> ResolverConfiguration? {
        var resolver: ResolverConfiguration?
        let isReadable = self.succeeds {
            if let text = node.string {
                resolver = self.resolver(text, at: node)
            } else if node.map != nil {
                resolver = self.directoryResolver(node)
            } else {
                self.error("error parsing operator resolver, wrong type \(GoFormat.typeName(node))", at: node)
            }
        }
        if resolver == nil, isReadable {
            self.error(
                "error parsing account resolver, should be MEM or  URL(\"url\") or a map containing dir and type "
                    + "state=[FULL|CACHE])",
                at: node
            )
        }
        return resolver
    }

    private func resolver(_ text: String, at node: ConfigurationNode) -> ResolverConfiguration? {
        // The official server looks for these words anywhere in the text.
        let upper = text.uppercased()
        if upper.contains("MEM") { return .memory }
        guard let start = upper.utf8.firstRange(of: Array("URL".utf8)) else { return nil }
        let after = text.utf8.dropFirst(start + 3)
        let url = Self.urlArgument(String(decoding: after, as: UTF8.self))
        guard self.url(url, "account resolver", at: node) != nil else { return nil }
        return .url(url)
    }

    /// The argument of `URL("…")`; empty when there is none.
    private static func urlArgument(_ text: String) -> String {
        guard text.hasPrefix("("), let close = text.lastIndex(of: ")") else { return "" }
        var inner = String(text[text.index(after: text.startIndex)..<close]).trimmingSpaces()
        if inner.hasPrefix("\"") { inner.removeFirst() }
        if inner.hasSuffix("\"") { inner.removeLast() }
        return inner.contains(where: { $0.isWhitespace || $0 == "\"" }) ? "" : inner
    }

    private func directoryResolver(_ node: ConfigurationNode) -> ResolverConfiguration? {
        var directory = ResolverConfiguration.Directory()
        var type = ""
        var hasHardDelete = false
        let isReadable = self.succeeds {
            if let value = node["dir"] { directory.dir = self.string(value) ?? "" }
            if let value = node["type"] { type = self.string(value)?.uppercased() ?? "" }
            if let value = node["allow_delete"] { directory.allowDelete = self.bool(value) ?? false }
            if let value = node["hard_delete"] {
                hasHardDelete = true
                directory.hardDelete = self.bool(value) ?? false
            }
            if let value = node["limit"] { directory.limit = self.integer(value) ?? 0 }
            let times: [(String, WritableKeyPath<ResolverConfiguration.Directory, Duration>)] = [
                ("ttl", \.ttl), ("interval", \.interval), ("timeout", \.timeout),
            ]
            for (key, path) in times {
                guard let text = node[key].flatMap({ self.string($0) }) else { continue }
                do throws(GoDuration.Failure) {
                    directory[keyPath: path] = try GoDuration.parse(text)
                } catch {
                    self.error(error.words, at: node)
                    return
                }
            }
        }
        guard isReadable else { return nil }
        switch type {
        case "MEM", "MEMORY":
            return .memory
        case "CACHE":
            self.checkDirectory(directory.dir, at: node)
            if directory.interval != .zero { self.error("CACHE does not accept sync", at: node) }
            if directory.allowDelete { self.error("CACHE does not accept allow_delete", at: node) }
            if hasHardDelete { self.error("CACHE does not accept hard_delete", at: node) }
            return .cache(directory)
        case "FULL":
            self.checkDirectory(directory.dir, at: node)
            if directory.ttl != .zero { self.error("FULL does not accept ttl", at: node) }
            if hasHardDelete, !directory.allowDelete {
                self.error("hard_delete has no effect without delete", at: node)
            }
            return .full(directory)
        default:
            return nil
        }
    }

    private func checkDirectory(_ path: String, at node: ConfigurationNode) {
        if path.isEmpty {
            self.error("dir has no value and needs to point to a directory", at: node)
            self.error("mkdir : no such file or directory", at: node)
        } else if let failure = self.checks.resolverDirectory?(path) {
            self.error(failure, at: node)
        }
    }

    func resolverPreload(_ node: ConfigurationNode) -> [String: String] {
        guard let entries = node.entries else {
            self.error("preload should be a map of account_public_key:account_jwt", at: node)
            return [:]
        }
        var preload: [String: String] = [:]
        for entry in entries {
            guard let jwt = entry.node.string else {
                self.error("preload map value should be a string JWT", at: entry.node)
                continue
            }
            let hasForm = jwt.split(separator: ".", omittingEmptySubsequences: false).count == 3
            guard hasForm, self.checks.accountJWT?(jwt) == nil else {
                self.error("invalid account JWT", at: entry.node)
                continue
            }
            preload[entry.key] = jwt
        }
        return preload
    }

    // MARK: Keys

    /// Strings, of which what is no string is refused; `name` is in the errors.
    func keyList(_ node: ConfigurationNode, _ name: String) -> [String] {
        if let key = node.string { return [key] }
        guard let elements = node.array else {
            self.error("error parsing \(name): unsupported type \(GoFormat.typeName(node))", at: node)
            return []
        }
        return elements.compactMap { element in
            if let key = element.string { return key }
            self.error("error parsing \(name): unsupported type in array \(GoFormat.typeName(element))", at: element)
            return nil
        }
    }

    func trustedKeys(_ node: ConfigurationNode) -> [String] {
        let keys = self.keyList(node, "trusted")
        // The official server blames the last key of an array.
        let place = node.array?.last ?? node
        for key in keys where !PublicKey.isValid(key, .operatorKey) {
            self.error("trust key \(GoFormat.quoted(key)) required to be a valid public operator nkey", at: place)
        }
        return keys
    }

    func proxies(_ node: ConfigurationNode) -> ProxiesConfiguration? {
        guard let entries = node.entries else {
            self.error("expected proxies to be a map/struct, got \(GoFormat.typeName(node))", at: node)
            return nil
        }
        var block = ProxiesConfiguration()
        for entry in entries {
            if entry.name == "trusted" {
                block.trusted = self.trustedProxies(entry.node)
            } else {
                self.unknown(entry)
            }
        }
        return block
    }

    private func trustedProxies(_ node: ConfigurationNode) -> [String] {
        guard let elements = node.array else {
            self.error("expected proxies' trusted field to be an array, got \(GoFormat.typeName(node))", at: node)
            return []
        }
        var keys: [String] = []
        for element in elements {
            guard let entries = element.entries else {
                self.error(
                    "expected proxies' trusted entry to be a map/struct, got \(GoFormat.typeName(element))",
                    at: element
                )
                continue
            }
            for entry in entries {
                switch entry.name {
                case "key", "public_key":
                    guard let key = self.string(entry.node) else { continue }
                    if PublicKey.isValid(key) {
                        keys.append(key)
                    } else {
                        self.error("invalid proxy key \(GoFormat.quoted(key))", at: entry.node)
                    }
                default:
                    self.unknown(entry)
                }
            }
        }
        return keys
    }
}

extension Collection where Element == UInt8 {
    /// How many elements stand before the first occurrence.
    fileprivate func firstRange(of needle: [UInt8]) -> Int? {
        let bytes = Array(self)
        guard !needle.isEmpty, bytes.count >= needle.count else { return nil }
        return (0...(bytes.count - needle.count)).first {
            bytes[$0..<($0 + needle.count)].elementsEqual(needle)
        }
    }
}
