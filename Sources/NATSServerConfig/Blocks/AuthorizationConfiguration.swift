/// An `authorization` block.
package struct AuthorizationConfiguration: Sendable, Equatable {
    /// The only user, unless there are ``users``.
    package var user: String?
    package var password: String?
    package var token: String?
    /// `nil`: 2 seconds, with TLS one second more than the handshake may take.
    package var timeout: Duration?
    /// `nil` when the block has no `users`, which is not the same as an empty list.
    package var users: [UserConfiguration]?
    /// Already applied to the users that have no permissions of their own.
    package var defaultPermissions: PermissionsConfiguration?
    package var authCallout: AuthCalloutConfiguration?
    package var proxyRequired = false

    package init() {}
}

/// An entry of `users`: a name with a password, or an nkey.
package struct UserConfiguration: Sendable, Equatable {
    /// How the user proves who they are.
    package enum Identity: Sendable, Equatable {
        /// The password may be empty, and may be a bcrypt hash.
        case password(user: String, password: String)
        case nkey(String)

        /// User name or public nkey: unique in a configuration.
        package var name: String {
            switch self {
            case .password(let user, _): user
            case .nkey(let key): key
            }
        }
    }

    package var identity: Identity
    package var permissions: PermissionsConfiguration?
    /// In upper case; `nil` allows all.
    package var allowedConnectionTypes: Set<String>?
    package var proxyRequired = false

    package init(identity: Identity) {
        self.identity = identity
    }
}

/// An `auth_callout` block.
package struct AuthCalloutConfiguration: Sendable, Equatable {
    package var issuer = ""
    package var account = "$G"
    package var authUsers: [String] = []
    package var xkey: String?
    package var allowedAccounts: [String] = []

    package init() {}
}

/// The `authorization` block of websocket and mqtt, and the kind of credentials that clusters and gateways have.
package struct SimpleAuthorization: Sendable, Equatable {
    package var user: String?
    package var password: String?
    package var token: String?
    package var timeout: Duration?

    package init() {}
}
