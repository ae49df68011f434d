/// The `CONNECT` object: what a client says about itself.
///
/// The defaults are the server's (nats-server client.go `defaultOpts`): a key that is missing leaves `verbose`, `pedantic`
/// and `echo` true, so clients always send them.
package struct ConnectPayload: Sendable, Equatable {
    package var verbose = true
    package var pedantic = true
    package var echo = true
    package var tlsRequired = false
    package var jwt = ""
    package var nkey = ""
    package var signature = ""
    package var user = ""
    package var password = ""
    package var authToken = ""
    package var name = ""
    package var lang = ""
    package var version = ""
    package var proto = 0
    package var headers = false
    package var noResponders = false
    /// Obsolete; a server refuses any use of it.
    package var account = ""
    /// Obsolete; a server refuses any use of it.
    package var newAccount = false
    package var remoteAccount = ""
    package var proxySignature = ""

    package init() {}

    /// Reads the JSON part of a `CONNECT` line on top of the server's defaults.
    package init(json: UnsafeRawBufferPointer) throws(JSONError) {
        try self.merge(JSONValue.parse(json))
    }

    /// Reads the JSON part of a `CONNECT` line on top of the server's defaults.
    package init(json: [UInt8]) throws(JSONError) {
        try self.merge(JSONValue.parse(json))
    }

    /// Applies a further `CONNECT`: keys that it lacks or gives as `null` keep their values.
    ///
    /// Unknown keys are ignored, keys match without regard to case, a wrong type throws.
    package mutating func merge(_ document: JSONValue) throws(JSONError) {
        let object = try JSONObjectReader(document)
        try object.read("verbose", into: &self.verbose)
        try object.read("pedantic", into: &self.pedantic)
        try object.read("echo", into: &self.echo)
        try object.read("tls_required", into: &self.tlsRequired)
        try object.read("jwt", into: &self.jwt)
        try object.read("nkey", into: &self.nkey)
        try object.read("sig", into: &self.signature)
        try object.read("user", into: &self.user)
        try object.read("pass", into: &self.password)
        try object.read("auth_token", into: &self.authToken)
        try object.read("name", into: &self.name)
        try object.read("lang", into: &self.lang)
        try object.read("version", into: &self.version)
        try object.read("protocol", into: &self.proto)
        try object.read("headers", into: &self.headers)
        try object.read("no_responders", into: &self.noResponders)
        try object.read("account", into: &self.account)
        try object.read("new_account", into: &self.newAccount)
        try object.read("remote_account", into: &self.remoteAccount)
        try object.read("proxy_sig", into: &self.proxySignature)
        // Only leaf nodes mean something by these, but a wrong type is an error for everybody (nats-server ClientOpts).
        for key in ["import", "export"] {
            try object.readObject(key) { permission throws(JSONError) in
                var subjects: [String] = []
                try permission.read("allow", into: &subjects)
                try permission.read("deny", into: &subjects)
            }
        }
    }

    /// The whole line as a client sends it, keys in the order of nats.go.
    package func encode() -> [UInt8] {
        var writer = JSONObjectWriter(prefix: Array("CONNECT ".utf8))
        writer.write("verbose", self.verbose)
        writer.write("pedantic", self.pedantic)
        writer.writeUnlessEmpty("jwt", self.jwt)
        writer.writeUnlessEmpty("nkey", self.nkey)
        writer.writeUnlessEmpty("sig", self.signature)
        writer.writeUnlessEmpty("user", self.user)
        writer.writeUnlessEmpty("pass", self.password)
        writer.writeUnlessEmpty("auth_token", self.authToken)
        writer.write("tls_required", self.tlsRequired)
        writer.write("name", self.name)
        writer.write("lang", self.lang)
        writer.write("version", self.version)
        writer.write("protocol", self.proto)
        writer.write("echo", self.echo)
        writer.write("headers", self.headers)
        writer.write("no_responders", self.noResponders)
        writer.writeUnlessEmpty("account", self.account)
        writer.writeUnlessFalse("new_account", self.newAccount)
        writer.writeUnlessEmpty("remote_account", self.remoteAccount)
        writer.writeUnlessEmpty("proxy_sig", self.proxySignature)
        writer.finish()
        return writer.bytes + Array("\r\n".utf8)
    }
}
