internal import NATSAuth
import NIOConcurrencyHelpers

/// The permissions of users whose JWTs say them; who has the same shares them.
final class PermissionPool: Sendable {
    private struct Entry {
        weak var permissions: ClientPermissions?
    }

    private struct State {
        var known: [PermissionOptions: Entry] = [:]
        var nextID: UInt64
        var sweepAt = 1024
    }

    private let hash: SubjectHash
    private let state: NIOLockedValueBox<State>

    /// - Parameters:
    ///   - hash: The key of hash tables.
    ///   - firstID: The first of its ids, far from those of ``Authenticator`` and other pools.
    init(hash: SubjectHash, firstID: UInt64 = 1 << 48) {
        self.hash = hash
        self.state = NIOLockedValueBox(State(nextID: firstID))
    }

    /// Permissions in the form in which they are looked up; `nil` where nothing is limited.
    func permissions(_ claims: ClaimPermissions?) -> ClientPermissions? {
        guard let claims, !claims.isEmpty else { return nil }
        return self.permissions(PermissionOptions(claims))
    }

    /// The same for permissions that come from elsewhere.
    func permissions(_ options: PermissionOptions) -> ClientPermissions {
        self.state.withLockedValue { state in
            if let known = state.known[options]?.permissions { return known }
            if state.known.count >= state.sweepAt {
                state.known = state.known.filter { $0.value.permissions != nil }
                state.sweepAt = max(1024, 2 * state.known.count)
            }
            let permissions = ClientPermissions(options, id: state.nextID, hash: self.hash)
            state.nextID += 1
            state.known[options] = Entry(permissions: permissions)
            return permissions
        }
    }
}

extension PermissionOptions {
    /// The same from a JWT (nats-server accounts.go buildPermissionsFromJwt).
    init(_ claims: ClaimPermissions) {
        func subjects(_ list: ClaimPermissions.List) -> Subjects? {
            list.isEmpty ? nil : Subjects(allow: list.allow.isEmpty ? nil : list.allow, deny: list.deny)
        }
        self.init(
            publish: subjects(claims.publish),
            subscribe: subjects(claims.subscribe),
            responses: claims.responses.map {
                Responses(maxMessages: $0.maximum, expires: .nanoseconds($0.expires))
            }
        )
    }
}
