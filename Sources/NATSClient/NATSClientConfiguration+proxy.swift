import NIOCore

extension NATSClientConfiguration {
    /// A proxy through which all servers are connected to.
    ///
    /// It gets the servers' host names as they are, and looks them up itself; only the proxy's own name is looked up here.
    /// No description shows its password.
    public struct Proxy: Sendable {
        enum Kind: Sendable {
            case socks5
            case httpConnect
        }

        struct Login: Sendable {
            let user: String
            let password: String
        }

        let kind: Kind
        let host: String
        let port: Int
        let login: Login?

        /// A SOCKS 5 proxy (RFC 1928).
        ///
        /// - Parameters:
        ///   - host: Name or IP address of the proxy.
        ///   - port: Its port.
        /// - Returns: The proxy.
        public static func socks5(host: String, port: Int = 1080) -> Proxy {
            Proxy(kind: .socks5, host: host, port: port, login: nil)
        }

        /// A SOCKS 5 proxy that asks for a user and a password (RFC 1929).
        ///
        /// - Parameters:
        ///   - host: Name or IP address of the proxy.
        ///   - port: Its port.
        ///   - user: The user's name, 1 to 255 bytes; it reaches the proxy in clear.
        ///   - password: The password, 1 to 255 bytes; it reaches the proxy in clear.
        /// - Returns: The proxy.
        public static func socks5(host: String, port: Int = 1080, user: String, password: String) -> Proxy {
            Proxy(kind: .socks5, host: host, port: port, login: Login(user: user, password: password))
        }

        /// An HTTP proxy that allows `CONNECT` (RFC 9110, 9.3.6).
        ///
        /// - Parameters:
        ///   - host: Name or IP address of the proxy.
        ///   - port: Its port.
        /// - Returns: The proxy.
        public static func httpConnect(host: String, port: Int = 8080) -> Proxy {
            Proxy(kind: .httpConnect, host: host, port: port, login: nil)
        }

        /// An HTTP proxy that allows `CONNECT` to a user with a password (`Basic`, RFC 7617).
        ///
        /// - Parameters:
        ///   - host: Name or IP address of the proxy.
        ///   - port: Its port.
        ///   - user: The user's name, without a colon; it reaches the proxy in clear.
        ///   - password: The password; it reaches the proxy in clear.
        /// - Returns: The proxy.
        public static func httpConnect(host: String, port: Int = 8080, user: String, password: String) -> Proxy {
            Proxy(kind: .httpConnect, host: host, port: port, login: Login(user: user, password: password))
        }

        func check() throws(NATSError) {
            guard !self.host.isEmpty, self.host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
                throw NATSError(.invalidConfiguration, "the proxy has no usable host name")
            }
            guard (1...65_535).contains(self.port) else {
                throw NATSError(.invalidConfiguration, "the port of the proxy is not a number from 1 to 65535")
            }
            guard let login = self.login else {
                return
            }
            switch self.kind {
            case .socks5:
                let sizes = 1...255
                guard sizes.contains(login.user.utf8.count), sizes.contains(login.password.utf8.count) else {
                    throw NATSError(
                        .invalidConfiguration,
                        "user and password of a SOCKS 5 proxy have 1 to 255 bytes each"
                    )
                }
            case .httpConnect:
                guard !login.user.utf8.contains(UInt8(ascii: ":")) else {
                    throw NATSError(.invalidConfiguration, "the user of an HTTP proxy has a colon in its name")
                }
            }
        }
    }
}

extension NATSClientConfiguration.Proxy: CustomStringConvertible, CustomReflectable {
    /// The proxy's kind, host and port, such as `socks5://127.0.0.1:1080`.
    public var description: String {
        let scheme =
            switch self.kind {
            case .socks5: "socks5"
            case .httpConnect: "http"
            }
        return "\(scheme)://\(ServerAddress(host: self.host, port: self.port).hostAndPort)"
    }

    /// Shows what ``description`` shows.
    public var customMirror: Mirror {
        Mirror(self, children: ["url": self.description])
    }
}
