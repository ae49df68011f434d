internal import NATSWire

/// The `CONNECT` object of a leaf node: what the server that dialled says first.
struct LeafConnect: Equatable, Sendable {
    var version = ""
    /// The sender's public key as a user; empty for none.
    var nkey = ""
    var jwt = ""
    var signature = ""
    var user = ""
    /// Secret: it must not reach a log.
    var password = ""
    /// Secret: it must not reach a log.
    var token = ""
    /// The sender's server id.
    var serverID = ""
    var domain = ""
    /// The sender's server name.
    var name = ""
    /// Whether the sender is the hub.
    var isHub = false
    /// The sender's cluster, or its name if it is none.
    var cluster = ""
    /// Whether the sender understands HMSG.
    var headers = false
    /// What the sender does not want to get.
    var denyPublish: [String] = []
    /// Whether the sender wants to hear nothing of other leaf nodes.
    var isIsolated = false
    /// A mode as the configuration names it, or `not supported`.
    var compression = ""
    /// Set by a gateway that has the wrong port.
    var gateway = ""
    /// The sender's account that it wants to connect.
    var remoteAccount = ""
    var proto = 0
    /// Set by a client that has the wrong port; never written.
    var lang = ""

    init() {}

    /// Reads the JSON part of a `CONNECT` line.
    ///
    /// Unknown keys are ignored. Throws for what is no object, for a wrong type, and for more than
    /// ``RouteInfo/maximumListCount`` subjects.
    init(json: UnsafeRawBufferPointer) throws(JSONError) {
        let document = try JSONValue.parse(json)
        // Keys of a client's are looked at first (nats-server client.go processConnect).
        var client = ConnectPayload()
        try client.merge(document)
        self.version = client.version
        self.nkey = client.nkey
        self.jwt = client.jwt
        self.signature = client.signature
        self.user = client.user
        self.password = client.password
        self.token = client.authToken
        self.lang = client.lang
        self.headers = client.headers
        self.proto = client.proto
        let object = try JSONObjectReader(document)
        try RouteInfo.read("server_id", from: object, into: &self.serverID)
        try RouteInfo.read("domain", from: object, into: &self.domain)
        try RouteInfo.read("name", from: object, into: &self.name)
        try object.read("is_hub", into: &self.isHub)
        try RouteInfo.read("cluster", from: object, into: &self.cluster)
        try object.read("deny_pub", into: &self.denyPublish)
        try object.read("isolate", into: &self.isIsolated)
        try RouteInfo.read("compress_mode", from: object, into: &self.compression)
        try RouteInfo.read("gateway", from: object, into: &self.gateway)
        try RouteInfo.read("remote_account", from: object, into: &self.remoteAccount)
        guard self.denyPublish.count <= RouteInfo.maximumListCount else {
            throw JSONError("deny_pub: more than \(RouteInfo.maximumListCount) subjects")
        }
        self.denyPublish = self.denyPublish.filter(PermissionOptions.isSubject)
    }

    /// The whole line, keys in the order of nats-server leafnode.go leafConnectInfo.
    func encode() -> [UInt8] {
        var writer = JSONObjectWriter(prefix: Array("CONNECT ".utf8))
        writer.writeUnlessEmpty("version", self.version)
        writer.writeUnlessEmpty("nkey", self.nkey)
        writer.writeUnlessEmpty("jwt", self.jwt)
        writer.writeUnlessEmpty("sig", self.signature)
        writer.writeUnlessEmpty("user", self.user)
        writer.writeUnlessEmpty("pass", self.password)
        writer.writeUnlessEmpty("auth_token", self.token)
        writer.writeUnlessEmpty("server_id", self.serverID)
        writer.writeUnlessEmpty("domain", self.domain)
        writer.writeUnlessEmpty("name", self.name)
        writer.writeUnlessFalse("is_hub", self.isHub)
        writer.writeUnlessEmpty("cluster", self.cluster)
        writer.writeUnlessFalse("headers", self.headers)
        writer.writeUnlessEmpty("deny_pub", self.denyPublish)
        writer.writeUnlessFalse("isolate", self.isIsolated)
        writer.writeUnlessEmpty("compress_mode", self.compression)
        writer.writeUnlessEmpty("remote_account", self.remoteAccount)
        writer.writeUnlessZero("protocol", self.proto)
        writer.finish()
        return writer.bytes + Array("\r\n".utf8)
    }

    /// What of it says who the sender is.
    var payload: ConnectPayload {
        var payload = ConnectPayload()
        payload.verbose = false
        payload.pedantic = false
        payload.echo = false
        payload.headers = self.headers
        payload.jwt = self.jwt
        payload.nkey = self.nkey
        payload.signature = self.signature
        payload.user = self.user
        payload.password = self.password
        payload.authToken = self.token
        payload.name = self.name
        payload.version = self.version
        return payload
    }
}
