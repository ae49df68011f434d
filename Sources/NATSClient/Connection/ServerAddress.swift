import NIOCore

/// One server's URL, taken apart.
struct ServerAddress: Sendable, Hashable {
    static let defaultPort = 4222

    var host: String
    var port: Int
    /// A user name, or a token if there is no password.
    var user: String?
    var password: String?
    /// Whether it is never connected to in clear.
    var isSecure = false
    /// Whether it is spoken to by WebSocket.
    var isWebSocket = false
    /// Path and query of a WebSocket URL, which may hold secrets; empty if it has none.
    var path = ""
    /// The name that the certificate must have, if it is not the host.
    var tlsName: String?

    /// The URL without credentials and path, fit for logs and errors.
    var url: String {
        "\(self.scheme)://\(self.hostAndPort)"
    }

    private var scheme: String {
        switch (self.isWebSocket, self.isSecure) {
        case (false, false): "nats"
        case (false, true): "tls"
        case (true, false): "ws"
        case (true, true): "wss"
        }
    }

    /// Host and port, the names of this machine being one (nats.c natsSrvPool_addNewURLs).
    var identity: String {
        switch self.host {
        case "localhost", "127.0.0.1", "::1": "localhost:\(self.port)"
        default: self.hostAndPort
        }
    }

    /// A server of the same cluster is as secure as the one that announced it, and spoken to in the same way.
    ///
    /// nats.go addURLToPool: certificates of a cluster seldom have addresses in them, but the name that all share.
    mutating func inheritSecurity(from other: ServerAddress) {
        self.isSecure = other.isSecure
        self.isWebSocket = other.isWebSocket
        if self.isBareAddress {
            self.tlsName = other.tlsName ?? (other.isBareAddress ? nil : other.host)
        }
    }

    private var isBareAddress: Bool {
        (try? SocketAddress(ipAddress: self.host, port: self.port)) != nil
    }

    /// As in `connect_urls`; IPv6 addresses in brackets.
    var hostAndPort: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }

    /// The credentials in the URL, which win over those of the configuration; a user without a password is a token.
    var credentials: NATSClientConfiguration.Credentials? {
        guard let user = self.user else {
            return nil
        }
        guard let password = self.password else {
            return .token(user)
        }
        return .userPassword(user: user, password: password)
    }

    init(host: String, port: Int, user: String? = nil, password: String? = nil) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
    }

    /// Reads `[scheme://][user[:password]@]host[:port][/]`; errors never quote the userinfo.
    ///
    /// WebSocket URLs may have a path and a query behind that. A text without scheme is of the kind of `first`, and
    /// as secure.
    init(parsing text: String, like first: ServerAddress? = nil) throws(NATSError) {
        var rest = trimmed(text[...])
        // nats.go connScheme.
        var isWebSocket = first?.isWebSocket ?? false
        var isSecure = first?.isSecure == true
        if let range = Self.range(of: "://", in: rest) {
            let scheme = rest[..<range.lowerBound].lowercased()
            rest = rest[range.upperBound...]
            switch scheme {
            case "nats":
                (isWebSocket, isSecure) = (false, false)
            case "tls":
                (isWebSocket, isSecure) = (false, true)
            case "ws":
                (isWebSocket, isSecure) = (true, false)
            case "wss":
                (isWebSocket, isSecure) = (true, true)
            default:
                // What stands before "://" may be anything, a password too.
                let isName = scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
                throw NATSError(
                    .invalidConfiguration,
                    "a server URL has an unknown scheme" + (isName ? ": \(scheme)" : "")
                )
            }
        }
        var path = ""
        if isWebSocket, let start = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) {
            path = String(rest[start...])
            rest = rest[..<start]
            // A slash in a password would make the password a path.
            guard WebSocketRequest.isValid(path: path), !path.contains("@") else {
                throw NATSError(.invalidConfiguration, "a WebSocket URL has characters that must be written as %xx")
            }
            if path == "/" {
                path = ""
            }
        }
        while rest.last == "/" {
            rest = rest.dropLast()
        }
        var user: String?
        var password: String?
        if let at = rest.lastIndex(of: "@") {
            let userinfo = rest[..<at]
            rest = rest[rest.index(after: at)...]
            let parts = userinfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let decodedUser = Self.percentDecoded(parts[0]) else {
                throw NATSError(.invalidConfiguration, "the userinfo of a server URL is malformed")
            }
            user = decodedUser
            if parts.count > 1 {
                guard let decodedPassword = Self.percentDecoded(parts[1]) else {
                    throw NATSError(.invalidConfiguration, "the userinfo of a server URL is malformed")
                }
                password = decodedPassword
            }
        }
        let defaultPort = isWebSocket ? isSecure ? 443 : 80 : Self.defaultPort
        let (host, port) = try Self.splitHostAndPort(rest, defaultPort: defaultPort)
        self.init(host: host, port: port, user: user, password: password)
        self.isSecure = isSecure
        self.isWebSocket = isWebSocket
        self.path = path
    }

    /// Reads `host[:port]` as it stands in `connect_urls`; nil if it is malformed.
    init?(discovered text: String) {
        guard let (host, port) = try? Self.splitHostAndPort(trimmed(text[...])) else {
            return nil
        }
        self.init(host: host, port: port)
    }

    /// All servers of a configuration: each entry may hold several, separated by commas; none means the default server.
    ///
    /// `first`: one of the pool that they will be part of.
    static func parseList(
        _ entries: [String],
        like first: ServerAddress? = nil
    ) throws(NATSError) -> [ServerAddress] {
        var addresses: [ServerAddress] = []
        for entry in entries {
            for part in entry.split(separator: ",") where !trimmed(part).isEmpty {
                let kind = first ?? addresses.first
                let address = try ServerAddress(parsing: String(part), like: kind)
                guard address.isWebSocket == kind?.isWebSocket ?? address.isWebSocket else {
                    throw Self.mixedSchemes
                }
                if !addresses.contains(where: { $0.isSameServer(as: address) && $0.path == address.path }) {
                    addresses.append(address)
                }
            }
        }
        return addresses.isEmpty ? [ServerAddress(host: "127.0.0.1", port: Self.defaultPort)] : addresses
    }

    static let mixedSchemes = NATSError(
        .mixedWebSocketSchemes,
        "servers are connected to by WebSocket, or all of them without"
    )

    /// A gateway may have several servers behind one port, which the paths of WebSocket URLs tell apart.
    ///
    /// One that was announced, or that the user chose among the pool's, has none.
    func isSameServer(as other: ServerAddress) -> Bool {
        self.host == other.host && self.port == other.port
            && (self.path == other.path || self.path.isEmpty || other.path.isEmpty)
    }

    private static func splitHostAndPort(
        _ text: Substring,
        defaultPort: Int = ServerAddress.defaultPort
    ) throws(NATSError) -> (host: String, port: Int) {
        var host = text
        var portText: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else {
                throw NATSError(.invalidConfiguration, "a server URL lacks the bracket behind its IPv6 address")
            }
            host = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            if rest.first == ":" {
                portText = rest.dropFirst()
            } else if !rest.isEmpty {
                throw NATSError(.invalidConfiguration, "a server URL has text behind its IPv6 address")
            }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        // What stands in requests to proxies and WebSocket servers must not end a line there.
        let isUsable = host.utf8.allSatisfy { byte in
            byte > 0x20 && byte != 0x7f && !"/?#\\".utf8.contains(byte)
        }
        guard !host.isEmpty, isUsable else {
            throw NATSError(.invalidConfiguration, "a server URL has no usable host name")
        }
        guard let portText, !portText.isEmpty else {
            return (String(host), defaultPort)
        }
        guard portText.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(portText), (1...65_535).contains(port)
        else {
            throw NATSError(.invalidConfiguration, "the port of server \(host) is not a number from 1 to 65535")
        }
        return (String(host), port)
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next(), let low = iterator.next(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else {
                return nil
            }
            bytes.append(value)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func range(of pattern: String, in text: Substring) -> Range<Substring.Index>? {
        var start = text.startIndex
        while start < text.endIndex {
            if text[start...].hasPrefix(pattern) {
                return start..<text.index(start, offsetBy: pattern.count)
            }
            start = text.index(after: start)
        }
        return nil
    }
}

private func trimmed(_ text: Substring) -> Substring {
    var result = text.drop(while: \.isWhitespace)
    while let last = result.last, last.isWhitespace {
        result = result.dropLast()
    }
    return result
}
