// What servers of ours are started with, in the language of configuration files, for official servers beside them.

extension NATSTestServer.Options {
    /// Lines of a configuration file for what differs from the defaults; not host, port, name and cluster.
    ///
    /// - Throws: ``NATSTestServerError`` for what only a server inside the process can have.
    package func configurationText() throws(NATSTestServerError) -> String {
        let isForeign =
            !self.accounts.isEmpty || self.operator != nil || self.authorizer != nil
            || (self.systemAccount.map { $0 != "$SYS" } ?? false)
            || [self.tls, self.webSocket?.tls].contains { $0?.hasFilesOnly == false }
        guard !isForeign else {
            throw NATSTestServerError(
                message: "accounts, operators, authorizers and certificates as texts need a configuration of their own"
            )
        }
        let defaults = Self()
        var lines: [String] = []
        if let noAuthUser = self.noAuthUser { lines.append("no_auth_user: \(quoted(noAuthUser))") }
        if let authorization = self.authorizationText(defaults) { lines.append(authorization) }
        let numbers: [(String, KeyPath<Self, Int>)] = [
            ("max_payload", \.maxPayload), ("max_control_line", \.maxControlLine), ("max_pending", \.maxPending),
            ("max_connections", \.maxConnections), ("ping_max", \.pingsOutMax),
            ("max_subscriptions", \.maxSubscriptions), ("max_sub_tokens", \.maxSubscriptionTokens),
        ]
        for (key, path) in numbers where self[keyPath: path] != defaults[keyPath: path] {
            lines.append("\(key): \(self[keyPath: path])")
        }
        let durations: [(String, KeyPath<Self, Duration>)] = [
            ("write_deadline", \.writeDeadline), ("ping_interval", \.pingInterval),
            ("lame_duck_grace_period", \.lameDuckGracePeriod),
        ]
        for (key, path) in durations where self[keyPath: path] != defaults[keyPath: path] {
            lines.append("\(key): \(milliseconds(self[keyPath: path]))")
        }
        if let tls = self.tls { lines.append(tls.configurationText) }
        if let webSocket = self.webSocket { lines.append(webSocket.configurationText) }
        if !self.headers { lines.append("no_header_support: true") }
        if self.systemAccount == nil { lines.append("no_sys_acc: true") }
        return lines.joined(separator: "\n") + "\n"
    }

    private func authorizationText(_ defaults: Self) -> String? {
        var fields: [String] = []
        if let user = self.user { fields.append("user: \(quoted(user))") }
        if let password = self.password { fields.append("password: \(quoted(password))") }
        if let token = self.token { fields.append("token: \(quoted(token))") }
        if self.authTimeout != defaults.authTimeout { fields.append("timeout: \(self.authTimeout / .seconds(1))") }
        if let permissions = self.defaultPermissions {
            fields.append("default_permissions: \(permissions.configurationText)")
        }
        if let users = self.users {
            fields.append("users: [\n    \(users.map(\.configurationText).joined(separator: "\n    "))\n  ]")
        }
        return fields.isEmpty ? nil : "authorization {\n  \(fields.joined(separator: "\n  "))\n}"
    }
}

extension NATSTestServer.TLS {
    /// Whether certificates and keys are files, as they have to be in a configuration file.
    fileprivate var hasFilesOnly: Bool {
        [self.certificate, self.key, self.authorities].allSatisfy { pem in
            if case .text = pem { false } else { true }
        }
    }

    /// The same in a configuration file; certificates have to be files.
    package var configurationText: String {
        func path(_ pem: PEM) -> String {
            switch pem {
            case .file(let path): quoted(path)
            case .text: quoted("not a file")
            }
        }
        var fields = ["cert_file: \(path(self.certificate))", "key_file: \(path(self.key))"]
        if let authorities = self.authorities { fields.append("ca_file: \(path(authorities))") }
        if self.verify { fields.append("verify: true") }
        if self.verifyAndMap { fields.append("verify_and_map: true") }
        fields.append("timeout: \(milliseconds(self.timeout))")
        switch self.handshakeFirst {
        case .off: break
        case .on: fields.append("handshake_first: true")
        case .fallback(let delay): fields.append("handshake_first: \(milliseconds(delay))")
        }
        switch self.minVersion {
        case .v12: break
        case .v13: fields.append("min_version: \"1.3\"")
        }
        if !self.pinnedCertificates.isEmpty {
            fields.append("pinned_certs: \(list(self.pinnedCertificates.sorted()))")
        }
        if !self.cipherSuites.isEmpty { fields.append("cipher_suites: \(list(self.cipherSuites))") }
        if !self.curvePreferences.isEmpty { fields.append("curve_preferences: \(list(self.curvePreferences))") }
        let block = "tls {\n  \(fields.joined(separator: "\n  "))\n}"
        return self.allowNonTLS ? "\(block)\nallow_non_tls: true" : block
    }
}

extension NATSTestServer.WebSocket {
    /// The listener in a configuration file, on a free port: certificate and compression.
    package var configurationText: String {
        let security = self.tls?.configurationText ?? "no_tls: true"
        return "websocket {\n  host: \"127.0.0.1\"\n  port: -1\n  compression: \(self.compression)\n  \(security)\n}"
    }
}

extension NATSTestServer.User {
    /// The same in a configuration file.
    fileprivate var configurationText: String {
        var fields: [String] = []
        switch self.credentials {
        case .password(let name, let password):
            fields.append("user: \(quoted(name))")
            fields.append("password: \(quoted(password))")
        case .nkey(let nkey):
            fields.append("nkey: \(nkey)")
        }
        if let permissions = self.permissions { fields.append("permissions: \(permissions.configurationText)") }
        return "{\(fields.joined(separator: ", "))}"
    }
}

extension NATSTestServer.Permissions {
    /// The same in a configuration file.
    fileprivate var configurationText: String {
        var fields: [String] = []
        if let publish = self.publish { fields.append("publish: \(publish.configurationText)") }
        if let subscribe = self.subscribe { fields.append("subscribe: \(subscribe.configurationText)") }
        if let responses = self.responses {
            let expires = milliseconds(responses.expires)
            fields.append("allow_responses: {max: \(responses.maxMessages), expires: \(expires)}")
        }
        return "{\(fields.joined(separator: ", "))}"
    }
}

extension NATSTestServer.Permissions.Subjects {
    fileprivate var configurationText: String {
        var fields: [String] = []
        if let allow = self.allow { fields.append("allow: \(list(allow))") }
        if !self.deny.isEmpty { fields.append("deny: \(list(self.deny))") }
        return "{\(fields.joined(separator: ", "))}"
    }
}

/// The language of configuration files.
package enum ConfigurationText {
    /// A text as a value.
    package static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

private func quoted(_ text: String) -> String { ConfigurationText.quoted(text) }

private func list(_ names: [String]) -> String { "[\(names.map(quoted).joined(separator: ", "))]" }

private func milliseconds(_ duration: Duration) -> String { "\"\(Int(duration / .milliseconds(1)))ms\"" }
