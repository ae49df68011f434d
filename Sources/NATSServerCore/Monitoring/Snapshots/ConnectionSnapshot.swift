import NIOCore

/// The numbers of a connection at one moment, which lists are sorted by.
struct ConnectionFigures: Sendable, Equatable {
    var id: UInt64
    var start: NIODeadline
    var lastActivity: NIODeadline
    /// 0 while unknown.
    var roundTripNanoseconds: Int64 = 0
    var pendingBytes = 0
    var traffic = TrafficStatistics()
    /// How often the connection was paused because one of its subscribers had fallen behind.
    var stalls = 0
    var subscriptions = 0
}

/// One connection of a client, or of a leaf node, at one moment.
struct ConnectionSnapshot: Sendable {
    enum Kind: Sendable {
        case client
        case webSocketClient
        /// A leaf node, or the hub.
        case leafNode
    }

    /// What the connection's TLS session has agreed on.
    struct Security: Sendable, Equatable {
        /// The protocol's version, such as `1.3`.
        var version = ""
        /// The cipher suite's name as Go has it.
        var cipherSuite = ""
        /// The handshake came before INFO.
        var isFirst = false
        /// The certificates that the client sent.
        var peerCertificates: [PeerCertificate] = []
    }

    struct PeerCertificate: Sendable, Equatable {
        var subject: String
        /// SHA-256 in hexadecimal: of the public key, and of the certificate.
        var publicKeyDigest: String
        var digest: String
    }

    var figures: ConnectionFigures
    var kind = Kind.client
    var ip = ""
    var port = 0
    var name = ""
    var lang = ""
    var version = ""
    /// What the client gave as its user; secrets redacted.
    var user = ""
    var account = Account.globalName
    var jwt = ""
    /// The key that has signed the user's JWT, or the account's.
    var issuerKey = ""
    var tags: [String] = []
    /// The user's name in its JWT.
    var userTag = ""
    /// The account's name in its JWT; its own name if it has none.
    var accountTag = Account.globalName
    var security: Security?
    /// Empty unless asked for.
    var subscriptions: [SubscriptionSnapshot] = []

    /// About what a page needs for it, without its subscriptions.
    var pageSize: Int {
        let texts = [self.name, self.lang, self.version, self.user, self.jwt, self.userTag] + self.tags
        return texts.reduce(1024) { $0 + $1.utf8.count }
    }
}

/// A connection that has ended.
final class ClosedConnection: Sendable {
    let connection: ConnectionSnapshot
    let stop: NIODeadline
    let reason: String

    init(_ connection: ConnectionSnapshot, stop: NIODeadline, reason: String) {
        self.connection = connection
        self.stop = stop
        self.reason = reason
    }
}
