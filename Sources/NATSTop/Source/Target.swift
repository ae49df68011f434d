/// Where a server's monitoring pages are.
package struct Target: Sendable, Equatable {
    /// What is wrong with an address, for people.
    package struct Invalid: Error, Equatable, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    package static let standardPort = 8222

    package private(set) var isSecure: Bool
    /// A name or an address, IPv6 without brackets.
    package private(set) var host: String
    package private(set) var port: Int
    /// What stands before each page, without a slash at its end.
    package private(set) var basePath = ""

    /// Reads the options of an address.
    ///
    /// - Parameters:
    ///   - server: `host`, `host:port`, `[::1]:8222`, `https://host:port/base`.
    ///   - port: The port of HTTP.
    ///   - securePort: The port of HTTPS, which is used if it is given.
    /// - Throws: ``Invalid``.
    package init(server: String, port: Int? = nil, securePort: Int? = nil) throws(Invalid) {
        var rest = server[...]
        var scheme: Substring?
        if let mark = Self.place(of: "://", in: rest) {
            scheme = rest[..<mark.lowerBound]
            rest = rest[mark.upperBound...]
        }
        guard !rest.contains(",") else { throw Invalid(description: "invalid server: \(HarmlessText.make(server))") }
        guard !rest.contains("@") else {
            throw Invalid(description: "user and password in the address of a monitoring port are not supported yet")
        }
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !rest.contains(where: { "?#\"<>\\".contains($0) })
        else { throw Invalid(description: "invalid server: \(HarmlessText.make(server))") }
        if let slash = rest.firstIndex(of: "/") {
            var path = rest[slash...]
            while path.last == "/" { path.removeLast() }
            self.basePath = String(path)
            rest = rest[..<slash]
        }
        let (host, ownPort) = try Self.hostAndPort(rest, server)
        self.host = host
        let securePort = securePort == 0 ? nil : securePort
        switch scheme?.lowercased() {
        case nil: self.isSecure = securePort != nil
        case "http"? where securePort == nil: self.isSecure = false
        case "http"?: throw Invalid(description: "-ms is for https, and the server is \(HarmlessText.make(server))")
        case "https"?: self.isSecure = true
        case let other?:
            throw Invalid(description: "not the address of a monitoring port: \(HarmlessText.make(other))://…")
        }
        let wanted = self.isSecure ? securePort ?? port : port
        if let ownPort, let wanted, ownPort != wanted { throw Invalid(description: "two different monitoring ports") }
        let usual = scheme == nil ? Self.standardPort : self.isSecure ? 443 : 80
        self.port = ownPort ?? wanted ?? usual
        guard (1...65_535).contains(self.port) else { throw Invalid(description: "invalid monitoring port") }
    }

    private static func place(of text: String, in whole: Substring) -> Range<Substring.Index>? {
        var index = whole.startIndex
        while index < whole.endIndex {
            if whole[index...].hasPrefix(text) { return index..<whole.index(index, offsetBy: text.count) }
            index = whole.index(after: index)
        }
        return nil
    }

    private static func hostAndPort(_ text: Substring, _ whole: String) throws(Invalid) -> (String, Int?) {
        let invalid = Invalid(description: "invalid server: \(HarmlessText.make(whole))")
        func port(_ text: Substring) throws(Invalid) -> Int? {
            guard let first = text.first else { return nil }
            guard first == ":", let port = Int(text.dropFirst()), text.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D })
            else { throw invalid }
            return port
        }
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { throw invalid }
            let host = text[text.index(after: text.startIndex)..<end]
            guard !host.isEmpty else { throw invalid }
            return (String(host), try port(text[text.index(after: end)...]))
        }
        let colons = text.utf8.reduce(0) { $0 + ($1 == UInt8(ascii: ":") ? 1 : 0) }
        guard colons == 1, let colon = text.firstIndex(of: ":") else {
            guard !text.isEmpty, !text.contains("["), !text.contains("]") else { throw invalid }
            return (String(text), nil)
        }
        guard colon > text.startIndex else { throw invalid }
        return (String(text[..<colon]), try port(text[colon...]))
    }

    /// `127.0.0.1:8222`, `[::1]:8222`.
    package var address: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }

    /// As it is shown on the screen.
    package var title: String { "\(self.isSecure ? "https://" : "")\(self.address)\(self.basePath)" }

    /// The same port of another host, nil if it is none.
    package func at(host: String) -> Target? {
        guard !host.isEmpty, host.utf8.count <= 253,
            host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#@[]\\\"<>,".utf8.contains($0) })
        else { return nil }
        var target = self
        target.host = host
        return target
    }

    package func path(of request: Request) -> String { self.basePath + request.path }

    /// The whole address of a page.
    package func url(of request: Request) -> String {
        "\(self.isSecure ? "https" : "http")://\(self.address)\(self.path(of: request))"
    }
}
