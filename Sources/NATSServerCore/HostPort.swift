/// `host:port` as Go writes and reads it; an IPv6 address stands in brackets.
package enum HostPort {
    /// What Go says about a text that is none.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Go's `net.JoinHostPort`.
    package static func join(_ host: String, _ port: Int) -> String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Go's `net.SplitHostPort`.
    package static func split(_ text: String) throws(Failure) -> (host: String, port: String) {
        let bytes = Array(text.utf8)
        // An empty address is not named.
        func failure(_ why: String) -> Failure {
            Failure(description: bytes.isEmpty ? why : "address \(text): \(why)")
        }
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else { throw failure("missing port in address") }
        var host = bytes[..<colon]
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { throw failure("missing ']' in address") }
            guard end + 1 < bytes.count else { throw failure("missing port in address") }
            guard end + 1 == colon else {
                let isColon = bytes[end + 1] == UInt8(ascii: ":")
                throw failure(isColon ? "too many colons in address" : "missing port in address")
            }
            host = bytes[1..<end]
        } else if host.contains(UInt8(ascii: ":")) {
            throw failure("too many colons in address")
        }
        return (String(decoding: host, as: UTF8.self), String(decoding: bytes[(colon + 1)...], as: UTF8.self))
    }
}
