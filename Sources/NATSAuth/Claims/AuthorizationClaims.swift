import NATSText
import NATSWire

/// A server's question to an authorization service whether a client may connect (auth callout).
package struct AuthorizationRequestClaims: ClaimSet {
    /// The server that asks.
    package struct Server: Sendable, Equatable {
        package var name = ""
        package var host = ""
        package var id = ""
        package var version = ""
        package var cluster = ""
        package var tags: [String] = []
        package var xkey = ""

        package init() {}
    }

    /// The client as the server sees it.
    package struct Client: Sendable, Equatable {
        package var host = ""
        package var id: UInt64 = 0
        package var user = ""
        package var name = ""
        package var tags: [String] = []
        package var nameTag = ""
        package var kind = ""
        package var type = ""
        package var mqttID = ""
        package var nonce = ""

        package init() {}
    }

    /// What the client said in `CONNECT`; passwords among it.
    package struct Options: Sendable, Equatable {
        package var jwt = ""
        package var nkey = ""
        package var signature = ""
        package var token = ""
        package var user = ""
        package var password = ""
        package var name = ""
        package var lang = ""
        package var version = ""
        package var proto = 0

        package init() {}
    }

    /// How the client's connection is encrypted, with PEM texts.
    package struct TLS: Sendable, Equatable {
        package var version = ""
        package var cipher = ""
        package var certificates: [String] = []
        package var verifiedChains: [[String]] = []

        package init() {}
    }

    package static let typeName = "authorization_request"
    package static let refusal = "not an authorization request claim"
    package static let issuers: [NKey.Kind] = [.server]

    package var registered: RegisteredClaims
    package var tags: [String] = []
    package private(set) var version = 2

    package var server = Server()
    /// The public key that the answer has to be about.
    package var userKey: String
    package var client = Client()
    package var options = Options()
    package var tls: TLS?
    package var requestNonce = ""

    package init(subject: String, userKey: String) {
        self.registered = RegisteredClaims(subject: subject)
        self.userKey = userKey
    }

    package init(_ claims: ClaimObject, version: Int) throws(JWTError) {
        self.registered = RegisteredClaims()
        self.userKey = ""
        self.version = version
        try JWTError.rethrowing { () throws(JSONError) in
            let reader = try ClaimReader(claims.value)
            try self.registered.read(reader)
            for nats in try reader.objects("nats") {
                for object in try nats.objects("server_id") { try self.server.read(object) }
                try nats.read("user_nkey", into: &self.userKey)
                for object in try nats.objects("client_info") { try self.client.read(object) }
                for object in try nats.objects("connect_opts") { try self.options.read(object) }
                for object in try nats.objects("client_tls") {
                    var tls = self.tls ?? TLS()
                    try tls.read(object)
                    self.tls = tls
                }
                try nats.read("request_nonce", into: &self.requestNonce)
                try nats.read("tags", into: &self.tags)
            }
        }
    }

    package var content: ClaimObject {
        var writer = ClaimWriter()
        writer.write("server_id", self.server.object)
        writer.write("user_nkey", self.userKey)
        writer.write("client_info", self.client.object)
        writer.write("connect_opts", self.options.object)
        if let tls { writer.write("client_tls", tls.object) }
        writer.writeUnlessEmpty("request_nonce", self.requestNonce)
        return ClaimObject(value: writer.object)
    }

    package func validate(_ context: ValidationContext, into report: inout ValidationReport) {
        if self.userKey.isEmpty {
            report.error("User nkey is required")
        } else if !NKey.isPublicKey(self.userKey, of: .user) {
            report.error("User nkey \(GoString.quoted(self.userKey)) is not a valid user public key")
        }
        self.registered.validate(context, into: &report)
    }
}

extension AuthorizationRequestClaims.Server {
    fileprivate mutating func read(_ reader: ClaimReader) throws(JSONError) {
        try reader.read("name", into: &self.name)
        try reader.read("host", into: &self.host)
        try reader.read("id", into: &self.id)
        try reader.read("version", into: &self.version)
        try reader.read("cluster", into: &self.cluster)
        try reader.read("tags", into: &self.tags)
        try reader.read("xkey", into: &self.xkey)
    }

    fileprivate var object: JSONValue {
        var writer = ClaimWriter()
        writer.write("name", self.name)
        writer.write("host", self.host)
        writer.write("id", self.id)
        writer.writeUnlessEmpty("version", self.version)
        writer.writeUnlessEmpty("cluster", self.cluster)
        writer.writeUnlessEmpty("tags", self.tags)
        writer.writeUnlessEmpty("xkey", self.xkey)
        return writer.object
    }
}

extension AuthorizationRequestClaims.Client {
    fileprivate mutating func read(_ reader: ClaimReader) throws(JSONError) {
        try reader.read("host", into: &self.host)
        try reader.read("id", into: &self.id)
        try reader.read("user", into: &self.user)
        try reader.read("name", into: &self.name)
        try reader.read("tags", into: &self.tags)
        try reader.read("name_tag", into: &self.nameTag)
        try reader.read("kind", into: &self.kind)
        try reader.read("type", into: &self.type)
        try reader.read("mqtt_id", into: &self.mqttID)
        try reader.read("nonce", into: &self.nonce)
    }

    fileprivate var object: JSONValue {
        var writer = ClaimWriter()
        writer.writeUnlessEmpty("host", self.host)
        writer.writeUnlessZero("id", self.id)
        writer.writeUnlessEmpty("user", self.user)
        writer.writeUnlessEmpty("name", self.name)
        writer.writeUnlessEmpty("tags", self.tags)
        writer.writeUnlessEmpty("name_tag", self.nameTag)
        writer.writeUnlessEmpty("kind", self.kind)
        writer.writeUnlessEmpty("type", self.type)
        writer.writeUnlessEmpty("mqtt_id", self.mqttID)
        writer.writeUnlessEmpty("nonce", self.nonce)
        return writer.object
    }
}

extension AuthorizationRequestClaims.Options {
    fileprivate mutating func read(_ reader: ClaimReader) throws(JSONError) {
        try reader.read("jwt", into: &self.jwt)
        try reader.read("nkey", into: &self.nkey)
        try reader.read("sig", into: &self.signature)
        try reader.read("auth_token", into: &self.token)
        try reader.read("user", into: &self.user)
        try reader.read("pass", into: &self.password)
        try reader.read("name", into: &self.name)
        try reader.read("lang", into: &self.lang)
        try reader.read("version", into: &self.version)
        try reader.read("protocol", into: &self.proto)
    }

    fileprivate var object: JSONValue {
        var writer = ClaimWriter()
        writer.writeUnlessEmpty("jwt", self.jwt)
        writer.writeUnlessEmpty("nkey", self.nkey)
        writer.writeUnlessEmpty("sig", self.signature)
        writer.writeUnlessEmpty("auth_token", self.token)
        writer.writeUnlessEmpty("user", self.user)
        writer.writeUnlessEmpty("pass", self.password)
        writer.writeUnlessEmpty("name", self.name)
        writer.writeUnlessEmpty("lang", self.lang)
        writer.writeUnlessEmpty("version", self.version)
        writer.write("protocol", self.proto)
        return writer.object
    }
}

extension AuthorizationRequestClaims.TLS {
    fileprivate mutating func read(_ reader: ClaimReader) throws(JSONError) {
        try reader.read("version", into: &self.version)
        try reader.read("cipher", into: &self.cipher)
        try reader.read("certs", into: &self.certificates)
        for value in reader.values("verified_chains") {
            self.verifiedChains = []
            for element in try value.elements("verified_chains") {
                var chain: [String] = []
                for certificate in try element.elements("verified_chains") {
                    chain.append(try certificate.text("verified_chains"))
                }
                self.verifiedChains.append(chain)
            }
        }
    }

    fileprivate var object: JSONValue {
        var writer = ClaimWriter()
        writer.writeUnlessEmpty("version", self.version)
        writer.writeUnlessEmpty("cipher", self.cipher)
        writer.writeUnlessEmpty("certs", self.certificates)
        writer.writeUnlessEmpty(
            "verified_chains",
            self.verifiedChains.map { chain in JSONValue.array(chain.map { .string($0) }) }
        )
        return writer.object
    }
}

/// The answer of an authorization service: a user JWT, or why there is none.
package struct AuthorizationResponseClaims: ClaimSet {
    package static let typeName = "authorization_response"
    package static let refusal = "not an authorization request claim"
    package static let issuers: [NKey.Kind] = [.account]

    package var registered: RegisteredClaims
    package var tags: [String] = []
    package private(set) var version = 2

    package var jwt = ""
    package var error = ""
    /// The account that the issuer signs for, when it is one of its signing keys.
    package var issuerAccount = ""

    /// An answer about a user to a server, both by public key.
    package init(subject: String, audience: String) {
        self.registered = RegisteredClaims(subject: subject)
        self.registered.audience = audience
    }

    package init(_ claims: ClaimObject, version: Int) throws(JWTError) {
        self.registered = RegisteredClaims()
        self.version = version
        try JWTError.rethrowing { () throws(JSONError) in
            let reader = try ClaimReader(claims.value)
            try self.registered.read(reader)
            for nats in try reader.objects("nats") {
                try nats.read("jwt", into: &self.jwt)
                try nats.read("error", into: &self.error)
                try nats.read("issuer_account", into: &self.issuerAccount)
                try nats.read("tags", into: &self.tags)
            }
        }
    }

    package var content: ClaimObject {
        var writer = ClaimWriter()
        writer.writeUnlessEmpty("jwt", self.jwt)
        writer.writeUnlessEmpty("error", self.error)
        writer.writeUnlessEmpty("issuer_account", self.issuerAccount)
        return ClaimObject(value: writer.object)
    }

    package func validate(_ context: ValidationContext, into report: inout ValidationReport) {
        if !NKey.isPublicKey(self.subject, of: .user) { report.error("Subject must be a user public key") }
        if !NKey.isPublicKey(self.registered.audience, of: .server) {
            report.error("Audience must be a server public key")
        }
        if self.error.isEmpty, self.jwt.isEmpty { report.error("Error or Jwt is required") }
        if !self.error.isEmpty, !self.jwt.isEmpty { report.error("Only Error or Jwt can be set") }
        if !self.issuerAccount.isEmpty, !NKey.isPublicKey(self.issuerAccount, of: .account) {
            report.error("issuer_account is not an account public key")
        }
        self.registered.validate(context, into: &report)
    }
}
