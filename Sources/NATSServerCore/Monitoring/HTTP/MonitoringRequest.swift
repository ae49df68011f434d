import NIOHTTP1

/// A request as far as the monitoring pages look at it.
struct MonitoringRequest: Sendable {
    var isHead = false
    /// The path as it came, escapes included, and decoded.
    var rawPath: String
    var path: String
    /// What follows the question mark, as it came.
    var rawQuery: String
    var isHTTP10 = false
    /// Whether the connection stays open after the answer, as far as the client is concerned.
    var isKeepAlive = true

    var parameters: QueryParameters { QueryParameters(self.rawQuery.utf8) }

    /// - Returns: `nil` if the target is no path.
    init?(_ target: String) {
        var rest = Substring(target)
        // The absolute form, which proxies use.
        for scheme in ["http://", "https://"] where rest.lowercased().hasPrefix(scheme) {
            let host = rest.dropFirst(scheme.count)
            rest = host.firstIndex(where: { $0 == "/" || $0 == "?" }).map { host[$0...] } ?? "/"
            if rest.hasPrefix("?") { rest = "/" + rest }
        }
        let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        let path = rest[..<mark]
        guard path.utf8.first == UInt8(ascii: "/"), let decoded = PercentEncoding.decode(path.utf8) else { return nil }
        self.rawPath = String(path)
        self.path = String(decoding: decoded, as: UTF8.self)
        self.rawQuery = mark < rest.endIndex ? String(rest[rest.utf8.index(after: mark)...]) : ""
    }

    /// A request that can be answered, or the answer to one that cannot.
    static func make(_ head: HTTPRequestHead) -> Result<Self, MonitoringResponse.Refusal> {
        let hosts = head.headers["host"]
        if head.version.major != 1 { return .failure(.unsupportedVersion) }
        if hosts.isEmpty, head.version.minor > 0 { return .failure(.missingHost) }
        if hosts.count > 1 { return .failure(.badRequest) }
        if let expectation = head.headers.first(name: "expect"), expectation.lowercased() != "100-continue" {
            return .failure(.expectationFailed)
        }
        guard var request = Self(head.uri) else { return .failure(.badRequest) }
        request.isHead = head.method == .HEAD
        request.isHTTP10 = head.version.minor == 0
        request.isKeepAlive = head.isKeepAlive && head.method != .CONNECT && !head.headers.contains(name: "upgrade")
        return .success(request)
    }
}
