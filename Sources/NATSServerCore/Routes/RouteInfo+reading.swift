internal import NATSWire

extension RouteInfo {
    /// Longest id, name or other single text that is taken from a peer, in bytes.
    static let maximumTextLength = 1024
    /// Most URLs of a kind, and most subjects of a permission, that are kept of one INFO.
    static let maximumListCount = 1024

    /// Reads the JSON part of an `INFO` line.
    ///
    /// Unknown keys are ignored. Throws where the official server closes the connection without a text: for what is no
    /// object, and for a wrong type in any key that some `INFO` has. Beyond that texts longer than
    /// ``maximumTextLength`` throw. Of URLs the first ``maximumListCount`` are kept, without those that are empty or too
    /// long, and permissions of more subjects not at all.
    init(json: UnsafeRawBufferPointer) throws(JSONError) {
        let object = try JSONObjectReader(JSONValue.parse(json))
        try self.readServer(object)
        try self.readRoute(object)
        try Self.check(object)
    }

    private mutating func readServer(_ object: JSONObjectReader) throws(JSONError) {
        try Self.read("server_id", from: object, into: &self.serverID)
        try Self.read("server_name", from: object, into: &self.serverName)
        try Self.read("version", from: object, into: &self.version)
        try object.read("proto", into: &self.proto)
        try Self.read("git_commit", from: object, into: &self.gitCommit)
        try Self.read("go", from: object, into: &self.goVersion)
        try Self.read("host", from: object, into: &self.host)
        try object.read("port", into: &self.port)
        try object.read("headers", into: &self.headers)
        try object.read("auth_required", into: &self.authRequired)
        try object.read("tls_required", into: &self.tlsRequired)
        try object.read("tls_verify", into: &self.tlsVerify)
        try object.read("max_payload", into: &self.maxPayload)
        try object.read("jetstream", into: &self.jetStream)
        try Self.read("ip", from: object, into: &self.ip)
        try Self.read("nonce", from: object, into: &self.nonce)
        try Self.read("cluster", from: object, into: &self.cluster)
        try object.read("cluster_dynamic", into: &self.isClusterDynamic)
        try Self.read("domain", from: object, into: &self.domain)
        try Self.readURLs("connect_urls", from: object, into: &self.connectURLs)
        try Self.readURLs("ws_connect_urls", from: object, into: &self.webSocketConnectURLs)
        try object.read("ldm", into: &self.lameDuckMode)
        try Self.read("compression", from: object, into: &self.compression)
    }

    private mutating func readRoute(_ object: JSONObjectReader) throws(JSONError) {
        self.importPermissions = Self.shown(try Self.subjects("import", from: object))
        self.exportPermissions = Self.shown(try Self.subjects("export", from: object))
        try object.read("lnoc", into: &self.leafOrigins)
        try object.read("lnocu", into: &self.leafOriginsInNoInterest)
        try object.read("ln", into: &self.ln)
        try object.read("route_pool_size", into: &self.poolSize)
        try object.read("route_pool_idx", into: &self.poolIndex)
        try Self.read("route_account", from: object, into: &self.account)
        try Self.read("route_acc_add_reqid", from: object, into: &self.accountRequestID)
        try object.read("gossip_mode", into: &self.gossipMode)
        try Self.readURLs("leafnode_urls", from: object, into: &self.leafNodeURLs)
    }

    /// The keys of other kinds of connection, whose types count all the same.
    private static func check(_ object: JSONObjectReader) throws(JSONError) {
        var flag = false
        for key in ["tls_available", "connect_info", "acc_is_sys", "info_on_connect", "gateway_nrp", "gateway_iom"] {
            try object.read(key, into: &flag)
        }
        var text = ""
        for key in ["client_ip", "remote_account", "gateway", "gateway_url", "gateway_cmd_payload", "xkey"] {
            try object.read(key, into: &text)
        }
        var id: UInt64 = 0
        try object.read("client_id", into: &id)
        var level = 0
        try object.read("api_lvl", into: &level)
        var command: UInt8 = 0
        try object.read("gateway_cmd", into: &command)
        var urls: [String] = []
        try object.read("gateway_urls", into: &urls)
    }

    // MARK: Bounds

    /// Reads a text that may not be longer than ``maximumTextLength``.
    static func read(_ key: String, from object: JSONObjectReader, into field: inout String) throws(JSONError) {
        var text = field
        try object.read(key, into: &text)
        field = try self.bounded(key, text)
    }

    /// The text, if it is not longer than ``maximumTextLength``.
    static func bounded(_ key: String, _ text: String) throws(JSONError) -> String {
        guard text.utf8.count <= Self.maximumTextLength else {
            throw JSONError("\(key): longer than \(Self.maximumTextLength) bytes")
        }
        return text
    }

    private static func readURLs(
        _ key: String,
        from object: JSONObjectReader,
        into field: inout [String]
    ) throws(JSONError) {
        var urls: [String] = []
        try object.read(key, into: &urls)
        field = Array(
            urls.lazy.filter { !$0.isEmpty && $0.utf8.count <= Self.maximumTextLength }.prefix(Self.maximumListCount)
        )
    }

    /// Reads what may pass in one direction.
    static func subjects(
        _ key: String,
        from object: JSONObjectReader
    ) throws(JSONError) -> PermissionOptions.Subjects? {
        var subjects: PermissionOptions.Subjects?
        try object.readObject(key) { permission throws(JSONError) in
            var found = subjects ?? PermissionOptions.Subjects()
            try permission.read("allow", into: &found.allow)
            try permission.read("deny", into: &found.deny)
            subjects = found
        }
        return subjects
    }

    /// Permissions of routes are only shown: there is no harm in leaving out long ones.
    private static func shown(_ subjects: PermissionOptions.Subjects?) -> PermissionOptions.Subjects? {
        subjects.flatMap { $0.longestList <= self.maximumListCount ? $0 : nil }
    }
}

extension PermissionOptions.Subjects {
    /// How many subjects the longer of the two lists has.
    var longestList: Int { max(self.allow?.count ?? 0, self.deny.count) }
}
