import NATSText

/// Where to connect and with what, after flags, environment, context and defaults were weighed.
///
/// Its description does not show a secret.
package struct ConnectionSettings: Sendable, Equatable {
    /// How connections are secured.
    package struct TLS: Sendable, Equatable {
        package var isRequired = false
        package var handshakeFirst = false
        package var skipsVerification = false
        /// The name that the server's certificate must be for.
        package var serverName: String?
        /// Files in PEM form.
        package var certificate: String?
        package var privateKey: String?
        package var authorities: String?

        package init() {}
    }

    /// The server used if nobody names one.
    package static let defaultServer = "nats://127.0.0.1:4222"

    package var servers: [String]
    package var credentials: ConnectionCredentials
    package var tls: TLS
    package var proxy: ProxyAddress?
    /// Nil for the client's own.
    package var inboxPrefix: String?
    /// The context that had a say.
    package var context: String?
    /// Nobody named that context: it is the selected one.
    package private(set) var isFromSelectedContext = false
    /// Limit for connecting and for a reply.
    package var timeout: Duration
    /// The user asked for ``timeout``; the default does not limit the final flush of a long stream.
    package var hasExplicitTimeout: Bool
    package var name: String

    /// Flag before environment before context before default.
    ///
    /// A context that nobody named, but that is selected, counts only if neither flag nor environment says where to
    /// connect or as whom: what is stored there does not go to a server that the user typed.
    ///
    /// - Parameters:
    ///   - options: The flags.
    ///   - environment: Looks a variable up.
    ///   - defaultName: The connection's name unless a flag gives another.
    /// - Throws: `UsageError` for flags and variables that cannot be meant; `ToolFailure` for files that cannot be used.
    package init(
        options: ConnectionOptions,
        environment: (String) -> String?,
        defaultName: String
    ) throws {
        let flags = try ConnectionSource(options)
        let variables = try ConnectionSource(environment: environment)
        let context = try Self.context(
            options,
            environment,
            isSelectedAllowed: !flags.namesServerOrUser && !variables.namesServerOrUser
        )
        let sources = ConnectionSources([flags, variables] + (context.map { [$0] } ?? []))

        self.name = options.connectionName ?? defaultName
        if case .context(let name) = context?.origin { self.context = name }
        let isNamed = options.context != nil || environment("NATS_CONTEXT").map { !$0.isEmpty } ?? false
        self.isFromSelectedContext = self.context != nil && !isNamed
        (self.servers, self.credentials) = try sources.serversAndCredentials(environment: environment)
        self.tls = try sources.tls(options, home: environment("HOME"))
        self.proxy = try sources.proxy()
        self.inboxPrefix = try sources.inboxPrefix()
        (self.timeout, self.hasExplicitTimeout) = try Self.timeout(options, environment("NATS_TIMEOUT"))
    }

    private static func context(
        _ options: ConnectionOptions,
        _ environment: (String) -> String?,
        isSelectedAllowed: Bool
    ) throws -> ConnectionSource? {
        if options.noContext {
            guard options.context == nil else { throw UsageError("--context and --no-context exclude each other") }
            return nil
        }
        let directory = ContextDirectory(environment: environment)
        let variable = environment("NATS_CONTEXT").flatMap { $0.isEmpty ? nil : $0 }
        if let name = options.context ?? variable { return try directory.source(of: name) }
        return isSelectedAllowed ? try directory.selectedSource() : nil
    }

    private static func timeout(
        _ options: ConnectionOptions,
        _ variable: String?
    ) throws(UsageError) -> (Duration, isExplicit: Bool) {
        var timeout = options.timeout
        if timeout == nil, let variable, !variable.isEmpty {
            timeout = DurationArgument(parsing: variable)
            guard timeout != nil else {
                throw UsageError("invalid duration in NATS_TIMEOUT: \(GoString.quoted(variable))")
            }
        }
        guard let timeout else { return (.seconds(2), false) }
        guard timeout.duration > .zero else { throw UsageError("--timeout must be greater than zero") }
        return (timeout.duration, true)
    }
}

extension ConnectionSettings: CustomStringConvertible, CustomReflectable {
    package var description: String {
        "ConnectionSettings(credentials: \(self.credentials))"
    }

    package var customMirror: Mirror {
        Mirror(self, children: ["description": self.description])
    }
}
