/// What became of one publish; an error object is made only when there is an error.
@usableFromInline
enum PublishOutcome: Sendable {
    case accepted
    /// Above the high-water mark: try again when the buffer was written.
    case full
    case badSubject
    case badReply
    case headersNotSupported
    case payloadTooLarge
    case badHeader
    case reconnectBufferExceeded
    /// There is no connection, and nothing is kept for the next one.
    case disconnected
    /// Closed or draining; the buffer knows the error.
    case refused
}
