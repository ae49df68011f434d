import NATSAuth

/// The name a server gives itself, a server's public nkey, and its keys: new at each start.
struct ServerIdentity: Sendable {
    /// 56 characters, the first an `N`.
    let id: String
    /// With which questions to authorization services are signed.
    let keys: NKeyPair
    /// With which they are sealed.
    let xkeys: XKeyPair
    private let inboxPrefix: String

    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    init(using generator: inout some RandomNumberGenerator) {
        self.keys = NKeyPair.server()
        self.xkeys = XKeyPair()
        self.id = self.keys.publicKey.text
        self.inboxPrefix = "$SYS._INBOX.\(Self.token(using: &generator))."
    }

    private static func token(using generator: inout some RandomNumberGenerator) -> String {
        String((0..<8).map { _ in self.digits[Int.random(in: 0..<self.digits.count, using: &generator)] })
    }

    /// The same from the system's generator, which is not passed on: it has no bytes, and so the thread sanitizer takes two
    /// of them at one place for one.
    private static func token() -> String {
        String((0..<8).map { _ in self.digits[Int.random(in: 0..<self.digits.count)] })
    }

    /// A reply subject for one question of the server (nats-server events.go newRespInbox).
    func makeInbox() -> String {
        self.inboxPrefix + Self.token()
    }
}
