import Logging
import NATSText

extension Server {
    /// Tells the log of an authorization service that cannot be asked (nats-server auth.go configureAuthorization, whose
    /// words at the start nobody hears).
    func logUnusableCallout() {
        guard let callout = self.shared.authenticator.callout, !callout.isWithinProcess else { return }
        func quoted(_ text: String) -> String { GoString.quoted(Array(text.utf8)) }
        let hasAccount = self.shared.accounts[callout.account] != nil
        if !hasAccount {
            self.shared.logger.error("Authorization callout account \(quoted(callout.account)) not valid")
        }
        for user in callout.authUserNames where !self.shared.authenticator.hasUser(user) {
            let cause = hasAccount ? "<nil>" : "account missing"
            self.shared.logger.error("Authorization callout user \(quoted(user)) not valid: \(cause)")
        }
    }
}
