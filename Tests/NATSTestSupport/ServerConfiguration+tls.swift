import NATSTestServer

extension NATSTestServer.TLS {
    /// The same in a configuration file of the official server; certificates have to be files.
    var fileText: String {
        func path(_ pem: PEM) -> String {
            switch pem {
            case .file(let path): ServerConfiguration.quoted(path)
            case .text: ServerConfiguration.quoted("not a file")
            }
        }
        func list(_ names: [String]) -> String { "[\(names.map(ServerConfiguration.quoted).joined(separator: ", "))]" }
        var fields = ["cert_file: \(path(self.certificate))", "key_file: \(path(self.key))"]
        if let authorities = self.authorities { fields.append("ca_file: \(path(authorities))") }
        if self.verify { fields.append("verify: true") }
        if self.verifyAndMap { fields.append("verify_and_map: true") }
        fields.append("timeout: \"\(Int(self.timeout.timeInterval * 1000))ms\"")
        switch self.handshakeFirst {
        case .off: break
        case .on: fields.append("handshake_first: true")
        case .fallback(let delay): fields.append("handshake_first: \"\(Int(delay.timeInterval * 1000))ms\"")
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
    /// The same in a configuration file of the official server.
    var fileText: String {
        let security = self.tls?.fileText ?? "no_tls: true"
        return "websocket {\n  host: \"127.0.0.1\"\n  port: -1\n  compression: \(self.compression)\n  \(security)\n}"
    }
}
