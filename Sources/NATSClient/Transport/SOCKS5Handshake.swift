import NIOCore

/// SOCKS 5 (RFC 1928), with user and password (RFC 1929) if the proxy wants them.
struct SOCKS5Handshake: ProxyHandshake {
    private enum State {
        case awaitingMethod
        case awaitingLogin
        case awaitingReply
        case over
    }

    private static let version: UInt8 = 5

    private var state = State.awaitingMethod
    private let host: String
    private let port: UInt16
    private let login: NATSClientConfiguration.Proxy.Login?

    /// `login`: both parts have 1 to 255 bytes.
    init(host: String, port: Int, login: NATSClientConfiguration.Proxy.Login?) {
        self.host = host
        self.port = UInt16(truncatingIfNeeded: port)
        self.login = login
    }

    func begin() -> [UInt8] {
        // No authentication, or user and password.
        self.login == nil ? [Self.version, 1, 0] : [Self.version, 2, 0, 2]
    }

    mutating func received(_ bytes: inout ByteBuffer) -> ProxyHandshakeStep {
        let step: ProxyHandshakeStep
        switch self.state {
        case .awaitingMethod:
            step = self.receivedMethod(&bytes)
        case .awaitingLogin:
            step = self.receivedLogin(&bytes)
        case .awaitingReply:
            step = Self.receivedReply(&bytes)
        case .over:
            return .incomplete
        }
        switch step {
        case .done, .fail:
            self.state = .over
        case .incomplete, .send:
            break
        }
        return step
    }

    private mutating func receivedMethod(_ bytes: inout ByteBuffer) -> ProxyHandshakeStep {
        guard let version: UInt8 = bytes.getInteger(at: bytes.readerIndex) else {
            return .incomplete
        }
        guard version == Self.version else {
            return .fail("it does not speak SOCKS 5")
        }
        guard let (_, method) = bytes.readMultipleIntegers(as: (UInt8, UInt8).self) else {
            return .incomplete
        }
        switch method {
        case 0:
            return self.connect()
        case 2:
            guard let login = self.login else {
                return .fail("it asks for a user and a password, and there are none")
            }
            self.state = .awaitingLogin
            let (user, password) = (Array(login.user.utf8), Array(login.password.utf8))
            return .send(
                [1, UInt8(truncatingIfNeeded: user.count)] + user + [UInt8(truncatingIfNeeded: password.count)]
                    + password
            )
        case 0xff:
            return .fail(
                self.login == nil
                    ? "it does not let anybody in without authentication" : "it takes no user and password"
            )
        default:
            return .fail("it asks for a kind of authentication that it was not offered")
        }
    }

    private mutating func receivedLogin(_ bytes: inout ByteBuffer) -> ProxyHandshakeStep {
        guard let (_, status) = bytes.readMultipleIntegers(as: (UInt8, UInt8).self) else {
            return .incomplete
        }
        return status == 0 ? self.connect() : .fail("it refuses the user and the password")
    }

    private mutating func connect() -> ProxyHandshakeStep {
        var request: [UInt8] = [Self.version, 1, 0]
        switch try? SocketAddress(ipAddress: self.host, port: 0) {
        case .v4(let address)?:
            request += [1] + Self.bytes(.v4(address), 4..<8)
        case .v6(let address)?:
            request += [4] + Self.bytes(.v6(address), 8..<24)
        case .unixDomainSocket, nil:
            let name = Array(self.host.utf8)
            guard let count = UInt8(exactly: name.count) else {
                return .fail("it cannot be asked for a host whose name has more than 255 bytes")
            }
            request.append(3)
            request.append(count)
            request.append(contentsOf: name)
        }
        request.append(UInt8(self.port >> 8))
        request.append(UInt8(truncatingIfNeeded: self.port))
        self.state = .awaitingReply
        return .send(request)
    }

    /// Where `sockaddr_in` and `sockaddr_in6` have their address, on every system.
    private static func bytes(_ address: SocketAddress, _ range: Range<Int>) -> [UInt8] {
        address.withSockAddr { pointer, size in
            Array(UnsafeRawBufferPointer(start: pointer, count: size)[range])
        }
    }

    private static func receivedReply(_ bytes: inout ByteBuffer) -> ProxyHandshakeStep {
        let start = bytes.readerIndex
        guard let version: UInt8 = bytes.getInteger(at: start) else {
            return .incomplete
        }
        guard version == Self.version else {
            return .fail("its reply is not one of SOCKS 5")
        }
        guard let reply: UInt8 = bytes.getInteger(at: start + 1) else {
            return .incomplete
        }
        guard reply == 0 else {
            return .fail(Self.text(reply))
        }
        guard let kind: UInt8 = bytes.getInteger(at: start + 3), let first: UInt8 = bytes.getInteger(at: start + 4)
        else {
            return .incomplete
        }
        let length: Int
        switch kind {
        case 1: length = 4
        case 3: length = 1 + Int(first)
        case 4: length = 16
        default: return .fail("its reply has an address of an unknown kind")
        }
        // Where it connects from is nobody's business here.
        guard bytes.readSlice(length: 4 + length + 2) != nil else {
            return .incomplete
        }
        return .done
    }

    private static func text(_ reply: UInt8) -> String {
        switch reply {
        case 1: "it failed"
        case 2: "its rules do not allow the connection"
        case 3: "it cannot reach the server's network"
        case 4: "it cannot reach the server's host"
        case 5: "the server refused its connection"
        case 6: "its connection to the server took too long"
        case 7: "it does not support CONNECT"
        case 8: "it does not support this kind of address"
        default: "it replied with the unknown code \(reply)"
        }
    }
}
