/// The `INFO` object: what a server says about itself and about this connection.
///
/// Empty strings, zero and `false` mean "absent", as in nats-server's `Info` struct with its `omitempty` tags.
package struct ServerInfo: Sendable, Equatable {
    package var serverID = ""
    package var serverName = ""
    package var version = ""
    package var proto = 0
    package var gitCommit = ""
    package var goVersion = ""
    package var host = ""
    package var port = 0
    package var headers = false
    package var authRequired = false
    package var tlsRequired = false
    package var tlsVerify = false
    package var tlsAvailable = false
    /// Largest headers plus payload that this connection may publish, in bytes; 0 or less when the server named none.
    package var maxPayload = 0
    package var jetStream = false
    package var ip = ""
    package var clientID: UInt64 = 0
    package var clientIP = ""
    package var nonce = ""
    package var cluster = ""
    package var domain = ""
    package var connectURLs: [String] = []
    package var webSocketConnectURLs: [String] = []
    package var lameDuckMode = false
    package var connectInfo = false
    package var remoteAccount = ""
    package var isSystemAccount = false
    package var apiLevel = 0
    package var xkey = ""

    package init() {}

    /// Reads the JSON part of an `INFO` line; unknown keys are ignored.
    package init(json: UnsafeRawBufferPointer) throws(JSONError) {
        try self.init(JSONValue.parse(json))
    }

    /// Reads the JSON part of an `INFO` line; unknown keys are ignored.
    package init(json: [UInt8]) throws(JSONError) {
        try self.init(JSONValue.parse(json))
    }

    private init(_ document: JSONValue) throws(JSONError) {
        let object = try JSONObjectReader(document)
        try object.read("server_id", into: &self.serverID)
        try object.read("server_name", into: &self.serverName)
        try object.read("version", into: &self.version)
        try object.read("proto", into: &self.proto)
        try object.read("git_commit", into: &self.gitCommit)
        try object.read("go", into: &self.goVersion)
        try object.read("host", into: &self.host)
        try object.read("port", into: &self.port)
        try object.read("headers", into: &self.headers)
        try object.read("auth_required", into: &self.authRequired)
        try object.read("tls_required", into: &self.tlsRequired)
        try object.read("tls_verify", into: &self.tlsVerify)
        try object.read("tls_available", into: &self.tlsAvailable)
        try object.read("max_payload", into: &self.maxPayload)
        try object.read("jetstream", into: &self.jetStream)
        try object.read("ip", into: &self.ip)
        try object.read("client_id", into: &self.clientID)
        try object.read("client_ip", into: &self.clientIP)
        try object.read("nonce", into: &self.nonce)
        try object.read("cluster", into: &self.cluster)
        try object.read("domain", into: &self.domain)
        try object.read("connect_urls", into: &self.connectURLs)
        try object.read("ws_connect_urls", into: &self.webSocketConnectURLs)
        try object.read("ldm", into: &self.lameDuckMode)
        try object.read("connect_info", into: &self.connectInfo)
        try object.read("remote_account", into: &self.remoteAccount)
        try object.read("acc_is_sys", into: &self.isSystemAccount)
        try object.read("api_lvl", into: &self.apiLevel)
        try object.read("xkey", into: &self.xkey)
    }

    /// The whole line as a Go server sends it, with the blank between `}` and CRLF.
    package func encode() -> [UInt8] {
        var writer = JSONObjectWriter(prefix: Array("INFO ".utf8))
        writer.write("server_id", self.serverID)
        writer.write("server_name", self.serverName)
        writer.write("version", self.version)
        writer.write("proto", self.proto)
        writer.writeUnlessEmpty("git_commit", self.gitCommit)
        writer.write("go", self.goVersion)
        writer.write("host", self.host)
        writer.write("port", self.port)
        writer.write("headers", self.headers)
        writer.writeUnlessFalse("auth_required", self.authRequired)
        writer.writeUnlessFalse("tls_required", self.tlsRequired)
        writer.writeUnlessFalse("tls_verify", self.tlsVerify)
        writer.writeUnlessFalse("tls_available", self.tlsAvailable)
        writer.write("max_payload", self.maxPayload)
        writer.writeUnlessFalse("jetstream", self.jetStream)
        writer.writeUnlessEmpty("ip", self.ip)
        writer.writeUnlessZero("client_id", self.clientID)
        writer.writeUnlessEmpty("client_ip", self.clientIP)
        writer.writeUnlessEmpty("nonce", self.nonce)
        writer.writeUnlessEmpty("cluster", self.cluster)
        writer.writeUnlessEmpty("domain", self.domain)
        writer.writeUnlessEmpty("connect_urls", self.connectURLs)
        writer.writeUnlessEmpty("ws_connect_urls", self.webSocketConnectURLs)
        writer.writeUnlessFalse("ldm", self.lameDuckMode)
        writer.writeUnlessFalse("connect_info", self.connectInfo)
        writer.writeUnlessEmpty("remote_account", self.remoteAccount)
        writer.writeUnlessFalse("acc_is_sys", self.isSystemAccount)
        writer.writeUnlessZero("api_lvl", self.apiLevel)
        writer.writeUnlessEmpty("xkey", self.xkey)
        writer.finish()
        return writer.bytes + Array(" \r\n".utf8)
    }
}
