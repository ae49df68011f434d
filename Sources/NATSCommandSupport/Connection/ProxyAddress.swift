package import NATSClient
import NATSWire

/// The SOCKS 5 proxy of `--socks-proxy`.
///
/// Its description does not show the password.
package struct ProxyAddress: Sendable, Equatable {
    package var host: String
    package var port = 1080
    package var user: String?
    package var password: String?

    package init(host: String, port: Int = 1080, user: String? = nil, password: String? = nil) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
    }

    /// Reads `[socks5://][user:password@]host[:port]`, user and password percent-encoded where they need it.
    ///
    /// Nil if it is malformed.
    package init?(parsing text: String) {
        var rest = text.utf8[...]
        for scheme in ["socks5://", "socks5h://"] where rest.starts(with: scheme.utf8) {
            rest = rest.dropFirst(scheme.utf8.count)
        }
        while rest.last == UInt8(ascii: "/") { rest.removeLast() }
        var login: (user: String, password: String)?
        if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
            let userInfo = rest[..<at]
            rest = rest[rest.index(after: at)...]
            guard let colon = userInfo.firstIndex(of: UInt8(ascii: ":")),
                let user = Self.percentDecoded(userInfo[..<colon]),
                let password = Self.percentDecoded(userInfo[userInfo.index(after: colon)...])
            else { return nil }
            // RFC 1929 has a byte for each length.
            guard (1...255).contains(user.utf8.count), (1...255).contains(password.utf8.count) else { return nil }
            login = (user, password)
        }
        var host = rest
        var port: Substring.UTF8View?
        if rest.first == UInt8(ascii: "[") {
            guard let close = rest.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            host = rest[rest.index(after: rest.startIndex)..<close]
            let tail = rest[rest.index(after: close)...]
            guard tail.isEmpty || tail.first == UInt8(ascii: ":") else { return nil }
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            host = rest[..<colon]
            port = rest[rest.index(after: colon)...]
        }
        let isUsable = host.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"/?#\\@".utf8.contains($0) }
        guard !host.isEmpty, isUsable else { return nil }
        self.init(host: String(Substring(host)), user: login?.user, password: login?.password)
        if let port {
            guard port.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(Substring(port)),
                (1...65_535).contains(number)
            else { return nil }
            self.port = number
        }
    }

    /// The same for the client.
    package var clientProxy: NATSClientConfiguration.Proxy {
        guard let user = self.user, let password = self.password else {
            return .socks5(host: self.host, port: self.port)
        }
        return .socks5(host: self.host, port: self.port, user: user, password: password)
    }

    private static func percentDecoded(_ text: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next(), let low = iterator.next(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension ProxyAddress: CustomStringConvertible, CustomReflectable {
    package var description: String {
        "socks5://\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(self.port)"
    }

    package var customMirror: Mirror {
        Mirror(self, children: ["url": self.description])
    }
}
