internal import NATSWire

/// The `INFO` object of a leaf node connection: what the server that accepts says of itself.
struct LeafInfo: Equatable, Sendable {
    /// Most other addresses of a hub that are kept.
    static let mostURLs = 256

    var serverID = ""
    var serverName = ""
    var version = ""
    var proto = 0
    var goVersion = ""
    var host = ""
    var port = 0
    var headers = false
    var authRequired = false
    var tlsRequired = false
    var tlsVerify = false
    var maxPayload: Int32 = 0
    var ip = ""
    /// The number of the connection; 0 marks a port that is none for leaf nodes.
    var clientID: UInt64 = 0
    /// What the leaf node may have to sign.
    var nonce = ""
    var cluster = ""
    var domain = ""
    /// Whether it is the answer to CONNECT.
    var isAnswer = false
    /// The account that the leaf node has come to.
    var remoteAccount = ""
    var isSystemAccount = false
    var lameDuckMode = false
    /// A mode as the configuration names it; empty: there is no compression.
    var compression = ""
    /// What the leaf node gets; everything if `nil`.
    var importPermissions: PermissionOptions.Subjects?
    /// What the leaf node may send; everything if `nil`.
    var exportPermissions: PermissionOptions.Subjects?
    /// Both, the imports as what may be published.
    var permissions: PermissionOptions {
        PermissionOptions(publish: self.importPermissions, subscribe: self.exportPermissions)
    }
    var apiLevel = 0
    /// Whether CONNECT is answered.
    var answersConnect = false
    /// Where the hub, and others of its cluster, can be dialled; `nil` marks a port that is none for leaf nodes.
    var leafNodeURLs: [String]?

    init() {}

    /// Reads the JSON part of an `INFO` line.
    ///
    /// Unknown keys are ignored; what is no object, a wrong type, and too long texts throw. Of URLs the first
    /// ``mostURLs`` are kept.
    init(json: UnsafeRawBufferPointer) throws(JSONError) {
        let object = try JSONObjectReader(JSONValue.parse(json))
        try RouteInfo.read("server_id", from: object, into: &self.serverID)
        try RouteInfo.read("server_name", from: object, into: &self.serverName)
        try RouteInfo.read("version", from: object, into: &self.version)
        try object.read("proto", into: &self.proto)
        try object.read("headers", into: &self.headers)
        try object.read("tls_required", into: &self.tlsRequired)
        try object.read("client_id", into: &self.clientID)
        try RouteInfo.read("nonce", from: object, into: &self.nonce)
        try RouteInfo.read("cluster", from: object, into: &self.cluster)
        try RouteInfo.read("domain", from: object, into: &self.domain)
        try object.read("connect_info", into: &self.isAnswer)
        try RouteInfo.read("remote_account", from: object, into: &self.remoteAccount)
        try object.read("ldm", into: &self.lameDuckMode)
        try RouteInfo.read("compression", from: object, into: &self.compression)
        self.importPermissions = try Self.subjects("import", from: object)
        self.exportPermissions = try Self.subjects("export", from: object)
        try object.read("info_on_connect", into: &self.answersConnect)
        var urls: [String]?
        try object.read("leafnode_urls", into: &urls)
        self.leafNodeURLs = urls.map { urls in
            Array(urls.lazy.filter { $0.utf8.count <= RouteInfo.maximumTextLength }.prefix(Self.mostURLs))
        }
    }

    /// Reads permissions, which hold: without them everything might pass, so that too many are refused.
    private static func subjects(
        _ key: String,
        from object: JSONObjectReader
    ) throws(JSONError) -> PermissionOptions.Subjects? {
        let subjects = try RouteInfo.subjects(key, from: object)
        guard (subjects?.longestList ?? 0) <= RouteInfo.maximumListCount else {
            throw JSONError("\(key): more than \(RouteInfo.maximumListCount) subjects")
        }
        return subjects
    }

    /// The whole line as an official server sends it, keys in the order of nats-server server.go Info.
    func encode() -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil, capacity: 512)
        writer.object { writer in
            writer.write("server_id", self.serverID)
            writer.write("server_name", self.serverName)
            writer.write("version", self.version)
            writer.write("proto", self.proto)
            writer.write("go", self.goVersion)
            writer.write("host", self.host)
            writer.write("port", self.port)
            writer.write("headers", self.headers)
            writer.writeUnlessFalse("auth_required", self.authRequired)
            writer.writeUnlessFalse("tls_required", self.tlsRequired)
            writer.writeUnlessFalse("tls_verify", self.tlsVerify)
            writer.write("max_payload", Int(self.maxPayload))
            writer.writeUnlessEmpty("ip", self.ip)
            writer.write("client_id", self.clientID)
            writer.writeUnlessEmpty("nonce", self.nonce)
            writer.writeUnlessEmpty("cluster", self.cluster)
            writer.writeUnlessEmpty("domain", self.domain)
            writer.writeUnlessFalse("ldm", self.lameDuckMode)
            writer.writeUnlessEmpty("compression", self.compression)
            writer.writeUnlessFalse("connect_info", self.isAnswer)
            writer.writeUnlessEmpty("remote_account", self.remoteAccount)
            writer.writeUnlessFalse("acc_is_sys", self.isSystemAccount)
            writer.writeUnlessZero("api_lvl", self.apiLevel)
            writer.writeUnlessNil("import", self.importPermissions)
            writer.writeUnlessNil("export", self.exportPermissions)
            writer.writeUnlessFalse("info_on_connect", self.answersConnect)
            writer.writeUnlessEmpty("leafnode_urls", self.leafNodeURLs ?? [])
        }
        return Array("INFO ".utf8) + writer.bytes + Array(" \r\n".utf8)
    }
}
