import NATSServerConfig
import NATSText

/// Which pages may connect: those of this server's own address, or of a list.
struct WebSocketOrigins: Sendable {
    /// Scheme, host and port of an address.
    struct Origin: Hashable, Sendable {
        var scheme: String
        var host: String
        var port: String

        /// - Returns: `nil` if its host and port are none.
        init?(_ url: ConfigurationURL) { self.init(scheme: url.scheme, hostPort: url.hostPort) }

        /// - Returns: `nil` if it is no address; the port may be missing (nats-server websocket.go wsGetHostAndPort).
        init?(scheme: String, hostPort: String) {
            var host = hostPort[...]
            var port = scheme == "https" ? "443" : "80"
            let name: Substring
            if hostPort.hasPrefix("[") {
                guard let end = hostPort.firstIndex(of: "]") else { return nil }
                name = hostPort[...end]
            } else {
                name = hostPort.prefix { $0 != ":" }
            }
            let rest = hostPort[name.endIndex...]
            if !rest.isEmpty {
                guard rest.first == ":", !rest.dropFirst().contains(":") else { return nil }
                port = String(rest.dropFirst())
                host = name.hasPrefix("[") ? name.dropFirst().dropLast() : name
            }
            self.scheme = scheme.lowercased()
            self.host = host.lowercased()
            self.port = port
        }
    }

    private let checksSame: Bool
    private let allowed: Set<Origin>

    init(_ options: WebSocketOptions) {
        self.checksSame = options.sameOrigin
        self.allowed = Set(
            options.allowedOrigins.compactMap { text in (try? ConfigurationURL(request: text)).flatMap(Origin.init) }
        )
    }

    /// Decides about a request (nats-server websocket.go checkOrigin).
    ///
    /// - Parameters:
    ///   - origin: The page that the request says it comes from; `nil` or empty if it does not come from a page.
    ///   - host: Whom it is for.
    ///   - isTLS: Whether it came by TLS.
    /// - Returns: `nil`, or why it is refused.
    func problem(origin: String?, host: String, isTLS: Bool) -> String? {
        guard self.checksSame || !self.allowed.isEmpty, let origin, !origin.isEmpty else { return nil }
        let url: ConfigurationURL
        do throws(ConfigurationURL.Failure) {
            url = try ConfigurationURL(request: origin)
        } catch {
            return "parse \(GoString.quoted(origin)): \(error)"
        }
        guard let page = Origin(url) else { return "address \(GoString.harmless(url.hostPort.utf8)): invalid host" }
        if self.checksSame {
            guard let own = Origin(scheme: isTLS ? "https" : "http", hostPort: host) else {
                return "address \(GoString.harmless(host.utf8)): invalid host"
            }
            guard own == page else { return "not same origin" }
        }
        guard self.allowed.isEmpty || self.allowed.contains(page) else { return "not in the allowed list" }
        return nil
    }
}
