public import NATSClient

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension NATSMessage {
    /// The payload as a copy of its own.
    public var data: Data {
        self.withPayloadBytes { Data($0) }
    }

    /// The value that the payload holds.
    ///
    /// - Parameters:
    ///   - type: What is expected.
    ///   - coder: How the value was encoded.
    /// - Returns: The value.
    /// - Throws: What the coder throws: `DecodingError` for JSON.
    public func decode<Value: Decodable>(
        _ type: Value.Type = Value.self,
        using coder: some NATSCoder = NATSJSONCoder()
    ) throws -> Value {
        try coder.decode(type, from: self.data)
    }

    /// Publishes a value as the response.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - headers: Headers; need a server that supports them.
    ///   - coder: How the value is encoded.
    /// - Throws: What the coder throws; as `respond(_:headers:)`.
    public func respond(
        encoding value: some Encodable,
        headers: NATSHeaders = NATSHeaders(),
        using coder: some NATSCoder = NATSJSONCoder()
    ) async throws {
        try await self.respond(coder.encode(value), headers: headers)
    }
}
