import NATSText
import NATSWire
package import NIOCore

/// What JetStream answers to a message that it was asked to store.
package struct PublishAcknowledgement: Sendable, Equatable {
    /// JetStream did not store the message, or the answer is not JetStream's.
    package struct Refusal: Error, Equatable {
        /// For people.
        package var description: String

        package init(description: String) {
            self.description = description
        }
    }

    package var stream: String
    package var sequence: UInt64
    package var domain: String?
    package var isDuplicate: Bool

    /// Reads an answer.
    package init(parsing payload: ByteBuffer) throws(Refusal) {
        let members: [(key: String, value: JSONValue)]
        do throws(JSONError) {
            guard case .object(let object) = try JSONValue.parse(Array(payload.readableBytesView)) else {
                throw JSONError("not an object")
            }
            members = object
        } catch {
            throw Refusal(description: "the answer is not an acknowledgement of JetStream")
        }
        func member(_ key: String, of members: [(key: String, value: JSONValue)]) -> JSONValue? {
            members.last { $0.key == key }?.value
        }
        if case .object(let error) = member("error", of: members) {
            var text = "JetStream did not store the message"
            if case .string(let reason) = member("description", of: error) {
                text += ": \(GoString.harmless(reason.utf8))"
            }
            if case .number(let code) = member("err_code", of: error) { text += " (\(code))" }
            throw Refusal(description: text)
        }
        guard case .string(let stream) = member("stream", of: members),
            case .number(let text) = member("seq", of: members), let sequence = UInt64(text)
        else { throw Refusal(description: "the answer is not an acknowledgement of JetStream") }
        self.stream = stream
        self.sequence = sequence
        if case .string(let domain) = member("domain", of: members), !domain.isEmpty {
            self.domain = domain
        }
        self.isDuplicate = member("duplicate", of: members) == .bool(true)
    }

    /// `Stored in Stream: S Sequence: 12`.
    package var line: String {
        var line = "Stored in Stream: \(GoString.harmless(self.stream.utf8)) Sequence: \(self.sequence)"
        if let domain = self.domain { line += " Domain: \(GoString.quoted(domain))" }
        if self.isDuplicate { line += " Duplicate: true" }
        return line
    }
}
