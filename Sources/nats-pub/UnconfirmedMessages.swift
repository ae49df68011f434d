import NATSCommandSupport
import NIOCore

/// What was sent since the server confirmed everything, kept for `--retry`: what was on its way when a connection was lost
/// may have arrived or not.
struct UnconfirmedMessages {
    private static let maximumCount = 1024
    private static let maximumBytes = 4 << 20

    private(set) var messages: [OutgoingMessage] = []
    private var bytes = 0

    /// Whether the server is to be asked before more is sent.
    var isFull: Bool { self.messages.count >= Self.maximumCount || self.bytes >= Self.maximumBytes }

    mutating func append(_ message: OutgoingMessage) {
        self.messages.append(message)
        self.bytes += message.payload.readableBytes
    }

    mutating func removeAll() {
        self.messages.removeAll(keepingCapacity: true)
        self.bytes = 0
    }
}
