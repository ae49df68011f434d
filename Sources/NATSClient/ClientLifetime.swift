import NIOConcurrencyHelpers

/// Held by everything that a user holds.
///
/// When the last reference goes, so does the connection.
final class ClientLifetime: Sendable {
    let core: ConnectionCore

    init(core: ConnectionCore) {
        self.core = core
    }

    deinit {
        // The event loop of a closed client may be gone as well.
        if !self.core.status.withLockedValue({ $0.isClosed }) {
            self.core.abandon()
        }
    }
}
