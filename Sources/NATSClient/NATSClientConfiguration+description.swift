// URLs may hold passwords and tokens: nothing that describes a configuration shows them.

extension NATSClientConfiguration: CustomStringConvertible, CustomReflectable {
    /// The servers, without credentials.
    public var description: String {
        "NATSClientConfiguration(servers: \(self.servers.map(ServerAddress.withoutUserinfo)))"
    }

    /// Every value, the URLs without credentials.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "servers": self.servers.map(ServerAddress.withoutUserinfo),
                "name": self.name as Any,
                "credentials": self.credentials,
                "tls": self.tls,
                "webSocket": self.webSocket,
                "randomizeServers": self.randomizeServers,
                "ignoreDiscoveredServers": self.ignoreDiscoveredServers,
                "ignoreAuthErrorAbort": self.ignoreAuthErrorAbort,
                "reconnectToServer": self.reconnectToServer as Any,
                "allowReconnect": self.allowReconnect,
                "maxReconnects": self.maxReconnects as Any,
                "reconnectWait": self.reconnectWait,
                "maxReconnectWait": self.maxReconnectWait,
                "reconnectJitter": self.reconnectJitter,
                "secureReconnectJitter": self.secureReconnectJitter,
                "reconnectDelay": self.reconnectDelay as Any,
                "disconnectedPublish": self.disconnectedPublish,
                "reconnectBufferSize": self.reconnectBufferSize,
                "retryOnFailedConnect": self.retryOnFailedConnect,
                "connectTimeout": self.connectTimeout,
                "pingInterval": self.pingInterval,
                "maxPingsOut": self.maxPingsOut,
                "writeTimeout": self.writeTimeout,
                "noEcho": self.noEcho,
                "verbose": self.verbose,
                "pedantic": self.pedantic,
                "inboxPrefix": self.inboxPrefix,
                "validatesPublishSubjects": self.validatesPublishSubjects,
                "requestTimeout": self.requestTimeout,
                "drainTimeout": self.drainTimeout,
                "publishHighWaterMark": self.publishHighWaterMark,
                "writeBufferSize": self.writeBufferSize,
                "lameDuck": self.lameDuck,
                "pendingLimits": self.pendingLimits,
                "dialer": self.dialer as Any,
                "proxy": self.proxy as Any,
                "addressOrder": self.addressOrder,
                "eventLoopGroup": self.eventLoopGroup as Any,
            ],
            displayStyle: .struct
        )
    }
}

extension NATSClientConfiguration.ServerChoice: CustomStringConvertible, CustomReflectable {
    /// The server, without credentials, and the wait.
    public var description: String {
        "\(ServerAddress.withoutUserinfo(self.url)) after \(self.delay)"
    }

    /// Shows what ``description`` shows.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: ["url": ServerAddress.withoutUserinfo(self.url), "delay": self.delay],
            displayStyle: .struct
        )
    }
}

extension CredentialsAnswer: CustomStringConvertible, CustomReflectable {
    var description: String {
        "CredentialsAnswer"
    }

    var customMirror: Mirror {
        Mirror(self, children: [])
    }
}

extension ServerAddress: CustomStringConvertible, CustomReflectable {
    var description: String {
        self.url
    }

    var customMirror: Mirror {
        Mirror(self, children: ["url": self.url])
    }

    /// One entry of a list of servers, fit to be shown.
    ///
    /// One with userinfo that cannot be read is not shown at all: what of it is secret nobody knows.
    static func withoutUserinfo(_ entry: String) -> String {
        let parts = entry.split(separator: ",")
        guard parts.contains(where: self.mayHoldSecrets) else {
            return entry
        }
        // As parseList reads them.
        var first: ServerAddress?
        return parts.map { part in
            guard let address = try? ServerAddress(parsing: String(part), like: first) else {
                return "(malformed)"
            }
            first = first ?? address
            return address.url
        }.joined(separator: ",")
    }

    /// Whether a URL has userinfo, a query, or a path.
    private static func mayHoldSecrets(_ part: Substring) -> Bool {
        if part.contains("@") || part.contains("?") {
            return true
        }
        // All slashes but the two behind the scheme.
        let slashes = part.utf8.count { $0 == UInt8(ascii: "/") }
        return slashes > (Self.range(of: "://", in: part) == nil ? 0 : 2)
    }
}
