import NATSText
import NATSWire

/// What a signing key of an account may sign: users that do exactly what a template says.
package struct UserScope: Sendable, Equatable {
    /// Public key of the signing key.
    package var key: String
    package var role: String
    package var template: UserLimits
    package var description: String

    package init(key: String, role: String = "", template: UserLimits = .unlimited, description: String = "") {
        self.key = key
        self.role = role
        self.template = template
        self.description = description
    }

    init(_ reader: ClaimReader) throws(JSONError) {
        self.init(key: "")
        try reader.read("key", into: &self.key)
        try reader.read("role", into: &self.role)
        for template in try reader.objects("template") { try self.template.read(template) }
        try reader.read("description", into: &self.description)
    }

    var object: JSONValue {
        var template = ClaimWriter()
        self.template.write(to: &template)
        var writer = ClaimWriter()
        writer.write("kind", "user_scope")
        writer.write("key", self.key)
        writer.write("role", self.role)
        writer.write("template", template.object)
        writer.write("description", self.description)
        return writer.object
    }

    /// Why a user was not made by this key as it has to be, `nil` if it was.
    package func failure(of user: UserClaims) -> String? {
        if user.issuer != self.key { return "issuer not the scoped signer" }
        return user.hasEmptyPermissions ? nil : "scoped users require no permissions or limits set"
    }
}

/// The further keys of an account, some of them with a scope.
package struct SigningKeys: Sendable, Equatable {
    package private(set) var scopes: [String: UserScope?] = [:]

    package init() {}

    /// The public keys in order.
    package var keys: [String] { self.scopes.keys.sorted() }

    package var isEmpty: Bool { self.scopes.isEmpty }

    package func contains(_ key: String) -> Bool { self.scopes[key] != nil }

    /// The scope of a key; `nil` if it has none or is not one of these.
    package func scope(of key: String) -> UserScope? { self.scopes[key] ?? nil }

    /// A key that may sign any user.
    package mutating func add(_ key: String) { self.scopes[key] = .some(nil) }

    /// A key that may sign users of a scope.
    package mutating func add(_ scope: UserScope) { self.scopes[scope.key] = scope }

    mutating func read(_ value: JSONValue) throws(JSONError) {
        for element in try value.elements("signing_keys") {
            switch element {
            case .string(let key):
                self.add(key)
            case .object(let members):
                guard case .string("user_scope") = members.last(where: { $0.key == "kind" })?.value else {
                    throw JSONError("unknown signing key scope")
                }
                self.add(try UserScope(ClaimReader(element)))
            default:
                // nats-io/jwt SigningKeys.UnmarshalJSON does not look at anything else.
                continue
            }
        }
    }

    var values: [JSONValue] {
        self.keys.map { key in self.scope(of: key)?.object ?? .string(key) }
    }

    func validate(into report: inout ValidationReport) {
        for key in self.keys {
            if let scope = self.scope(of: key) {
                if !NKey.isPublicKey(scope.key, of: .account) {
                    report.error("\(scope.key) is not an account public key")
                }
            } else if !NKey.isPublicKey(key, of: .account) {
                report.error("\(GoString.quoted(key)) is not a valid account signing key")
            }
        }
    }
}
