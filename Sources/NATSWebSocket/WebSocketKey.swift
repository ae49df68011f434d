import Crypto
import NATSWire

/// What client and server show each other in the handshake (RFC 6455, 4.2.2).
package enum WebSocketKey {
    private static let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// A client's key: sixteen random bytes in base64.
    package static func make() -> String {
        Base64.encode((0..<16).map { _ in UInt8.random(in: 0...255) })
    }

    /// What a client's frame is masked with: new for each, and not to be foreseen (RFC 6455, 5.3).
    package static func makeMask() -> UInt32 {
        UInt32.random(in: 0 ... .max)
    }

    /// What the server answers to a key.
    package static func acceptance(of key: String) -> String {
        Base64.encode(Insecure.SHA1.hash(data: Array((key + self.guid).utf8)))
    }
}
