import NATSServerCore

extension NATSTestServer {
    /// A space of subjects of its own, with the users that belong to it.
    ///
    /// What one account publishes no other one sees, unless the one exports and the other imports it. Users that are not in
    /// an account are together in one more, `$G`.
    public struct Account: Sendable, Hashable {
        /// The name, other than `$G`.
        public var name: String
        /// Who belongs to it; names are unique over all accounts.
        public var users: [User]
        /// What other accounts may import.
        public var exports: [Export]
        /// What it has of other accounts.
        public var imports: [Import]
        /// Subjects that become others when they are published, such as `"orders.*": "new.{{partition(3,1)}}.$1"`.
        public var mappings: [String: String]
        /// Clients at a time; any number if `nil`.
        public var maxConnections: Int?
        /// Subscriptions of each client; any number if `nil`.
        public var maxSubscriptions: Int?
        /// Headers plus payload of a message, in bytes; as for the server if `nil`.
        public var maxPayload: Int?

        /// An account without limits of its own.
        ///
        /// - Parameters:
        ///   - name: The name.
        ///   - users: Who belongs to it.
        ///   - exports: What other accounts may import.
        ///   - imports: What it has of other accounts.
        ///   - mappings: Subjects that become others when they are published.
        public init(
            name: String,
            users: [User] = [],
            exports: [Export] = [],
            imports: [Import] = [],
            mappings: [String: String] = [:]
        ) {
            self.name = name
            self.users = users
            self.exports = exports
            self.imports = imports
            self.mappings = mappings
        }
    }

    /// What accounts share.
    public enum ShareKind: Sendable, Hashable {
        /// Messages that the exporting account publishes.
        case stream
        /// Requests of the importing account, which the exporting one answers.
        case service
    }

    /// Subjects that other accounts may import.
    public struct Export: Sendable, Hashable {
        /// What is shared.
        public var kind: ShareKind
        /// The subject, wildcards included.
        public var subject: String
        /// Who may import it; everybody if `nil`.
        public var accounts: [String]?
        /// Whether a request to a service may have more than one answer; an empty one is the last.
        public var hasManyAnswers = false
        /// How long a service may take for an answer.
        public var responseThreshold: Duration = .seconds(120)
        /// Where the latency of a service is published, as JSON, for each answer; nowhere if `nil`.
        public var latencySubject: String?
        /// The token of the subject, counted from 1, that has to be the importing account's name; none if `nil`.
        public var accountTokenPosition: Int?

        /// Messages for other accounts.
        ///
        /// - Parameters:
        ///   - subject: The subject, wildcards included.
        ///   - accounts: Who may import it; everybody if `nil`.
        /// - Returns: the export.
        public static func stream(_ subject: String, for accounts: [String]? = nil) -> Export {
            Export(kind: .stream, subject: subject, accounts: accounts)
        }

        /// A service for other accounts.
        ///
        /// - Parameters:
        ///   - subject: The subject, wildcards included.
        ///   - accounts: Who may import it; everybody if `nil`.
        /// - Returns: the export.
        public static func service(_ subject: String, for accounts: [String]? = nil) -> Export {
            Export(kind: .service, subject: subject, accounts: accounts)
        }
    }

    /// Subjects of another account.
    public struct Import: Sendable, Hashable {
        /// What is shared.
        public var kind: ShareKind
        /// The other account.
        public var account: String
        /// The subject there.
        public var subject: String
        /// What it is called here, `$1` standing for its first wildcard; the same if `nil`.
        public var localSubject: String?
        /// Whether requests to a service tell more of the client than its account.
        public var share = false

        /// Messages of another account.
        ///
        /// - Parameters:
        ///   - subject: The subject there.
        ///   - account: The other account.
        ///   - localSubject: What it is called here; the same if `nil`.
        /// - Returns: the import.
        public static func stream(_ subject: String, from account: String, as localSubject: String? = nil) -> Import {
            Import(kind: .stream, account: account, subject: subject, localSubject: localSubject)
        }

        /// A service of another account.
        ///
        /// - Parameters:
        ///   - subject: The subject there.
        ///   - account: The other account.
        ///   - localSubject: What it is called here; the same if `nil`.
        /// - Returns: the import.
        public static func service(_ subject: String, from account: String, as localSubject: String? = nil) -> Import {
            Import(kind: .service, account: account, subject: subject, localSubject: localSubject)
        }
    }
}

extension NATSTestServer.Account {
    var options: AccountOptions {
        var options = AccountOptions(name: self.name)
        options.limits.maxConnections = self.maxConnections ?? -1
        options.limits.maxSubscriptions = self.maxSubscriptions ?? -1
        options.limits.maxPayload = self.maxPayload ?? -1
        options.mappings = self.mappings.sorted { $0.key < $1.key }.map { source, destination in
            MappingOptions(source: source, destinations: [.init(subject: destination)])
        }
        options.exports = self.exports.map { item in
            var export = ExportOptions(item.kind.options, item.subject)
            export.accounts = item.accounts
            export.responseType = item.hasManyAnswers ? .stream : .single
            export.responseThreshold = item.responseThreshold
            export.latency = item.latencySubject.map { ExportOptions.Latency(subject: $0) }
            export.accountTokenPosition = item.accountTokenPosition ?? 0
            return export
        }
        options.imports = self.imports.map { item in
            var own = ImportOptions(item.kind.options, account: item.account, subject: item.subject)
            own.to = item.localSubject
            own.share = item.share
            return own
        }
        return options
    }
}

extension NATSTestServer.ShareKind {
    fileprivate var options: ExportOptions.Kind { self == .stream ? .stream : .service }
}
