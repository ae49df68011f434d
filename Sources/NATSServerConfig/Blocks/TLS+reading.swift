import NATSText

/// `tls`.
extension OptionReader {
    /// Whose block it is.
    enum TLSContext: Sendable {
        case client
        /// Cluster or gateway: certificates of both sides are always verified.
        case peers
    }

    func tls(_ node: ConfigurationNode, _ context: TLSContext) -> TLSConfiguration? {
        guard let entries = self.entries(node) else { return nil }
        var block = TLSConfiguration()
        block.position = node.position
        let isReadable = self.succeeds {
            for entry in entries {
                if !self.readFiles(entry, into: &block), !self.readVerification(entry, context, into: &block),
                    !self.readHandshake(entry, into: &block)
                {
                    self.error("error parsing tls config, unknown field \(entry.quotedKey)", at: entry.node)
                }
            }
            if !block.certs.isEmpty, block.certFile != nil {
                self.error("error parsing tls config, cannot combine 'cert_file' option with 'certs' option", at: node)
            }
            let insecure = block.cipherSuites.filter(TLSNames.insecureCipherSuites.contains)
            if !block.allowInsecureCipherSuites, !insecure.isEmpty {
                self.error(
                    "insecure cipher suites configured without 'allow_insecure_cipher_suites' option set: "
                        + insecure.joined(separator: ", "),
                    at: node
                )
            }
        }
        if context == .peers { block.verify = true }
        guard isReadable else { return nil }
        if let failure = self.fileFailure(of: block) {
            self.error(failure, at: node)
            return nil
        }
        return block
    }

    private func fileName(_ entry: Entry) -> String? {
        guard let name = entry.node.string else {
            self.error("error parsing tls config, expected '\(entry.name)' to be filename", at: entry.node)
            return nil
        }
        return name.isEmpty ? nil : name
    }

    private func flag(_ entry: Entry) -> Bool? {
        if let flag = entry.node.bool { return flag }
        self.error("error parsing tls config, expected '\(entry.name)' to be a boolean", at: entry.node)
        return nil
    }

    private func readFiles(_ entry: Entry, into block: inout TLSConfiguration) -> Bool {
        let node = entry.node
        switch entry.name {
        case "cert_file": block.certFile = self.fileName(entry)
        case "key_file": block.keyFile = self.fileName(entry)
        case "ca_file": block.caFile = self.fileName(entry)
        case "certs", "certificates": block.certs = self.keyPairs(node)
        case "cert_store":
            // Windows only.
            let isKnown = ["windowscurrentuser", "windowslocalmachine"].contains(node.string?.lowercased() ?? "")
            if node.string?.isEmpty != false {
                self.error("expected 'cert_store' to be a valid non-empty string", at: node)
            } else if isKnown {
                self.error("cert_store not compatible with current operating system", at: node)
            } else {
                self.error("cert store type not implemented", at: node)
            }
        case "cert_match_by":
            if node.string?.isEmpty != false {
                self.error("expected 'cert_match_by' to be a valid non-empty string", at: node)
            } else if !["issuer", "subject", "thumbprint"].contains(node.string?.lowercased() ?? "") {
                self.error("cert match by type not implemented", at: node)
            }
        case "cert_match":
            if node.string?.isEmpty != false {
                self.error("expected 'cert_match' to be a valid non-empty string", at: node)
            }
        case "cert_match_skip_invalid":
            if node.bool == nil { self.error("expected 'cert_match_skip_invalid' to be a boolean", at: node) }
        case "ca_certs_match":
            for element in node.array ?? [] where element.string == nil {
                self.error(
                    "error parsing ca_cert_match: unsupported type *conf.token where string is expected",
                    at: node
                )
            }
        default: return false
        }
        return true
    }

    private func keyPairs(_ node: ConfigurationNode) -> [TLSConfiguration.KeyPair] {
        let wrongType = "error parsing certificates config: unsupported type"
        guard let elements = node.array else {
            // The official text names the type of the whole block.
            self.error("\(wrongType) map[string]interface {}", at: node)
            return []
        }
        return elements.compactMap { element in
            guard let entries = element.entries else {
                self.error("\(wrongType) \(GoFormat.typeName(element))", at: element)
                return nil
            }
            var pair = TLSConfiguration.KeyPair(certFile: "", keyFile: "")
            let isReadable = self.succeeds {
                for entry in entries {
                    guard let file = entry.node.string else {
                        self.error("\(wrongType) \(GoFormat.typeName(entry.node))", at: entry.node)
                        continue
                    }
                    switch entry.key {
                    case "cert_file": pair.certFile = file
                    case "key_file": pair.keyFile = file
                    default:
                        self.error(
                            "error parsing tls certs config, unknown field \(entry.quotedKey)",
                            at: entry.node
                        )
                    }
                }
            }
            guard isReadable else { return nil }
            guard !pair.certFile.isEmpty, !pair.keyFile.isEmpty else {
                self.error(
                    "error parsing certificates config: both 'cert_file' and 'cert_key' options are required",
                    at: entries.last?.node ?? element
                )
                return nil
            }
            return pair
        }
    }

    private func readVerification(
        _ entry: Entry,
        _ context: TLSContext,
        into block: inout TLSConfiguration
    ) -> Bool {
        let node = entry.node
        switch entry.name {
        case "insecure":
            block.insecure = self.flag(entry) ?? false
        case "verify":
            block.verify = (self.flag(entry) ?? false) || block.verifyAndMap || block.verifyCertAndCheckKnownURLs
        case "verify_and_map":
            block.verifyAndMap = self.flag(entry) ?? false
            block.verify = block.verify || block.verifyAndMap
        case "verify_cert_and_check_known_urls":
            guard let flag = self.flag(entry) else { break }
            if flag, context == .client {
                self.error("verify_cert_and_check_known_urls not supported in this context", at: node)
            }
            block.verifyCertAndCheckKnownURLs = flag
            block.verify = block.verify || flag
        case "pinned_certs":
            guard let elements = node.array else {
                self.error(
                    "error parsing tls config, expected 'pinned_certs' to be a list of hex-encoded sha256 of DER "
                        + "encoded SubjectPublicKeyInfo",
                    at: node
                )
                break
            }
            for element in elements {
                guard let key = self.string(element)?.lowercased() else { continue }
                guard key.utf8.count == 64, key.unicodeScalars.allSatisfy(\.properties.isASCIIHexDigit) else {
                    self.error(
                        "error parsing tls config, 'pinned_certs' key \(key) does not look like hex-encoded sha256 of "
                            + "DER encoded SubjectPublicKeyInfo",
                        at: element
                    )
                    continue
                }
                block.pinnedCerts.insert(key)
            }
        case "ocsp_peer":
            block.ocspPeer = self.ocspPeer(node)
        default: return false
        }
        return true
    }

    private func readHandshake(_ entry: Entry, into block: inout TLSConfiguration) -> Bool {
        let node = entry.node
        switch entry.name {
        case "cipher_suites":
            block.cipherSuites = self.names(entry, known: TLSNames.cipherSuites, "unrecognized cipher")
        case "curve_preferences":
            block.curvePreferences = self.names(entry, known: TLSNames.curves, "unrecognized curve preference")
        case "allow_insecure_cipher_suites":
            block.allowInsecureCipherSuites = self.flag(entry) ?? false
        case "timeout":
            block.timeout = self.timeout(node, "error parsing tls config")
                .flatMap { $0.duration == .zero ? nil : $0.duration }
        case "connection_rate_limit":
            guard case .integer(let limit) = node.value else {
                self.error("error parsing tls config, 'connection_rate_limit' wrong type", at: node)
                break
            }
            block.connectionRateLimit = Int(clamping: limit)
        case "min_version":
            if let version = self.version(node) { block.minVersion = version }
        case "handshake_first", "first", "immediate":
            if let first = self.handshakeFirst(entry) { block.handshakeFirst = first }
        default: return false
        }
        return true
    }

    private func names(_ entry: Entry, known: Set<String>, _ failure: String) -> [String] {
        guard let elements = self.array(entry.node) else { return [] }
        if elements.isEmpty {
            self.error("error parsing tls config, '\(entry.name)' cannot be empty", at: entry.node)
        }
        return elements.compactMap { element in
            guard let name = self.string(element) else { return nil }
            if known.contains(name) { return name }
            self.error("\(failure) \(name)", at: element)
            return nil
        }
    }

    private func version(_ node: ConfigurationNode) -> TLSConfiguration.Version? {
        guard let text = node.string else {
            self.error("error parsing tls config: 'min_version' wrong type: \(GoFormat.value(node))", at: node)
            return nil
        }
        if let version = TLSConfiguration.Version(rawValue: text) { return version }
        let isOld = text == "1.0" || text == "1.1"
        self.error(
            "error parsing tls config: "
                + (isOld ? "unsupported TLS version: TLS \(text)" : "unknown version: \(text)"),
            at: node
        )
        return nil
    }

    private func handshakeFirst(_ entry: Entry) -> TLSConfiguration.HandshakeFirst? {
        let name = entry.quotedKey
        if let flag = entry.node.bool { return flag ? .on : .off }
        guard let text = entry.node.string else {
            self.error(
                "field \(name) should be a boolean or a string, got \(GoFormat.typeName(entry.node))",
                at: entry.node
            )
            return nil
        }
        switch text.lowercased() {
        case "true", "on": return .on
        case "false", "off": return .off
        case "auto", "auto_fallback": return .fallback(after: .milliseconds(50))
        default: break
        }
        guard let delay = try? GoDuration.parse(text) else {
            self.error("field \(name)'s value \(GoFormat.quoted(text)) is invalid", at: entry.node)
            return nil
        }
        return delay > .zero ? .fallback(after: delay) : .on
    }

    // MARK: Files

    /// What is wrong with the files of a block (nats-server opts.go GenTLSConfig).
    private func fileFailure(of block: TLSConfiguration) -> String? {
        switch (block.certFile, block.keyFile) {
        case (.some, nil): return "missing 'key_file' in TLS configuration"
        case (nil, .some): return "missing 'cert_file' in TLS configuration"
        case (let certFile?, let keyFile?):
            if let failure = self.failure(of: TLSConfiguration.KeyPair(certFile: certFile, keyFile: keyFile)) {
                return "error parsing X509 certificate/key pair: \(failure)"
            }
        case (nil, nil):
            for (index, pair) in block.certs.enumerated() {
                if let failure = self.failure(of: pair) {
                    let place = "\(index + 1)/\(block.certs.count)"
                    return "error parsing X509 certificate/key pair \(place): \(failure)"
                }
            }
        }
        guard let caFile = block.caFile else { return nil }
        do {
            let text = try self.source.read(caFile)
            if let check = self.checks.authorities { return check(text) }
            return text.hasPEM("CERTIFICATE") ? nil : "failed to parse root ca certificate"
        } catch {
            return error.description
        }
    }

    private func failure(of pair: TLSConfiguration.KeyPair) -> String? {
        do {
            let certificate = try self.source.read(pair.certFile)
            let key = try self.source.read(pair.keyFile)
            guard certificate.hasPEM() else {
                return "tls: failed to find any PEM data in certificate input"
            }
            if certificate.hasPEM("CERTIFICATE"), !key.hasPEM() {
                return "tls: failed to find any PEM data in key input"
            }
            return self.checks.keyPair?(certificate, key)
        } catch {
            return error.description
        }
    }
}

/// The text form of certificates and keys, as far as to tell whether there is one.
extension [UInt8] {
    fileprivate func hasPEM(_ kind: String = "") -> Bool {
        guard let start = self.range(of: Array("-----BEGIN \(kind)".utf8), from: 0) else { return false }
        return self.range(of: Array("-----END \(kind)".utf8), from: start) != nil
    }

    private func range(of needle: [UInt8], from start: Int) -> Int? {
        guard let first = needle.first else { return nil }
        var index = start
        while index + needle.count <= self.count {
            if self[index] == first, self[index..<(index + needle.count)].elementsEqual(needle) {
                return index + needle.count
            }
            index += 1
        }
        return nil
    }
}
