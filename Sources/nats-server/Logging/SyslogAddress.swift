import NATSText

/// Where a syslog service listens.
enum SyslogAddress: Equatable, Sendable {
    /// The usual sockets of this machine.
    case local
    case udp(String)
    case tcp(String)
    /// A stream socket.
    case unix(path: String)

    struct Failure: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// Reads the URL of `remote_syslog` (nats-server logger/syslog.go getNetworkAndAddr).
    init(url: String) throws(Failure) {
        let bytes = Array(url.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0 else {
            throw Failure(description: #"error invalid network type: """#)
        }
        let scheme = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
        var rest = bytes[(colon + 1)...]
        var authority: ArraySlice<UInt8> = []
        if rest.starts(with: "//".utf8) {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
            authority = rest[..<end]
            rest = rest[end...]
            if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
                authority = authority[(at + 1)...]
            }
            if let port = Self.malformedPort(authority) {
                let place = "invalid port \(GoString.quoted(port)) after host"
                throw Failure(description: "parse \(GoString.quoted(url)): \(place)")
            }
        }
        let path = rest.prefix { !"?#".utf8.contains($0) }
        switch scheme {
        case "udp": self = .udp(String(decoding: authority, as: UTF8.self))
        case "tcp": self = .tcp(String(decoding: authority, as: UTF8.self))
        case "unix": self = .unix(path: String(decoding: path, as: UTF8.self))
        default: throw Failure(description: "error invalid network type: \(GoString.quoted(scheme))")
        }
    }

    /// What stands behind the host, from the colon on, if that is no number (Go's url.go parseHost).
    private static func malformedPort(_ authority: ArraySlice<UInt8>) -> String? {
        let start: Int
        if authority.first == UInt8(ascii: "["), let bracket = authority.lastIndex(of: UInt8(ascii: "]")) {
            start = bracket + 1
        } else {
            start = authority.lastIndex(of: UInt8(ascii: ":")) ?? authority.endIndex
        }
        let port = authority[start...]
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let isValid = port.isEmpty || port.first == UInt8(ascii: ":") && port.dropFirst().allSatisfy(digits.contains)
        return isValid ? nil : String(decoding: port, as: UTF8.self)
    }
}
