import NATSText
import NIOSSL

/// Why a handshake failed, in the official server's words as far as BoringSSL tells the same things apart.
struct TLSHandshakeFailure: Equatable {
    let text: String
    /// Whether it is one of those that ordinary probes of a port cause (nats-server client.go
    /// isClientProbeTLSHandshakeError).
    let isProbe: Bool
    /// Whether the client's certificate was refused, so that its name belongs to the message.
    let isVerification: Bool

    private init(_ text: String, isProbe: Bool = false, isVerification: Bool = false) {
        self.text = text
        self.isProbe = isProbe
        self.isVerification = isVerification
    }

    static func timeout(local: String, remote: String) -> Self {
        Self("read tcp \(local)->\(remote): i/o timeout", isProbe: true)
    }

    static let certificateNotPinned = Self("certificate not pinned")
    static let notTLS = Self("tls: first record does not look like a TLS handshake", isProbe: true)

    init(_ error: any Error) {
        guard !(error is TLSHandshakeObserver.NotTLS) else {
            self = .notTLS
            return
        }
        guard case .handshakeFailed(let cause)? = error as? NIOSSLError else {
            self.init(Self.harmless("\(error)"))
            return
        }
        switch cause {
        case .sslError(let stack), .unknownError(let stack):
            if stack.contains(.eofDuringHandshake) || stack.contains(.eofDuringAdditionalCertficiateChainValidation) {
                self.init("EOF")
            } else {
                self.init(reasons: stack.map { Self.reason($0.description) })
            }
        case .syscallError, .zeroReturn:
            self.init("EOF")
        default:
            self.init(Self.harmless("\(cause)"))
        }
    }

    /// - Parameter reasons: Names that BoringSSL gives to what went wrong, the first cause first.
    init(reasons: [String]) {
        for reason in reasons {
            if ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST"].contains(reason) {
                self = .notTLS
                return
            }
            if reason == "CERTIFICATE_VERIFY_FAILED" {
                self.init("tls: failed to verify certificate", isVerification: true)
                return
            }
            if let text = Self.texts[reason] ?? Self.alert(reason) {
                self.init(text)
                return
            }
        }
        self.init("tls: \(reasons.first.map { $0.lowercased().replacing("_", with: " ") } ?? "handshake failed")")
    }

    private static let texts = [
        "PEER_DID_NOT_RETURN_A_CERTIFICATE": "tls: client didn't provide a certificate",
        "UNSUPPORTED_PROTOCOL": "tls: client offered only unsupported versions",
        "NO_SHARED_CIPHER": "tls: no cipher suite supported by both client and server",
        "NO_SHARED_GROUP": "tls: no supported elliptic curves offered",
        "NO_CERTIFICATE_SET": "tls: no certificates configured",
        "NO_COMMON_SIGNATURE_ALGORITHMS": "tls: peer doesn't support any of the certificate's signature algorithms",
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": "local error: tls: bad record MAC",
        "BAD_DECRYPT": "local error: tls: bad record MAC",
        "EXCESSIVE_MESSAGE_SIZE": "tls: handshake message exceeds maximum size",
        "UNEXPECTED_MESSAGE": "local error: tls: unexpected message",
        "UNEXPECTED_RECORD": "local error: tls: unexpected message",
        "BAD_SIGNATURE": "tls: invalid signature by the client certificate",
    ]

    /// What the client said by an alert.
    private static func alert(_ reason: String) -> String? {
        let alerts = [
            "UNKNOWN_CA": "unknown certificate authority",
            "BAD_CERTIFICATE": "bad certificate",
            "CERTIFICATE_EXPIRED": "expired certificate",
            "CERTIFICATE_UNKNOWN": "unknown certificate",
            "CERTIFICATE_REVOKED": "revoked certificate",
            "UNSUPPORTED_CERTIFICATE": "unsupported certificate",
            "CERTIFICATE_REQUIRED": "certificate required",
            "HANDSHAKE_FAILURE": "handshake failure",
            "PROTOCOL_VERSION": "protocol version not supported",
            "ACCESS_DENIED": "access denied",
            "DECRYPT_ERROR": "error decrypting message",
            "DECODE_ERROR": "error decoding message",
            "INTERNAL_ERROR": "internal error",
            "USER_CANCELLED": "user canceled",
            "UNEXPECTED_MESSAGE": "unexpected message",
            "BAD_RECORD_MAC": "bad record MAC",
            "NO_CERTIFICATE": "no certificate",
            "INSUFFICIENT_SECURITY": "insufficient security level",
        ]
        guard let range = reason.firstRange(of: "ALERT_") else { return nil }
        return alerts[String(reason[range.upperBound...])].map { "remote error: tls: \($0)" }
    }

    /// The name in `Error: 268435703 error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at file:1`.
    static func reason(_ description: String) -> String {
        let marker = "OPENSSL_internal:"
        guard let range = description.firstRange(of: marker) else { return self.harmless(description) }
        return String(description[range.upperBound...].prefix { $0 != " " })
    }

    /// Nothing in an error's text may forge a line of the log.
    private static func harmless(_ text: String) -> String { GoString.harmless(Array(text.utf8)) }
}
