import NATSText

/// A URL of a configuration, taken apart as Go's net/url does it, so that both servers agree about which are URLs.
package struct ConfigurationURL: Sendable, Hashable {
    /// Why a text is no URL, in Go's words.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }
    }

    /// What a URL is wanted for.
    private enum Kind {
        /// Go's url.Parse: any reference.
        case reference
        /// Go's url.ParseRequestURI: absolute, or an absolute path; `#` is a byte like others.
        case request
    }

    /// As written, without surrounding white space.
    ///
    /// May hold a password: never log it.
    package var text: String
    package var scheme = ""
    package var user: String?
    package var password: String?
    /// Both as written.
    private(set) var userInfo: String?
    /// Without brackets.
    package var host = ""
    /// Host and port as they stand there, encoding taken out.
    package var hostPort = ""
    private var writtenHost = ""
    private(set) var hasAuthority = false
    /// `nil` if there is none; whether it can be one of TCP is for others to see.
    package var port: Int?
    package var path = ""
    /// The path as written.
    var rawPath = ""
    /// What follows a scheme that no slash follows.
    package var opaque = ""
    /// What stands behind `?`, as written.
    package var query: String?
    /// What stands behind `#`, as written.
    var fragment: String?

    /// Takes a URL apart; `nil` where url.Parse fails.
    package init?(_ written: String) {
        do throws(Failure) {
            self = try Self(written.trimmingSpaces(), .reference)
        } catch {
            return nil
        }
    }

    /// Takes a URL apart.
    package init(reference text: String) throws(Failure) { self = try Self(text, .reference) }

    /// Takes the URL of a request apart.
    package init(request text: String) throws(Failure) { self = try Self(text, .request) }

    /// Takes a redirection apart.
    ///
    /// - Parameters:
    ///   - location: Where it leads to, which may be relative.
    ///   - base: Where it comes from.
    /// - Throws: ``Failure`` if it is no URL.
    package init(location: String, from base: Self) throws(Failure) {
        let target = try Self(location, .reference)
        guard target.scheme.isEmpty else {
            self = target
            return
        }
        let reference = location.prefix { $0 != "#" }
        guard !target.hasAuthority else {
            self = try Self("\(base.scheme):\(reference)", .reference)
            return
        }
        let root = "\(base.scheme)://\(base.userInfo.map { "\($0)@" } ?? "")\(base.writtenHost)"
        if target.rawPath.isEmpty {
            let query = target.query ?? base.query
            self = try Self(root + base.rawPath + (query.map { "?\($0)" } ?? ""), .reference)
            return
        }
        var path = target.rawPath
        if !path.hasPrefix("/") {
            let directory = base.rawPath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            path = directory.joined(separator: "/") + "/" + path
        }
        path = Self.withoutDots(path)
        self = try Self(root + path + (target.query.map { "?\($0)" } ?? ""), .reference)
    }

    /// RFC 3986 5.2.4.
    private static func withoutDots(_ path: String) -> String {
        var result: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { result.append("") }
            case "..":
                _ = result.popLast()
                if isLast { result.append("") }
            default: result.append(segment)
            }
        }
        return "/" + result.joined(separator: "/")
    }

    private init(_ text: String, _ kind: Kind) throws(Failure) {
        self.text = text
        var rest = Array(text.utf8)[...]
        guard rest.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw Failure("net/url: invalid control character in URL")
        }
        if kind == .request, rest.isEmpty { throw Failure("empty url") }
        if kind == .reference, let hash = rest.firstIndex(of: UInt8(ascii: "#")) {
            let fragment = rest[(hash + 1)...]
            _ = try Self.unescaped(fragment, .fragment)
            self.fragment = String(decoding: fragment, as: UTF8.self)
            rest = rest[..<hash]
        }
        if rest.elementsEqual([UInt8(ascii: "*")]) {
            self.path = "*"
            self.rawPath = "*"
            return
        }
        let scheme = try Self.scheme(rest)
        self.scheme = String(decoding: scheme, as: UTF8.self).lowercased()
        if !scheme.isEmpty { rest = rest.dropFirst(scheme.count + 1) }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            self.query = String(decoding: rest[(mark + 1)...], as: UTF8.self)
            rest = rest[..<mark]
        }
        if rest.first != UInt8(ascii: "/") {
            if !self.scheme.isEmpty {
                self.opaque = String(decoding: rest, as: UTF8.self)
                return
            }
            if kind == .request { throw Failure("invalid URI for request") }
            guard !rest.prefix(while: { $0 != UInt8(ascii: "/") }).contains(UInt8(ascii: ":")) else {
                throw Failure("first path segment in URL cannot contain colon")
            }
        }
        let hasAuthority =
            !self.scheme.isEmpty || kind == .reference && !rest.starts(with: Array("///".utf8))
        if hasAuthority, rest.starts(with: Array("//".utf8)) {
            let authority = rest.dropFirst(2).prefix { $0 != UInt8(ascii: "/") }
            rest = rest[authority.endIndex...]
            self.hasAuthority = true
            try self.take(authority: authority)
        }
        self.rawPath = String(decoding: rest, as: UTF8.self)
        self.path = try Self.unescaped(rest, .path)
    }

    /// What stands before the first colon, if it can be a scheme; empty when there is none.
    private static func scheme(_ text: ArraySlice<UInt8>) throws(Failure) -> ArraySlice<UInt8> {
        for (index, byte) in zip(text.indices, text) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                if index == text.startIndex { return [] }
            case UInt8(ascii: ":"):
                if index == text.startIndex { throw Failure("missing protocol scheme") }
                return text[..<index]
            default:
                return []
            }
        }
        return []
    }

    // MARK: Authority

    private mutating func take(authority: ArraySlice<UInt8>) throws(Failure) {
        guard let sign = authority.lastIndex(of: UInt8(ascii: "@")) else {
            self.writtenHost = String(decoding: authority, as: UTF8.self)
            return try self.take(host: authority)
        }
        self.writtenHost = String(decoding: authority[(sign + 1)...], as: UTF8.self)
        try self.take(host: authority[(sign + 1)...])
        let info = authority[..<sign]
        guard info.allSatisfy({ Self.isAlphanumeric($0) || Array("-._:~!$&'()*+,;=%@".utf8).contains($0) }) else {
            throw Failure("net/url: invalid userinfo")
        }
        self.userInfo = String(decoding: info, as: UTF8.self)
        let colon = info.firstIndex(of: UInt8(ascii: ":"))
        self.user = try Self.unescaped(info[..<(colon ?? info.endIndex)], .user)
        if let colon { self.password = try Self.unescaped(info[(colon + 1)...], .user) }
    }

    private mutating func take(host: ArraySlice<UInt8>) throws(Failure) {
        if let open = host.lastIndex(of: UInt8(ascii: "[")) {
            guard open == host.startIndex else { throw Failure("invalid IP-literal") }
            guard let close = host.lastIndex(of: UInt8(ascii: "]")) else { throw Failure("missing ']' in host") }
            try self.take(port: host[(close + 1)...])
            let literal = host[(open + 1)..<close]
            let zone = Array(literal).firstIndex(of: Array("%25".utf8)).map { literal.startIndex + $0 }
            let edge = zone ?? literal.endIndex
            self.host = try Self.unescaped(literal[..<edge], .host) + Self.unescaped(literal[edge...], .zone)
            if let problem = IPv6Text.problem(self.host) { throw Failure(problem) }
            self.hostPort = "[\(self.host)]" + String(decoding: host[(close + 1)...], as: UTF8.self)
            return
        }
        // Of the web's URLs only one colon is taken.
        let isWeb = self.scheme == "http" || self.scheme == "https"
        let colon = isWeb ? host.firstIndex(of: UInt8(ascii: ":")) : host.lastIndex(of: UInt8(ascii: ":"))
        if let colon { try self.take(port: host[colon...]) }
        self.host = try Self.unescaped(host[..<(colon ?? host.endIndex)], .host)
        self.hostPort = try Self.unescaped(host, .host)
    }

    private mutating func take(port: ArraySlice<UInt8>) throws(Failure) {
        guard let colon = port.first else { return }
        guard colon == UInt8(ascii: ":"), port.dropFirst().allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Failure("invalid port \(GoString.quoted(Array(port))) after host")
        }
        guard port.count > 1 else { return }
        self.port = Int(String(decoding: port.dropFirst(), as: UTF8.self)) ?? Int.max
    }
}

extension Array where Element: Equatable {
    fileprivate func firstIndex(of other: [Element]) -> Int? {
        guard self.count >= other.count else { return nil }
        return (0...(self.count - other.count)).first { self[$0...].starts(with: other) }
    }
}
