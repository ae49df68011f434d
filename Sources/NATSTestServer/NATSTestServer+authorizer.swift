import NATSServerCore

extension NATSTestServer {
    /// A client that wants in, as it says itself.
    public struct Candidate: Sendable, Hashable {
        /// The IP address that it comes from.
        public let host: String
        /// User name; empty if it gave none.
        public let user: String
        /// Password; empty if it gave none.
        public let password: String
        /// Token; empty if it gave none.
        public let token: String
        /// Public nkey, empty if it gave none; whether it has the private one nobody has checked.
        public let nkey: String
        /// What the client calls itself.
        public let name: String
    }

    /// What becomes of a client.
    public struct Decision: Sendable, Hashable {
        fileprivate enum Verdict: Sendable, Hashable {
            case accept(account: String, name: String, permissions: Permissions?, stay: Duration?)
            case refuse(String)
        }

        fileprivate let verdict: Verdict

        /// The client is let in.
        ///
        /// - Parameters:
        ///   - account: Name of its account, one of ``NATSTestServer/Options/accounts`` or `$G`.
        ///   - name: What the server calls it; what it calls itself if empty.
        ///   - permissions: What it may do; everything if `nil`.
        ///   - stay: When it has to go; never if `nil`.
        /// - Returns: the decision.
        public static func accept(
            in account: String = "$G",
            as name: String = "",
            permissions: Permissions? = nil,
            for stay: Duration? = nil
        ) -> Decision {
            Decision(verdict: .accept(account: account, name: name, permissions: permissions, stay: stay))
        }

        /// The client gets `Authorization Violation`.
        ///
        /// - Parameter reason: Why, for the server's log.
        /// - Returns: the decision.
        public static func refuse(_ reason: String = "refused") -> Decision { Decision(verdict: .refuse(reason)) }
    }
}

extension NATSTestServer.Options {
    /// What asks ``authorizer`` about every client.
    var engineAuthorizer: Authorizer? {
        guard let authorizer = self.authorizer else { return nil }
        return Authorizer { client in
            let candidate = NATSTestServer.Candidate(
                host: client.host,
                user: client.user,
                password: client.password,
                token: client.token,
                nkey: client.nkey,
                name: client.name
            )
            switch await authorizer(candidate).verdict {
            case .accept(let account, let name, let permissions, let stay):
                return .accept(account: account, name: name, permissions: permissions?.options, stay: stay)
            case .refuse(let reason):
                return .refuse(reason)
            }
        }
    }
}
