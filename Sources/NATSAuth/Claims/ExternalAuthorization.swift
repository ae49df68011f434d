import NATSText
import NATSWire

/// An account whose users are decided on by a service (auth callout).
package struct ExternalAuthorization: Sendable, Equatable {
    /// Stands for all accounts in ``allowedAccounts``.
    package static let anyAccount = "*"

    /// Public keys of the users that the service itself connects as.
    package var users: [String] = []
    /// Public keys of the accounts that the service may place users into.
    package var allowedAccounts: [String] = []
    /// The service's public key for encryption; not encrypted if empty.
    package var xkey = ""

    package init() {}

    package var isEnabled: Bool { !self.users.isEmpty }

    mutating func read(_ reader: ClaimReader) throws(JSONError) {
        try reader.read("auth_users", into: &self.users)
        try reader.read("allowed_accounts", into: &self.allowedAccounts)
        try reader.read("xkey", into: &self.xkey)
    }

    var object: JSONValue {
        var writer = ClaimWriter()
        writer.writeUnlessEmpty("auth_users", self.users)
        writer.writeUnlessEmpty("allowed_accounts", self.allowedAccounts)
        writer.writeUnlessEmpty("xkey", self.xkey)
        return writer.object
    }

    func validate(into report: inout ValidationReport) {
        if !self.allowedAccounts.isEmpty, self.users.isEmpty {
            report.error("External authorization cannot have accounts without users specified")
        }
        for user in self.users where !NKey.isPublicKey(user, of: .user) {
            report.error("AuthUser \(GoString.quoted(user)) is not a valid user public key")
        }
        for account in self.allowedAccounts {
            if account == Self.anyAccount {
                guard self.allowedAccounts.count > 1 else { continue }
                report.error("AllowedAccounts can only be a list of accounts or \(GoString.quoted(Self.anyAccount))")
            } else if !NKey.isPublicKey(account, of: .account) {
                report.error("Account \(GoString.quoted(account)) is not a valid account public key")
            }
        }
        if !self.xkey.isEmpty, !NKey.isPublicKey(self.xkey, of: .curve) {
            report.error("XKey \(GoString.quoted(self.xkey)) is not a valid public xkey")
        }
    }
}
