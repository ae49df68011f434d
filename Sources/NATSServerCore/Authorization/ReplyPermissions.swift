import NIOConcurrencyHelpers
import NIOCore

/// The reply subjects that a connection has received and so may publish to (`allow_responses`).
///
/// Messages for the connection come from any event loop, hence the lock; only connections with this permission have one.
final class ReplyPermissions: Sendable {
    private struct Reply {
        var received: NIODeadline
        var answers = 0
    }

    /// Two generations, so that what is never answered goes away in time and in space: when the young one is full it
    /// becomes the old one, and the old one is forgotten.
    private struct State {
        var young: [[UInt8]: Reply] = [:]
        var old: [[UInt8]: Reply] = [:]
        var youngBytes = 0
    }

    private static let fullCount = 65_536
    private static let fullBytes = 8 << 20

    private let permissions: ClientPermissions
    private let maxMessages: Int
    private let expires: TimeAmount?
    private let state = NIOLockedValueBox(State())

    /// - Returns: `nil` if the permissions do not speak of responses.
    init?(_ permissions: ClientPermissions?) {
        guard let permissions, let responses = permissions.responses else { return nil }
        self.permissions = permissions
        self.maxMessages = responses.maxMessages
        self.expires = responses.expires > .zero ? TimeAmount(responses.expires) : nil
    }

    /// Reply subjects that are remembered.
    var count: Int { self.state.withLockedValue { $0.young.count + $0.old.count } }

    /// A message with a reply subject is delivered to the connection (nats-server client.go deliverMsg).
    func received(_ reply: UnsafeBufferPointer<UInt8>, now: NIODeadline) {
        guard !self.permissions.allowsPublish(reply) else { return }
        let key = Array(reply)
        self.state.withLockedValue { state in
            guard !self.use(key, &state, now) else { return }
            if state.young.count >= Self.fullCount || state.youngBytes >= Self.fullBytes {
                state.old = state.young
                state.young = [:]
                state.youngBytes = 0
            }
            if state.young.updateValue(Reply(received: now), forKey: key) == nil { state.youngBytes += key.count }
        }
    }

    /// Whether the connection may publish to this subject now; if so, it has one answer less.
    func mayAnswer(_ subject: UnsafeBufferPointer<UInt8>, now: NIODeadline) -> Bool {
        self.state.withLockedValue { self.use(Array(subject), &$0, now) }
    }

    /// nats-server client.go responseAllowed.
    private func use(_ key: [UInt8], _ state: inout State, _ now: NIODeadline) -> Bool {
        if let allowed = self.use(key, &state.young, now) {
            if !allowed { state.youngBytes -= key.count }
            return allowed
        }
        return self.use(key, &state.old, now) ?? false
    }

    private func use(_ key: [UInt8], _ replies: inout [[UInt8]: Reply], _ now: NIODeadline) -> Bool? {
        guard var reply = replies[key] else { return nil }
        reply.answers += 1
        let isUsedUp = self.maxMessages > 0 && reply.answers > self.maxMessages
        let isExpired = self.expires.map { now - reply.received > $0 } ?? false
        guard !isUsedUp, !isExpired else {
            replies[key] = nil
            return false
        }
        replies[key] = reply
        return true
    }
}
