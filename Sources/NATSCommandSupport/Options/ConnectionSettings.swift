/// Where to connect and with what, after flags, environment and defaults were weighed.
///
/// Pure.
package struct ConnectionSettings: Sendable, Equatable {
    /// The server used if nobody names one.
    package static let defaultServer = "nats://127.0.0.1:4222"

    package var servers: [String]
    package var user: String?
    package var password: String?
    package var token: String?
    /// Limit for connecting and for a reply.
    package var timeout: Duration
    /// The user asked for ``timeout``; the default does not limit the final flush of a long stream.
    package var hasExplicitTimeout: Bool
    package var name: String

    /// Flag before environment before default.
    ///
    /// - Throws: `UsageError` for a malformed `NATS_TIMEOUT`, for an empty server list, and for environment variables
    ///   whose meaning is not implemented: to ignore a credential would be to connect as somebody else.
    package init(
        options: ConnectionOptions,
        environment: [String: String],
        defaultName: String
    ) throws(UsageError) {
        for variable in Self.unsupportedVariables where !(environment[variable] ?? "").isEmpty {
            throw UsageError("environment variable not supported yet: \(variable)")
        }
        func variable(_ name: String) -> String? {
            guard let value = environment[name], !value.isEmpty else { return nil }
            return value
        }

        self.name = options.connectionName ?? defaultName
        let hasCredentialFlag = options.user != nil || options.password != nil || options.token != nil

        let list = options.server ?? variable("NATS_URL") ?? Self.defaultServer
        self.servers = list.split(separator: ",").map(Self.trimmed).filter { !$0.isEmpty }
        guard !self.servers.isEmpty else { throw UsageError("no server in \"\(Self.redacted(list))\"") }
        if hasCredentialFlag, options.server == nil {
            // A flag beats what the environment's URL carries.
            self.servers = self.servers.map(Self.withoutUserInfo)
        }

        if options.token != nil {
            self.token = options.token
        } else if options.user != nil || options.password != nil {
            self.user = options.user ?? variable("NATS_USER")
            self.password = options.password ?? variable("NATS_PASSWORD")
        } else if let user = variable("NATS_USER") {
            self.user = user
            self.password = variable("NATS_PASSWORD")
        } else {
            self.token = variable("NATS_TOKEN")
        }
        if let user = self.user, self.password == nil, self.token == nil {
            // natscli: a user without a password is a token.
            self.token = user
            self.user = nil
        }
        if self.user == nil, self.password != nil { throw UsageError("--password needs --user") }

        if let timeout = options.timeout {
            self.timeout = timeout.duration
            self.hasExplicitTimeout = true
        } else if let text = variable("NATS_TIMEOUT") {
            guard let timeout = DurationArgument(parsing: text) else {
                throw UsageError("invalid duration in NATS_TIMEOUT: \"\(text)\"")
            }
            self.timeout = timeout.duration
            self.hasExplicitTimeout = true
        } else {
            self.timeout = .seconds(2)
            self.hasExplicitTimeout = false
        }
        guard self.timeout > .zero else { throw UsageError("--timeout must be greater than zero") }
    }

    /// The environment variables that matter.
    package static let variables =
        ["NATS_URL", "NATS_USER", "NATS_PASSWORD", "NATS_TOKEN", "NATS_TIMEOUT"] + Self.unsupportedVariables

    private static let unsupportedVariables = [
        "NATS_CREDS", "NATS_NKEY", "NATS_JWT", "NATS_SEED", "NATS_CERT", "NATS_KEY", "NATS_CA", "NATS_SOCKS_PROXY",
        "NATS_CONTEXT",
    ]

    private static func trimmed(_ text: Substring) -> String {
        var rest = text
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }

    /// `url` without `user:password@`.
    package static func withoutUserInfo(_ url: String) -> String {
        guard let range = Self.userInfoRange(url) else { return url }
        var result = url
        result.removeSubrange(range.lowerBound..<url.index(after: range.upperBound))
        return result
    }

    /// `urls` with every password, and every user that stands alone and so is a token, replaced by `xxxxx`.
    package static func redacted(_ urls: String) -> String {
        urls.split(separator: ",", omittingEmptySubsequences: false)
            .map { part -> String in
                var url = String(part)
                guard let range = Self.userInfoRange(url) else { return url }
                let userInfo = url[range]
                let secret = userInfo.firstIndex(of: ":").map { url.index(after: $0) } ?? range.lowerBound
                url.replaceSubrange(secret..<range.upperBound, with: "xxxxx")
                return url
            }
            .joined(separator: ",")
    }

    /// The bytes between the scheme and the last `@` before the path.
    private static func userInfoRange(_ url: String) -> Range<String.Index>? {
        var start = url.startIndex
        if let slash = url.firstIndex(of: "/") {
            // "nats://": what stands before the first slash ends with a colon.
            let second = url.index(after: slash)
            if slash > url.startIndex, url[url.index(before: slash)] == ":", second < url.endIndex, url[second] == "/" {
                start = url.index(after: second)
            }
        }
        let authority = url[start...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return nil }
        return start..<at
    }
}
