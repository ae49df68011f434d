#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Turns values into payloads and back.
public protocol NATSCoder: Sendable {
    /// The payload of a value.
    func encode<Value: Encodable>(_ value: Value) throws -> Data

    /// The value of a payload.
    func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value
}

/// Payloads in JSON.
public struct NATSJSONCoder: NATSCoder {
    private let configureEncoder: @Sendable (JSONEncoder) -> Void
    private let configureDecoder: @Sendable (JSONDecoder) -> Void

    /// A coder.
    ///
    /// - Parameters:
    ///   - configureEncoder: Sets strategies and formats; called for each value.
    ///   - configureDecoder: Sets strategies; called for each payload.
    public init(
        encoder configureEncoder: @escaping @Sendable (JSONEncoder) -> Void = { _ in },
        decoder configureDecoder: @escaping @Sendable (JSONDecoder) -> Void = { _ in }
    ) {
        self.configureEncoder = configureEncoder
        self.configureDecoder = configureDecoder
    }

    /// The value as JSON.
    ///
    /// - Throws: `EncodingError`.
    public func encode<Value: Encodable>(_ value: Value) throws -> Data {
        let encoder = JSONEncoder()
        self.configureEncoder(encoder)
        return try encoder.encode(value)
    }

    /// The value that the JSON holds.
    ///
    /// - Throws: `DecodingError`.
    public func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        self.configureDecoder(decoder)
        return try decoder.decode(type, from: data)
    }
}
