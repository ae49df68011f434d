/// Held by everything that a user holds.
///
/// When the last reference goes, so does the connection.
final class ClientLifetime: Sendable {
    let core: ConnectionCore

    init(core: ConnectionCore) {
        self.core = core
    }

    deinit {
        self.core.abandon()
    }
}
