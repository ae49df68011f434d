internal import NATSWire

/// The `CONNECT` object of a route: what the server that dialled says first.
struct RouteConnect: Equatable, Sendable {
    var echo = true
    /// Whether the sender wants `+OK` for everything; no server does.
    var verbose = false
    var pedantic = false
    /// From the route's URL; empty for none.
    var user = ""
    /// Secret: it must not reach a log.
    var password = ""
    /// Whether the connection is encrypted.
    var tlsRequired = false
    /// Whether the sender understands HMSG.
    var headers = true
    /// The sender's server id.
    var serverID = ""
    var cluster = ""
    /// Whether the cluster's name was made up, so that another one may take its place.
    var isClusterDynamic = false
    /// Whether the sender understands `LS+` and `LMSG`.
    var leafOrigins = false
    /// Whether the sender names the origin in `LS-`.
    var leafOriginsInNoInterest = false
    /// `ln`, which 2.15.1 sends and which nobody explains.
    var ln = false
    /// Set by a gateway that has the wrong port.
    var gateway = ""
    /// Set by a client that has the wrong port; never written.
    var lang = ""

    init() {}

    /// Reads the JSON part of a `CONNECT` line on top of what a missing key means for a route.
    ///
    /// Unknown keys are ignored. Throws where the official server closes the connection without a text: for what is no
    /// object, and for a wrong type in any key of a client's or of a route's CONNECT (nats-server client.go
    /// processConnect reads the first, route.go processRouteConnect the second). Throws also for texts beyond
    /// ``RouteInfo/maximumTextLength``, which it takes.
    init(json: UnsafeRawBufferPointer) throws(JSONError) {
        let document = try JSONValue.parse(json)
        var client = ConnectPayload()
        try client.merge(document)
        self.echo = false
        self.headers = false
        let object = try JSONObjectReader(document)
        try object.read("echo", into: &self.echo)
        try object.read("verbose", into: &self.verbose)
        try object.read("pedantic", into: &self.pedantic)
        try object.read("tls_required", into: &self.tlsRequired)
        try object.read("headers", into: &self.headers)
        try object.read("cluster_dynamic", into: &self.isClusterDynamic)
        try object.read("lnoc", into: &self.leafOrigins)
        try object.read("lnocu", into: &self.leafOriginsInNoInterest)
        try object.read("ln", into: &self.ln)
        self.user = try RouteInfo.bounded("user", client.user)
        self.password = try RouteInfo.bounded("pass", client.password)
        self.serverID = try RouteInfo.bounded("name", client.name)
        self.lang = try RouteInfo.bounded("lang", client.lang)
        try RouteInfo.read("cluster", from: object, into: &self.cluster)
        try RouteInfo.read("gateway", from: object, into: &self.gateway)
    }

    /// The whole line, keys in the order of nats-server route.go connectInfo.
    func encode() -> [UInt8] {
        var writer = JSONObjectWriter(prefix: Array("CONNECT ".utf8))
        writer.write("echo", self.echo)
        writer.write("verbose", self.verbose)
        writer.write("pedantic", self.pedantic)
        writer.writeUnlessEmpty("user", self.user)
        writer.writeUnlessEmpty("pass", self.password)
        writer.write("tls_required", self.tlsRequired)
        writer.write("headers", self.headers)
        writer.write("name", self.serverID)
        writer.write("cluster", self.cluster)
        writer.writeUnlessFalse("cluster_dynamic", self.isClusterDynamic)
        writer.writeUnlessFalse("lnoc", self.leafOrigins)
        writer.writeUnlessFalse("lnocu", self.leafOriginsInNoInterest)
        writer.writeUnlessFalse("ln", self.ln)
        writer.writeUnlessEmpty("gateway", self.gateway)
        writer.finish()
        return writer.bytes + Array("\r\n".utf8)
    }
}
