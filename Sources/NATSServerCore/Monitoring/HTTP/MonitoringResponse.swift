/// An answer to a monitoring request.
struct MonitoringResponse: Sendable, Equatable {
    /// Requests that are refused before anything looks at their path; the connection is closed after these.
    enum Refusal: Error, Equatable {
        case badRequest
        case missingHost
        case headerTooLarge
        case unsupportedVersion
        case expectationFailed

        /// Status line and body as Go's server has them.
        var text: String {
            switch self {
            case .badRequest: "400 Bad Request"
            case .missingHost: "400 Bad Request: missing required Host header"
            case .headerTooLarge: "431 Request Header Fields Too Large"
            case .unsupportedVersion: "505 HTTP Version Not Supported: unsupported protocol version"
            case .expectationFailed: "417 Expectation Failed"
            }
        }

        /// The whole answer.
        var bytes: [UInt8] {
            let head = "HTTP/1.1 \(self.text)\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
            return Array((head + self.text).utf8)
        }
    }

    var status = 200
    /// In alphabetical order, in which Go writes them.
    var headers: [(name: String, value: String)] = []
    /// Named behind the length if Go's server would guess it.
    var guessedContentType: String?
    var body: [UInt8] = []

    static func == (left: Self, right: Self) -> Bool {
        left.status == right.status && left.body == right.body && left.guessedContentType == right.guessedContentType
            && left.headers.map { "\($0.name): \($0.value)" } == right.headers.map { "\($0.name): \($0.value)" }
    }

    // MARK: Kinds

    /// A document, or a script that hands it over.
    ///
    /// - Parameters:
    ///   - body: The document.
    ///   - status: The status.
    ///   - callback: The function's name, if the document is wanted as a script.
    /// - Returns: the answer.
    static func json(_ body: [UInt8], status: Int = 200, callback: String? = nil) -> Self {
        guard let callback else {
            return Self(
                status: status,
                headers: [("Access-Control-Allow-Origin", "*"), ("Content-Type", "application/json")],
                body: body
            )
        }
        let script = Array("\(callback)(".utf8) + body + [UInt8(ascii: ")")]
        return Self(status: status, headers: [("Content-Type", "application/javascript")], body: script)
    }

    static func text(_ text: String, status: Int) -> Self {
        Self(status: status, guessedContentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    static func html(_ body: [UInt8]) -> Self {
        Self(guessedContentType: "text/html; charset=utf-8", body: body)
    }

    static let notFound = Self(
        status: 404,
        headers: [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")],
        body: Array("404 page not found\n".utf8)
    )

    static func redirect(to location: String) -> Self {
        Self(
            status: 307,
            headers: [("Content-Type", "text/html; charset=utf-8"), ("Location", location)],
            body: Array("<a href=\"\(HTMLText.escaped(location))\">Temporary Redirect</a>.\n\n".utf8)
        )
    }

    // MARK: Bytes

    /// What goes out before and after the body, and whether the connection ends then.
    struct Framing: Equatable {
        var head: [UInt8]
        var tail: [UInt8] = []
        var hasBody: Bool
        var closes: Bool
    }

    /// Bodies up to this size carry their length (Go net/http bufferBeforeChunkingSize).
    private static let chunkedFrom = 2048

    /// What stands around the body.
    ///
    /// - Parameters:
    ///   - request: What is answered.
    ///   - date: The `Date` header.
    ///   - mustClose: The connection cannot be used any further.
    /// - Returns: the bytes before and after it.
    func framing(for request: MonitoringRequest, date: String, mustClose: Bool) -> Framing {
        var closes = mustClose || !request.isKeepAlive
        let isSmall = self.body.count <= Self.chunkedFrom
        let isChunked = !isSmall && !request.isHTTP10 && !request.isHead
        if !isSmall, request.isHTTP10, !request.isHead { closes = true }
        var text = "\(request.isHTTP10 ? "HTTP/1.0" : "HTTP/1.1") \(self.status) \(Self.reason(self.status))\r\n"
        for header in self.headers { text += "\(header.name): \(header.value)\r\n" }
        text += "Date: \(date)\r\n"
        if isSmall { text += "Content-Length: \(self.body.count)\r\n" }
        if let type = self.guessedContentType { text += "Content-Type: \(type)\r\n" }
        if closes, !request.isHTTP10 {
            text += "Connection: close\r\n"
        } else if !closes, request.isHTTP10 {
            text += "Connection: keep-alive\r\n"
        }
        if isChunked { text += "Transfer-Encoding: chunked\r\n" }
        text += "\r\n"
        if isChunked { text += String(self.body.count, radix: 16) + "\r\n" }
        return Framing(
            head: Array(text.utf8),
            tail: isChunked ? Array("\r\n0\r\n\r\n".utf8) : [],
            hasBody: !request.isHead && !self.body.isEmpty,
            closes: closes
        )
    }

    /// The words of a status.
    static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 307: "Temporary Redirect"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        default: "Unknown"
        }
    }
}
