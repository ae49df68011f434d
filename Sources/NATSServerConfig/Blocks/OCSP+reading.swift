import NATSText

/// `ocsp`, `ocsp_cache` and `ocsp_peer`.
extension OptionReader {
    func ocsp(_ node: ConfigurationNode) -> OCSPConfiguration? {
        var block = OCSPConfiguration()
        if let flag = node.bool {
            block.mode = flag ? .auto : .never
            return block
        }
        guard let entries = node.entries else {
            self.error("error parsing ocsp config: unsupported type \(GoFormat.typeName(node))", at: node)
            return nil
        }
        self.reportingTypes(at: node) {
            for entry in entries {
                switch entry.key {
                case "mode":
                    guard let text = self.string(entry.node) else { continue }
                    if let mode = OCSPConfiguration.Mode(rawValue: text.lowercased()) {
                        block.mode = mode
                    } else {
                        self.error("error parsing ocsp config: unsupported ocsp mode string", at: entry.node)
                    }
                case "urls":
                    // Arrays never pass in the official server.
                    self.error(
                        "interface conversion: interface {} is \(GoFormat.typeName(entry.node)), not []string",
                        at: node
                    )
                case "url":
                    if let url = self.string(entry.node) { block.overrideURLs = [url] }
                default:
                    self.error("error parsing ocsp config: unsupported field string", at: entry.node)
                }
            }
        }
        return block
    }

    func ocspCache(_ node: ConfigurationNode) -> OCSPCacheConfiguration? {
        var block = OCSPCacheConfiguration()
        if let flag = node.bool {
            block.type = flag ? "local" : "none"
            return block
        }
        guard let entries = node.entries else {
            self.error("error parsing tags: unsupported type \(GoFormat.typeName(node))", at: node)
            return nil
        }
        for entry in entries {
            let node = entry.node
            let generic = "error parsing OCSP peer cache config, unknown field [\(entry.quotedKey)]"
            switch entry.name {
            case "type":
                guard let type = node.string else {
                    self.error(generic, at: node)
                    continue
                }
                guard ["none", "local"].contains(type.lowercased()) else {
                    self.error("error parsing OCSP peer cache config, unknown type [\(type)]", at: node)
                    continue
                }
                block.type = type.lowercased()
            case "local_store":
                guard let path = node.string else {
                    self.error(generic, at: node)
                    continue
                }
                block.localStore = path
            case "preserve_revoked":
                guard let flag = node.bool else {
                    self.error(generic, at: node)
                    continue
                }
                block.preserveRevoked = flag
            case "save_interval":
                let failure = "error parsing tls peer config, conversion error: "
                let typeFailure = "error parsing OCSP peer cache config, conversion error: unexpected type"
                guard let time = self.ocspTime(node, failure: { failure + $0 }, typeFailure) else { continue }
                block.saveInterval = max(.seconds(1), time)
            default:
                self.error(generic, at: node)
            }
        }
        return block
    }

    func ocspPeer(_ node: ConfigurationNode) -> OCSPPeerConfiguration? {
        var block = OCSPPeerConfiguration()
        if let flag = node.bool {
            block.verify = flag
            return block
        }
        guard let entries = node.entries else {
            // The official text names the type of the whole tls block.
            self.error("error parsing ocsp peer config: unsupported type map[string]interface {}", at: node)
            return nil
        }
        let conversion = "error parsing tls peer config, conversion error: "
        for entry in entries {
            // The official server puts its place before the place of the inner key.
            let place = entry.node.position.map { "\($0): " } ?? ""
            func fail(_ reason: String) { self.error(place + reason, at: node) }
            let generic = "error parsing tls peer config, unknown field [\(entry.quotedKey)]"
            func flag(_ path: WritableKeyPath<OCSPPeerConfiguration, Bool>) {
                if let value = entry.node.bool { block[keyPath: path] = value } else { fail(generic) }
            }
            func time(_ path: WritableKeyPath<OCSPPeerConfiguration, Duration>, hidesReason: Bool = false) {
                var reason: String?
                let value = Self.ocspSeconds(entry.node) { reason = hidesReason ? "unexpected type" : $0 }
                if let reason { fail(conversion + reason) }
                if let value, value >= .zero { block[keyPath: path] = value }
            }
            switch entry.name {
            case "verify": flag(\.verify)
            case "allowed_clockskew": time(\.allowedClockSkew, hidesReason: true)
            case "ca_timeout": time(\.caTimeout)
            case "cache_ttl_when_next_update_unset": time(\.cacheTTLWhenNextUpdateUnset)
            case "warn_only": flag(\.warnOnly)
            case "unknown_is_good": flag(\.unknownIsGood)
            case "allow_when_ca_unreachable": flag(\.allowWhenCAUnreachable)
            default: fail(generic)
            }
        }
        return block
    }

    private func ocspTime(
        _ node: ConfigurationNode,
        failure: (String) -> String,
        _ typeFailure: String
    ) -> Duration? {
        var reason: String?
        let value = Self.ocspSeconds(node) { reason = $0 == "unexpected type" ? typeFailure : failure($0) }
        if let reason { self.error(reason, at: node) }
        return value
    }

    /// Seconds or a duration; the reason why not goes to `fail`.
    private static func ocspSeconds(_ node: ConfigurationNode, fail: (String) -> Void) -> Duration? {
        switch node.value {
        case .integer(let number): return self.seconds(number)
        case .float(let number): return self.seconds(number)
        case .string(let bytes):
            do {
                return try GoDuration.parse(ConfigurationNode.text(bytes))
            } catch {
                fail(error.words)
                return nil
            }
        default:
            fail("unexpected type")
            return nil
        }
    }
}
