import NATSClient
import NATSCommandSupport
import NIOCore

/// A message that no server takes as it is; nothing is wrong with the connection.
enum UnsendableMessage: Error {
    /// Headers and payload have so many bytes.
    case tooLarge(size: Int, limit: Int)
    case refused(String)

    /// Nil for an error that is not the message's.
    init?(_ error: NATSError, _ message: OutgoingMessage, limit: Int) {
        switch error.code {
        case .maximumPayloadExceeded:
            self = .tooLarge(
                size: message.headers.encodedSize + message.payload.readableBytes,
                limit: limit
            )
        case .badSubject, .badHeader:
            self = .refused(ToolFailure(error).description)
        default:
            return nil
        }
    }

    var isTooLarge: Bool {
        if case .tooLarge = self { true } else { false }
    }

    /// For people.
    var text: String {
        switch self {
        case .tooLarge(let size, let limit): "message of \(size) bytes exceeds max_payload \(limit)"
        case .refused(let text): text
        }
    }
}
