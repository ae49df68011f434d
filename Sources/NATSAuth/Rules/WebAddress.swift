import NATSText

/// As much of a URL as claims are checked for, by the rules of Go's `net/url`.
struct WebAddress {
    struct Failure: Error, Equatable {
        let words: String
    }

    private(set) var scheme = ""
    /// What stands before `@`, if there is an `@`.
    private(set) var user: String?
    /// Without its port.
    private(set) var hostName = ""
    private(set) var path = ""

    init(_ text: String) throws(Failure) {
        do throws(Failure) {
            try self.parse(text)
        } catch {
            throw Failure(words: "parse \(GoString.quoted(text)): \(error.words)")
        }
    }

    private mutating func parse(_ text: String) throws(Failure) {
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw Failure(words: "net/url: invalid control character in URL")
        }
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count > 1 { try Self.checkEscapes(parts[1]) }
        var rest = parts[0]
        try self.takeScheme(from: &rest)
        if let query = rest.firstIndex(of: "?") { rest = rest[..<query] }
        if !rest.hasPrefix("/") {
            // An address without host, like `mailto:x`.
            guard self.scheme.isEmpty else { return }
            let segment = rest.prefix { $0 != "/" }
            if segment.contains(":") { throw Failure(words: "first path segment in URL cannot contain colon") }
        }
        if rest.hasPrefix("//"), !self.scheme.isEmpty || !rest.hasPrefix("///") {
            let authority = rest.dropFirst(2).prefix { $0 != "/" }
            rest = rest[authority.endIndex...]
            try self.take(authority: authority)
        }
        try Self.checkEscapes(rest)
        self.path = String(rest)
    }

    private mutating func takeScheme(from rest: inout Substring) throws(Failure) {
        for (index, byte) in zip(rest.utf8.indices, rest.utf8) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                if index == rest.startIndex { return }
            case UInt8(ascii: ":"):
                guard index > rest.startIndex else { throw Failure(words: "missing protocol scheme") }
                self.scheme = rest[..<index].lowercased()
                rest = rest[rest.utf8.index(after: index)...]
                return
            default:
                return
            }
        }
    }

    private mutating func take(authority: Substring) throws(Failure) {
        var host = authority
        if let sign = authority.lastIndex(of: "@") {
            host = authority[authority.index(after: sign)...]
            let user = authority[..<sign]
            let others = Array("-._:~!$&'()*+,;=%@".utf8)
            let isValid = user.utf8.allSatisfy { byte in
                Self.isLetterOrDigit(byte) || others.contains(byte)
            }
            guard isValid else { throw Failure(words: "net/url: invalid userinfo") }
            try Self.checkEscapes(user)
            self.user = String(user)
        }
        if let open = host.lastIndex(of: "[") {
            guard open == host.startIndex else { throw Failure(words: "invalid IP-literal") }
            guard let close = host.lastIndex(of: "]") else { throw Failure(words: "missing ']' in host") }
            try Self.checkPort(host[host.index(after: close)...])
            self.hostName = try Self.literal(host[host.index(after: open)..<close])
        } else {
            let colon = host.firstIndex(of: ":") ?? host.endIndex
            try Self.checkPort(host[colon...])
            self.hostName = String(host[..<colon])
            try Self.checkHost(host[..<colon])
        }
    }

    /// What stands in brackets: an IPv6 address, possibly with a zone behind `%25`.
    private static func literal(_ text: Substring) throws(Failure) -> String {
        let zone = text.firstRange(of: "%25")
        let address = text[..<(zone?.lowerBound ?? text.endIndex)]
        try self.checkHost(address)
        if let zone { try self.checkEscapes(text[zone.lowerBound...]) }
        let bytes = IPAddress.parse(address)
        guard bytes?.count == 16, zone?.upperBound != text.endIndex else {
            if bytes?.count == 4 { throw Failure(words: "invalid IP-literal") }
            throw Failure(words: "invalid host: ParseAddr(\(GoString.quoted(text))): unable to parse IP")
        }
        return String(text)
    }

    /// Of what is escaped only bytes that are not ASCII, and the percent sign, may be in a host.
    private static func checkHost(_ text: Substring) throws(Failure) {
        try self.checkEscapes(text)
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "%") {
                let escape = bytes[index..<min(bytes.count, index + 3)]
                let isASCII = (0x30...0x37).contains(bytes[min(bytes.count - 1, index + 1)])
                if isASCII, !escape.elementsEqual("%25".utf8) {
                    throw Failure(words: "invalid URL escape \(GoString.quoted(escape))")
                }
            } else if self.isForbiddenInHost(byte) {
                let character = String(Unicode.Scalar(byte))
                throw Failure(words: "invalid character \(GoString.quoted(character)) in host name")
            }
        }
    }

    private static func checkPort(_ text: Substring) throws(Failure) {
        guard !text.isEmpty else { return }
        let isPort = text.hasPrefix(":") && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
        guard isPort else { throw Failure(words: "invalid port \(GoString.quoted(String(text))) after host") }
    }

    private static func checkEscapes(_ text: Substring) throws(Failure) {
        let bytes = Array(text.utf8)
        for index in bytes.indices where bytes[index] == UInt8(ascii: "%") {
            let escape = bytes[index..<min(bytes.count, index + 3)]
            guard escape.count == 3, escape.dropFirst().allSatisfy(self.isHexDigit) else {
                throw Failure(words: "invalid URL escape \(GoString.quoted(String(decoding: escape, as: UTF8.self)))")
            }
        }
    }

    private static func isForbiddenInHost(_ byte: UInt8) -> Bool {
        byte < 0x80 && !self.isLetterOrDigit(byte) && !Array("-_.~!$&'()*+,;=:[]<>\"%".utf8).contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
