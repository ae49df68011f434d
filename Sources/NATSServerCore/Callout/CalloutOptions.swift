internal import NATSServerConfig

/// A service that decides who may connect, instead of the server; names are those of the official `auth_callout` block.
package struct CalloutOptions: Sendable, Equatable {
    /// Public key of the account whose key signs the service's answers, `A…`.
    package var issuer: String
    /// Name of the account that the service belongs to.
    package var account: String
    /// Users (names or nkeys) about whom the service is not asked, its own among them.
    package var authUsers: [String]
    /// The service's public key for encryption, `X…`; not encrypted if `nil`.
    package var xkey: String?
    /// Names of the accounts about whose users the service is asked; all if empty.
    ///
    /// About users of `$G` it is always asked.
    package var allowedAccounts: [String]

    /// Whether ``ServerOptions/authorizer`` decides, and no service.
    private(set) var isWithinProcess = false

    /// What makes ``ServerOptions/authorizer`` decide about everybody.
    package static func withinProcess() -> CalloutOptions {
        var options = CalloutOptions(issuer: "", authUsers: [])
        options.isWithinProcess = true
        return options
    }

    package init(
        issuer: String,
        account: String = "$G",
        authUsers: [String],
        xkey: String? = nil,
        allowedAccounts: [String] = []
    ) {
        self.issuer = issuer
        self.account = account
        self.authUsers = authUsers
        self.xkey = xkey
        self.allowedAccounts = allowedAccounts
    }

    init(_ configuration: AuthCalloutConfiguration) {
        self.init(
            issuer: configuration.issuer,
            account: configuration.account,
            authUsers: configuration.authUsers,
            xkey: configuration.xkey,
            allowedAccounts: configuration.allowedAccounts
        )
    }
}
