import NIOCore
import NIOSSL

/// Whom a certificate must be for: a host name or an IP address.
///
/// NIOSSL compares certificates with the address of the socket as well, which is the proxy's where there is one, or whoever's a
/// forged answer of the name service led to. As in nats.go makeTLSConn and in Go, nothing counts here but what the user asked
/// for, and the subject's common name not at all.
struct ServerIdentity {
    private let host: String
    /// Set if the host is an address: it then matches no name.
    private let address: SocketAddress?

    init(_ host: String) {
        self.host = host
        self.address = try? SocketAddress(ipAddress: host, port: 0)
    }

    /// The name for SNI, which takes no addresses.
    var serverName: String? {
        self.address == nil ? self.host : nil
    }

    func matches(_ certificate: NIOSSLCertificate) -> Bool {
        certificate._subjectAlternativeNames().contains { name in
            switch name.nameType {
            case .dnsName: self.matches(dnsName: Array(name.contents))
            case .ipAddress: self.matches(address: Array(name.contents))
            default: false
            }
        }
    }

    /// RFC 6125, 6.4: label by label, where only the whole left-most one may be a wildcard.
    func matches(dnsName: [UInt8]) -> Bool {
        guard self.address == nil else {
            return false
        }
        var name = Self.lowercased(self.host.utf8)
        if name.last == UInt8(ascii: ".") {
            name.removeLast()
        }
        let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let pattern = Self.lowercased(dnsName).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count == pattern.count, labels.allSatisfy({ !$0.isEmpty }) else {
            return false
        }
        guard pattern.count > 1, pattern.first?.elementsEqual("*".utf8) == true else {
            return labels == pattern
        }
        return labels.dropFirst() == pattern.dropFirst()
    }

    /// The 4 or 16 bytes of an address.
    func matches(address bytes: [UInt8]) -> Bool {
        guard let address = self.address, bytes.count == 4 || bytes.count == 16 else {
            return false
        }
        return (try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0)) == address
    }

    private static func lowercased(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }
}

extension ServerIdentity: CustomStringConvertible {
    var description: String {
        self.host
    }
}
