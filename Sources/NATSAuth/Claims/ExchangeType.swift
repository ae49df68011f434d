import NATSText
import NATSWire

/// What accounts share: messages of one, or answers to requests of the other.
package enum ExchangeType: String, Sendable, Equatable {
    case stream
    case service

    static func read(_ key: String, of reader: ClaimReader, into field: inout ExchangeType?) throws(JSONError) {
        for value in reader.values(key) {
            let text = try value.text(key)
            guard let type = ExchangeType(rawValue: text) else {
                throw JSONError("unknown export type \(GoString.quoted(text))")
            }
            field = type
        }
    }

    /// What an error calls a missing type.
    static func words(_ type: ExchangeType?) -> String { type?.rawValue ?? "unknown" }
}
