import NATSServerConfig
import NATSServerCore
import NATSText

/// The URL of `-cluster`, as Go reads it.
struct ClusterAddress: Equatable, Sendable {
    let host: String
    /// -1 asks for any port.
    let port: Int
    let user: String?
    let password: String?

    struct Failure: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    init(_ text: String) throws(Failure) {
        // Go's parser knows no port -1.
        let wantsAnyPort = text.hasSuffix(":-1")
        let url = wantsAnyPort ? text.dropLast(3) + ":0" : text
        let authority = try Self.authority(String(url))
        let hostPort: (host: String, port: String)
        do {
            hostPort = try HostPort.split(authority.address)
        } catch {
            throw Failure(description: error.description)
        }
        guard let port = Int(hostPort.port) else { throw Failure(description: "EOF") }
        self.host = hostPort.host
        self.port = wantsAnyPort ? -1 : port
        if let user = authority.user {
            guard let colon = user.utf8.firstIndex(of: UInt8(ascii: ":")) else {
                throw Failure(description: "expected cluster password to be set")
            }
            self.user = String(user[..<colon])
            self.password = String(user[user.utf8.index(after: colon)...])
        } else {
            self.user = nil
            self.password = nil
        }
    }

    /// The URLs of `-routes`; their scheme does not matter.
    static func routes(_ text: String) -> [ConfigurationURL] {
        text.split(separator: ",", omittingEmptySubsequences: false).compactMap { ConfigurationURL(String($0)) }
    }

    /// The parts between `//` and the path; Go's `url.Parse` with its errors.
    private static func authority(_ text: String) throws(Failure) -> (user: String?, address: String) {
        func failure(_ why: String) -> Failure {
            Failure(description: "parse \(GoString.quoted(text)): \(why)")
        }
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return (nil, "") }
        let scheme = bytes[..<colon]
        let isLetter = { (byte: UInt8) in (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
        let isScheme = scheme.allSatisfy { isLetter($0) || "+-.0123456789".utf8.contains($0) }
        guard let first = scheme.first else { throw failure("missing protocol scheme") }
        guard isLetter(first), isScheme else { throw failure("first path segment in URL cannot contain colon") }
        let rest = bytes[(colon + 1)...]
        guard rest.starts(with: "//".utf8) else { return (nil, "") }
        let authority = rest.dropFirst(2).prefix { !"/?#".utf8.contains($0) }
        var user: String?
        var address = authority
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
            user = try Self.unescape(authority[..<at], failure)
            address = authority[(at + 1)...]
        }
        if address.first == UInt8(ascii: "["), !address.contains(UInt8(ascii: "]")) {
            throw failure("missing ']' in host")
        }
        if let colon = address.lastIndex(of: UInt8(ascii: ":")), !address[colon...].contains(UInt8(ascii: "]")) {
            let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
            guard address[(colon + 1)...].allSatisfy({ digits.contains($0) }) else {
                let port = GoString.quoted(String(decoding: address[colon...], as: UTF8.self))
                throw failure("invalid port \(port) after host")
            }
        }
        return (user, try Self.unescape(address, failure))
    }

    private static func unescape(
        _ bytes: ArraySlice<UInt8>,
        _ failure: (String) -> Failure
    ) throws(Failure) -> String {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else {
                throw failure("invalid URL escape \(GoString.quoted("%" + digits))")
            }
            result.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
