public import NATSClient

extension NATSClient {
    /// Publishes a value.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - subject: Where to; no wildcards, no empty tokens, no white space.
    ///   - reply: Where a response is expected, if one is.
    ///   - headers: Headers; need a server that supports them.
    ///   - coder: How the value is encoded.
    /// - Throws: What the coder throws; as `publish(_:to:reply:headers:)`.
    public func publish(
        encoding value: some Encodable,
        to subject: String,
        reply: String? = nil,
        headers: NATSHeaders = NATSHeaders(),
        using coder: some NATSCoder = NATSJSONCoder()
    ) async throws {
        try await self.publish(coder.encode(value), to: subject, reply: reply, headers: headers)
    }

    /// Sends a value as a request and waits for the value of its first reply.
    ///
    /// A reply that is an error of a service is thrown, whatever payload it has.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - subject: Where to; no wildcards, no empty tokens, no white space.
    ///   - type: What the reply is expected to hold.
    ///   - headers: Headers; need a server that supports them.
    ///   - timeout: As of `request(_:to:headers:timeout:)`.
    ///   - coder: How the values are encoded.
    /// - Returns: The value of the reply.
    /// - Throws: `NATSServiceError` if that is the reply; what the coder throws; as `request(_:to:headers:timeout:)`.
    public func request<Response: Decodable>(
        encoding value: some Encodable,
        to subject: String,
        returning type: Response.Type = Response.self,
        headers: NATSHeaders = NATSHeaders(),
        timeout: Duration? = nil,
        using coder: some NATSCoder = NATSJSONCoder()
    ) async throws -> Response {
        let reply = try await self.request(coder.encode(value), to: subject, headers: headers, timeout: timeout)
        // ADR-32: clients must look for it.
        if let error = reply.serviceError {
            throw error
        }
        return try reply.decode(type, using: coder)
    }
}
