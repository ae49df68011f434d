import NATSWire
package import NIOCore

/// What JetStream answers to a message for a stream.
package enum StreamAcknowledgement: Sendable, Equatable {
    case stored(stream: String, sequence: UInt64)
    case refused(String)
    /// Somebody else answers on this subject.
    case unreadable

    /// Reads the payload of an answer.
    package init(_ payload: ByteBuffer) {
        do {
            let reader = try JSONObjectReader(
                try payload.withUnsafeReadableBytes { bytes throws(JSONError) in
                    try JSONValue.parse(bytes)
                }
            )
            var stream = ""
            var sequence: UInt64 = 0
            var reason: String?
            try reader.read("stream", into: &stream)
            try reader.read("seq", into: &sequence)
            try reader.readObject("error") { error throws(JSONError) in
                var description = ""
                try error.read("description", into: &description)
                reason = description
            }
            if let reason {
                self = .refused(reason.isEmpty ? "error without description" : reason)
            } else {
                self = stream.isEmpty ? .unreadable : .stored(stream: stream, sequence: sequence)
            }
        } catch {
            self = .unreadable
        }
    }
}
