import NATSWire

/// An answer that is JSON; nothing else is certain of it.
package struct Page: Sendable, Equatable {
    let value: JSONValue

    init(_ value: JSONValue) {
        self.value = value
    }

    /// Reads an answer; nil if it is no JSON.
    package init?(reading bytes: [UInt8]) {
        guard let value = try? JSONValue.parse(bytes) else { return nil }
        self.value = value
    }
}
