import NATSWebSocket
import NATSWire
import NIOCore
import NIOHTTP1

/// Decides about the request that a WebSocket connection begins with (nats-server websocket.go wsUpgrade).
struct WebSocketHandshake {
    /// A request that is not served.
    struct Refusal: Error, Equatable {
        let status: Int
        /// For the log.
        let reason: String
    }

    /// What the request has settled about the connection.
    struct Agreement: Equatable {
        var isCompressing = false
        /// The client asked to send unmasked frames.
        var isUnmasked = false
        var isBrowser = false
        /// Safari does not understand compressed messages of several frames.
        var keepsCompressedWhole = false
        var cookies = WebSocketCookies()
        /// The address that a proxy says the client has; empty if none says so.
        var forwardedAddress = ""
        /// A leaf node's path.
        var isLeafNode = false
    }

    let options: WebSocketOptions
    let origins: WebSocketOrigins
    let isTLS: Bool

    /// Looks at a request.
    func decide(_ head: HTTPRequestHead) -> Result<Agreement, Refusal> {
        let path = head.uri.prefix { $0 != "?" }
        guard !path.hasSuffix("/mqtt") else { return Self.refuse(404, "mqtt websocket endpoint not enabled") }
        guard head.method == .GET else { return Self.refuse(405, "request method must be GET") }
        let headers = head.headers
        guard let host = headers.first(name: "host"), !host.isEmpty else {
            return Self.refuse(400, "'Host' missing in request")
        }
        for (name, value) in [("Upgrade", "websocket"), ("Connection", "Upgrade")] {
            guard Self.contains(headers, name, value) else {
                return Self.refuse(400, "invalid value for header '\(name)'")
            }
        }
        guard let key = headers.first(name: "sec-websocket-key"), !key.isEmpty else {
            return Self.refuse(400, "key missing")
        }
        guard Self.isKey(key) else { return Self.refuse(400, "invalid websocket key") }
        guard Self.contains(headers, "Sec-WebSocket-Version", "13") else { return Self.refuse(400, "invalid version") }
        let origin = headers.first(name: "origin").flatMap { $0.isEmpty ? nil : $0 }
        if let problem = self.origins.problem(
            origin: origin ?? headers.first(name: "sec-websocket-origin"),
            host: host,
            isTLS: self.isTLS
        ) {
            return Self.refuse(403, "origin not allowed: \(problem)")
        }
        var agreement = Agreement()
        agreement.isCompressing = self.options.compression && Self.offersCompression(headers)
        agreement.isUnmasked = headers.first(name: "nats-no-masking") == "true"
        agreement.isLeafNode = path.hasSuffix("/leafnode")
        if let address = headers.first(name: "x-forwarded-for"), Self.isAddress(address) {
            agreement.forwardedAddress = address
        }
        if let agent = headers.first(name: "user-agent"), agent.hasPrefix("Mozilla/") {
            agreement.isBrowser = true
            agreement.keepsCompressedWhole = agent.contains("Version/") && agent.contains("Safari/")
        }
        agreement.cookies = WebSocketCookies(headers["cookie"], names: self.options.cookies)
        return .success(agreement)
    }

    /// The answer to a request that is served.
    func answer(to head: HTTPRequestHead, _ agreement: Agreement) -> [UInt8] {
        let key = head.headers.first(name: "sec-websocket-key") ?? ""
        var text = """
            HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: \(WebSocketKey.acceptance(of: key))\r\n
            """
        if agreement.isCompressing {
            text += """
                Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                client_no_context_takeover\r\n
                """
        }
        if agreement.isUnmasked { text += "Nats-No-Masking: true\r\n" }
        for (name, value) in self.options.headers.sorted(by: { $0.key < $1.key }) { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    /// The answer to a request that is not.
    static func answer(to refusal: Refusal) -> MonitoringResponse {
        MonitoringResponse(
            status: refusal.status,
            headers: [
                ("Content-Type", "text/plain; charset=utf-8"), ("Sec-Websocket-Version", "13"),
                ("X-Content-Type-Options", "nosniff"),
            ],
            body: Array("\(MonitoringResponse.reason(refusal.status))\n".utf8)
        )
    }

    // MARK: Parts

    private static func refuse(_ status: Int, _ reason: String) -> Result<Agreement, Refusal> {
        .failure(Refusal(status: status, reason: reason))
    }

    /// Sixteen bytes in base64.
    private static func isKey(_ key: String) -> Bool {
        key.utf8.count == 24 && key.hasSuffix("==") && !key.utf8.contains(UInt8(ascii: "-"))
            && !key.utf8.contains(UInt8(ascii: "_")) && Base64.decode(key)?.count == 16
    }

    private static func contains(_ headers: HTTPHeaders, _ name: String, _ value: String) -> Bool {
        headers[name].contains { line in
            line.split(separator: ",").contains { HTTPText.trimmed($0).lowercased() == value.lowercased() }
        }
    }

    private static func offersCompression(_ headers: HTTPHeaders) -> Bool {
        headers["sec-websocket-extensions"].contains { line in
            line.split { $0 == "," || $0 == ";" }.contains {
                HTTPText.trimmed($0).lowercased() == "permessage-deflate"
            }
        }
    }

    private static func isAddress(_ text: String) -> Bool {
        guard text.utf8.count <= 45 else { return false }
        return (try? SocketAddress(ipAddress: text, port: 0)) != nil
    }
}

/// Credentials that came with a WebSocket request; used where CONNECT gives none.
struct WebSocketCookies: Equatable, Sendable {
    var jwt = ""
    var user = ""
    var password = ""
    var token = ""

    init() {}

    /// Finds them in the `Cookie` lines of a request; of several with a name the last one counts.
    init(_ lines: [String], names: WebSocketOptions.CookieNames) {
        for part in lines.flatMap({ $0.split(separator: ";") }) {
            let pair = HTTPText.trimmed(part).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = pair.first.map(HTTPText.trimmed), !name.isEmpty,
                name.utf8.allSatisfy(HTTPText.isTokenByte), let value = Self.value(pair.count > 1 ? pair[1] : "")
            else { continue }
            switch String(name) {
            case names.jwt: self.jwt = value
            case names.user: self.user = value
            case names.password: self.password = value
            case names.token: self.token = value
            default: break
            }
        }
    }

    /// Go net/http parseCookieValue.
    private static func value(_ text: Substring) -> String? {
        var bytes = Array(text.utf8)[...]
        if bytes.count > 1, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") {
            bytes = bytes.dropFirst().dropLast()
        }
        let isValid = bytes.allSatisfy { byte in
            (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: ";")
                && byte != UInt8(ascii: "\\")
        }
        return isValid ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
