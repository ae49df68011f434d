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
    /// The name that the certificate must have, if it is not the host.
    var tlsName: String?

    /// The URL without credentials, fit for logs and errors.
    var url: String {
        "\(self.isSecure ? "tls" : "nats")://\(self.hostAndPort)"
    }

    /// A server of the same cluster is as secure as the one that announced it.
    ///
    /// nats.go addURLToPool: certificates of a cluster seldom have addresses in them, but the name that all share.
    mutating func inheritSecurity(from other: ServerAddress) {
        self.isSecure = other.isSecure
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
    init(parsing text: String) throws(NATSError) {
        var rest = trimmed(text[...])
        var isSecure = false
        if let range = Self.range(of: "://", in: rest) {
            let scheme = rest[..<range.lowerBound].lowercased()
            rest = rest[range.upperBound...]
            switch scheme {
            case "nats":
                break
            case "tls":
                isSecure = true
            case "ws", "wss":
                throw NATSError(
                    .invalidConfiguration,
                    "WebSocket is not supported yet: a server URL has the scheme \(scheme)"
                )
            default:
                // What stands before "://" may be anything, a password too.
                let isName = scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
                throw NATSError(
                    .invalidConfiguration,
                    "a server URL has an unknown scheme" + (isName ? ": \(scheme)" : "")
                )
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
        let (host, port) = try Self.splitHostAndPort(rest)
        self.init(host: host, port: port, user: user, password: password)
        self.isSecure = isSecure
    }

    /// Reads `host[:port]` as it stands in `connect_urls`; nil if it is malformed.
    init?(discovered text: String) {
        guard let (host, port) = try? Self.splitHostAndPort(trimmed(text[...])) else {
            return nil
        }
        self.init(host: host, port: port)
    }

    /// All servers of a configuration: each entry may hold several, separated by commas; none means the default server.
    static func parseList(_ entries: [String]) throws(NATSError) -> [ServerAddress] {
        var addresses: [ServerAddress] = []
        for entry in entries {
            for part in entry.split(separator: ",") where !trimmed(part).isEmpty {
                let address = try ServerAddress(parsing: String(part))
                if !addresses.contains(where: { $0.isSameServer(as: address) }) {
                    addresses.append(address)
                }
            }
        }
        return addresses.isEmpty ? [ServerAddress(host: "127.0.0.1", port: Self.defaultPort)] : addresses
    }

    func isSameServer(as other: ServerAddress) -> Bool {
        self.host == other.host && self.port == other.port
    }

    private static func splitHostAndPort(_ text: Substring) throws(NATSError) -> (host: String, port: Int) {
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
            return (String(host), Self.defaultPort)
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

    private static func range(of pattern: String, in text: Substring) -> Range<Substring.Index>? {
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
