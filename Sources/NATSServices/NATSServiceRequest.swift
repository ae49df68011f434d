public import NATSClient
public import NIOCore
import NIOConcurrencyHelpers

/// A request that an endpoint of a service is to answer.
public struct NATSServiceRequest: Sendable {
    /// The first error that was sent or met, for the endpoint's statistics.
    final class Outcome: Sendable {
        private let storage = NIOLockedValueBox<NATSServiceError?>(nil)

        var error: NATSServiceError? {
            self.storage.withLockedValue { $0 }
        }

        func fail(_ error: NATSServiceError) {
            self.storage.withLockedValue { $0 = $0 ?? error.shortened }
        }
    }

    /// The message as it came.
    public let message: NATSMessage
    let outcome: Outcome

    init(_ message: NATSMessage, outcome: Outcome) {
        self.message = message
        self.outcome = outcome
    }

    /// The subject that the request was sent to.
    public var subject: String {
        self.message.subject
    }

    /// The headers of the request.
    public var headers: NATSHeaders {
        self.message.headers
    }

    /// The payload of the request.
    public var payload: ByteBuffer {
        self.message.payload
    }

    /// The payload as a string; invalid UTF-8 is replaced by U+FFFD.
    public var string: String {
        self.message.string
    }

    /// Sends a response; several if the requester expects as many.
    ///
    /// - Parameters:
    ///   - payload: The bytes.
    ///   - headers: Headers; need a server that supports them.
    /// - Throws: As `NATSMessage.respond(_:headers:)`. A handler that lets this through counts as failed.
    public func respond(_ payload: some NATSPayload, headers: NATSHeaders = NATSHeaders()) async throws(NATSError) {
        try await self.message.respond(payload, headers: headers)
    }

    /// Sends an error as the response; the request counts as failed.
    ///
    /// - Parameters:
    ///   - error: Code and text; line ends in the text become blanks, and only its first 1024 bytes are sent.
    ///   - payload: Bytes that say more.
    ///   - headers: Further headers.
    /// - Throws: As `NATSMessage.respond(_:headers:)`.
    public func respond(
        error: NATSServiceError,
        payload: some NATSPayload = "" as StaticString,
        headers: NATSHeaders = NATSHeaders()
    ) async throws(NATSError) {
        self.outcome.fail(error)
        try await self.message.respond(payload, headers: error.headers(adding: headers))
    }
}
