/// A kind of client.
package enum DrillFamily: String, Sendable, CaseIterable, Codable {
    /// Ours with `lameDuck = .migrate`.
    case migrating = "ours"
    /// Ours as it is by itself: it reconnects when the server has closed the connection.
    case reconnecting = "ours-notify"
    /// nats-py, the official Python client.
    case python = "nats-py"
    /// nats.c, the official C client.
    case libnats = "libnats"
}
