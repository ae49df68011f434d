/// Decides about clients within the process, in the place of an authorization service.
package struct Authorizer: Sendable {
    /// Who wants in, as it says itself.
    package struct Client: Sendable {
        package var host: String
        /// Empty if not given, as all that follows.
        package var user: String
        package var password: String
        package var token: String
        package var nkey: String
        package var name: String
    }

    package enum Verdict: Sendable {
        /// The name of the account, what the client is called if not what it calls itself, what it may do (everything if `nil`),
        /// and how long it may stay (for ever if `nil`).
        case accept(account: String, name: String, permissions: PermissionOptions?, stay: Duration?)
        /// Why not, for the log.
        case refuse(String)
    }

    /// Decides about a client; cancelled when that has gone, or the time for the authentication is over.
    package var decide: @Sendable (Client) async -> Verdict

    package init(decide: @escaping @Sendable (Client) async -> Verdict) { self.decide = decide }
}
