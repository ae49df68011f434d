import NATSWire
import NIOCore

/// `CONNECT` to an HTTP proxy (RFC 9110, 9.3.6), with `Basic` authentication if there is a user.
struct HTTPConnectHandshake: ProxyHandshake {
    private let target: String
    private let login: NATSClientConfiguration.Proxy.Login?
    private var reader = HTTPHeadReader()

    /// `target`: host and port, an IPv6 address in brackets.
    init(target: String, login: NATSClientConfiguration.Proxy.Login?) {
        self.target = target
        self.login = login
    }

    func begin() -> [UInt8] {
        var text = "CONNECT \(self.target) HTTP/1.1\r\nHost: \(self.target)\r\n"
        if let login = self.login {
            text += "Proxy-Authorization: Basic \(Base64.encode(Array("\(login.user):\(login.password)".utf8)))\r\n"
        }
        return Array((text + "\r\n").utf8)
    }

    mutating func received(_ bytes: inout ByteBuffer) -> ProxyHandshakeStep {
        while true {
            switch self.reader.next(&bytes) {
            case .incomplete:
                return .incomplete
            case .tooLarge:
                return .fail("its answer is too long")
            case .malformed:
                return .fail("its answer is not HTTP")
            case .head(let head):
                switch head.status {
                case 101:
                    return .fail("it answered with status 101")
                case 100..<200:
                    // An interim answer; all of them together are limited.
                    continue
                case 200..<300:
                    return .done
                case 407 where self.login == nil:
                    return .fail("it asks for a user and a password (status 407)")
                case 407:
                    return .fail("it refuses the user and the password (status 407)")
                default:
                    // Not the reason phrase, which may be anything.
                    return .fail("it answered with status \(head.status)")
                }
            }
        }
    }
}
