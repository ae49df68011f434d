import NATSText

/// What the official server wants of a `websocket` block before it starts (nats-server websocket.go
/// validateWebsocketOptions), in its words; the same for files and for servers within a program.
package enum WebSocketRules {
    private static let ownHeaders: Set<String> = ["host", "content-length", "connection", "upgrade", "nats-no-masking"]

    /// Why pages of an origin cannot be allowed.
    package static func problem(origin: String) -> String? {
        let quoted = GoString.quoted(origin)
        let url: ConfigurationURL
        do throws(ConfigurationURL.Failure) {
            url = try ConfigurationURL(request: origin)
        } catch {
            return "unable to parse allowed origin: parse \(quoted): \(error)"
        }
        guard url.scheme == "http" || url.scheme == "https" else {
            return
                "unable to parse allowed origin \(quoted): allowed origins must be absolute URLs with http or https scheme"
        }
        if url.hostPort.isEmpty { return "unable to parse allowed origin \(quoted): host is required" }
        // All that may still be wrong for Go's net.SplitHostPort.
        if url.hostPort.utf8.first != UInt8(ascii: "["), url.hostPort.utf8.contains(UInt8(ascii: ":")),
            url.hostPort.utf8.contains(UInt8(ascii: "]"))
        {
            return "unable to parse allowed origin: address \(url.hostPort): unexpected ']' in address"
        }
        return nil
    }

    /// Why headers cannot be added to answers; of several the first by name.
    package static func problem(headers names: some Sequence<String>) -> String? {
        for name in names.sorted() {
            let lowered = name.lowercased()
            if self.ownHeaders.contains(lowered) {
                return "websocket: invalid header \(GoString.quoted(name)) not allowed"
            }
            if lowered.hasPrefix("sec-websocket-") {
                return "websocket: invalid header \(GoString.quoted(name)), \"Sec-WebSocket-\" prefix not allowed"
            }
        }
        return nil
    }

    /// Why credentials of the block do not go together with users.
    package static func problem(hasUsers: Bool, username: String?, token: String?) -> String? {
        guard hasUsers else { return nil }
        if username?.isEmpty == false {
            return "websocket authentication username not compatible with presence of users/nkeys"
        }
        if token?.isEmpty == false {
            return "websocket authentication token not compatible with presence of users/nkeys"
        }
        return nil
    }

    /// Why a cookie cannot hold JWTs.
    package static func problem(jwtCookie: String?, trustsOperators: Bool) -> String? {
        guard let jwtCookie, !jwtCookie.isEmpty, !trustsOperators else { return nil }
        return "trusted operators or trusted keys configuration is required for JWT authentication via cookie "
            + GoString.quoted(jwtCookie)
    }
}
