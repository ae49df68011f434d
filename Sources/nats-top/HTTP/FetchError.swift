import NATSCommandSupport
import NATSTop
import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Why a page could not be had, in one line.
enum FetchError: Error, Equatable, CustomStringConvertible {
    case closed
    case timedOut
    case tooLarge
    /// It says `INFO`: the port of clients.
    case clientPort
    case other(String)

    /// A body larger than this is not read to its end.
    static let maximumBodyBytes = 10 << 20

    var description: String {
        switch self {
        case .closed: "the server closed the connection"
        case .timedOut: "no answer in time"
        case .tooLarge: "the answer has more than 10 MB: ask for fewer connections (n)"
        case .clientPort: "this is the port of clients, not of monitoring"
        case .other(let text): HarmlessText.line(text.utf8, limit: 160)
        }
    }

    init(_ error: any Error) {
        switch error {
        case let error as FetchError: self = error
        case let error as NIOConnectionError: self = Self.connection(error)
        case let error as IOError where [ECONNRESET, EPIPE].contains(error.errnoCode): self = .closed
        case let error as IOError: self = .other(Self.text(errno: error.errnoCode))
        case ChannelError.connectTimeout: self = .timedOut
        case ChannelError.ioOnClosedChannel, ChannelError.eof, ChannelError.inputClosed, NIOSSLError.uncleanShutdown,
            ChannelError.alreadyClosed:
            self = .closed
        case is NIOSSLExtraError:
            self = .other("the server's certificate is not for this name or address")
        case is NIOSSLError, is BoringSSLError:
            self = .other(Self.text(tls: "\(error)"))
        default:
            self = .other("not an answer by HTTP: \(error)")
        }
    }

    private static func connection(_ error: NIOConnectionError) -> FetchError {
        if let first = error.connectionErrors.first?.error { return FetchError(first) }
        return .other("no such host: \(error.host)")
    }

    /// The system's text, as Go begins it.
    private static func text(errno: Int32) -> String {
        let text = POSIX.describe(errno)
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    private static func text(tls description: String) -> String {
        let known = [
            ("CERTIFICATE_VERIFY_FAILED", "the server's certificate does not verify"),
            ("WRONG_VERSION_NUMBER", "the server does not speak TLS here"),
            ("HTTP_REQUEST", "the server does not speak TLS here"),
            ("CERTIFICATE_REQUIRED", "the server wants a client certificate"),
            ("BAD_CERTIFICATE", "the server does not accept our certificate"),
        ]
        for (mark, text) in known where description.contains(mark) { return text }
        return "TLS: \(description)"
    }
}
