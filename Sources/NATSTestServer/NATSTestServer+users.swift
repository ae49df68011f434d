import NATSServerCore

extension NATSTestServer {
    /// Somebody who may connect.
    public struct User: Sendable, Hashable {
        /// How a user proves to be it.
        public enum Credentials: Sendable, Hashable {
            /// A name and a password; the password may be given as a bcrypt hash (Linux only).
            case password(name: String, password: String)
            /// A public nkey, `U…`, whose private key signs the nonce in INFO.
            case nkey(String)
        }

        /// How the user proves to be it.
        public var credentials: Credentials
        /// What the user may do; ``NATSTestServer/Options/defaultPermissions`` if `nil`.
        public var permissions: Permissions?

        /// A user with a name and a password.
        ///
        /// - Parameters:
        ///   - name: The name.
        ///   - password: The password, or its bcrypt hash.
        ///   - permissions: What the user may do.
        public init(name: String, password: String, permissions: Permissions? = nil) {
            self.credentials = .password(name: name, password: password)
            self.permissions = permissions
        }

        /// A user with an nkey.
        ///
        /// - Parameters:
        ///   - nkey: The public key, `U…`.
        ///   - permissions: What the user may do.
        public init(nkey: String, permissions: Permissions? = nil) {
            self.credentials = .nkey(nkey)
            self.permissions = permissions
        }
    }

    /// What a user may do; by default everything.
    public struct Permissions: Sendable, Hashable {
        /// Subjects, wildcards included, that are allowed and denied.
        public struct Subjects: Sendable, Hashable {
            /// What is allowed; everything if `nil`.
            public var allow: [String]?
            /// What is denied, even if it is allowed too.
            public var deny: [String]

            /// - Parameters:
            ///   - allow: What is allowed; everything if `nil`.
            ///   - deny: What is denied, even if it is allowed too.
            public init(allow: [String]? = nil, deny: [String] = []) {
                self.allow = allow
                self.deny = deny
            }
        }

        /// Leave to publish to the reply subjects of messages that were received.
        public struct Responses: Sendable, Hashable {
            /// Messages for each reply subject; less than 0 for any number.
            public var maxMessages: Int
            /// Time since the request; less than 0 for ever.
            public var expires: Duration

            /// - Parameters:
            ///   - maxMessages: Messages for each reply subject; less than 0 for any number.
            ///   - expires: Time since the request; less than 0 for ever.
            public init(maxMessages: Int = 1, expires: Duration = .seconds(120)) {
                self.maxMessages = maxMessages
                self.expires = expires
            }
        }

        /// Subjects to publish to.
        public var publish: Subjects?
        /// Subjects to subscribe to; an entry may be `subject queue`, for subscriptions in that queue group.
        public var subscribe: Subjects?
        /// Without allowed subjects in ``publish``, nothing but answers may be published.
        public var responses: Responses?

        /// - Parameters:
        ///   - publish: Subjects to publish to; all if `nil`.
        ///   - subscribe: Subjects to subscribe to; all if `nil`.
        ///   - responses: Leave to answer.
        public init(publish: Subjects? = nil, subscribe: Subjects? = nil, responses: Responses? = nil) {
            self.publish = publish
            self.subscribe = subscribe
            self.responses = responses
        }
    }

    /// Takes over other users, permissions and accounts while the server runs.
    ///
    /// New connections need the new credentials. Connections whose user is gone are closed, those whose credentials have
    /// become wrong get an error first, the others lose the subscriptions that they may not have any more and are told so.
    /// A later ``restart()`` begins with the options of the start again.
    ///
    /// - Parameter options: Of these, `user`, `password`, `token`, `users`, `accounts`, `noAuthUser`,
    ///   `defaultPermissions` and `authTimeout` count.
    /// - Throws: ``NATSTestServerError`` if the options cannot be used; then nothing has changed.
    public func reloadAuthorization(_ options: Options) async throws {
        do {
            try await self.currentServer.reload(authorization: options.authorization)
        } catch {
            throw NATSTestServerError(message: error.description)
        }
    }
}

extension NATSTestServer.Options {
    var authorization: AuthorizationOptions {
        var authorization = AuthorizationOptions()
        authorization.username = self.user
        authorization.password = self.password
        authorization.token = self.token
        authorization.timeout = self.authTimeout
        authorization.callout = self.authorizer == nil || self.operator != nil ? nil : .withinProcess()
        authorization.noAuthUser = self.noAuthUser
        authorization.defaultPermissions = self.defaultPermissions?.options
        authorization.accounts = self.accounts.map(\.options)
        authorization.systemAccount = self.operator?.systemAccount ?? self.systemAccount
        var users = (self.users ?? []).map { (user: $0, account: String?.none) }
        for account in self.accounts { users += account.users.map { ($0, account.name) } }
        guard self.users != nil || !users.isEmpty else { return authorization }
        var named: [AuthorizationOptions.User] = []
        var signing: [AuthorizationOptions.NKeyUser] = []
        for (user, account) in users {
            switch user.credentials {
            case .password(let name, let password):
                var entry = AuthorizationOptions.User(name: name, password: password)
                entry.permissions = user.permissions?.options
                entry.account = account
                named.append(entry)
            case .nkey(let nkey):
                var entry = AuthorizationOptions.NKeyUser(nkey: nkey, permissions: user.permissions?.options)
                entry.account = account
                signing.append(entry)
            }
        }
        authorization.users = named
        authorization.nkeys = signing
        return authorization
    }
}

extension NATSTestServer.Permissions {
    var options: PermissionOptions {
        PermissionOptions(
            publish: self.publish.map { .init(allow: $0.allow, deny: $0.deny) },
            subscribe: self.subscribe.map { .init(allow: $0.allow, deny: $0.deny) },
            responses: self.responses.map { .init(maxMessages: $0.maxMessages, expires: $0.expires) }
        )
    }
}
