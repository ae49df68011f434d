internal import NATSWire

/// What may pass between a leaf node and its hub.
///
/// nats-server leafnode.go processLeafNodeConnect, processLeafnodeInfo, addLeafNodeConnection: the hub's user of the leaf
/// node says what that may publish and subscribe to, the leaf node itself may deny more, and neither gets JetStream's
/// subjects of the other.
struct LeafPermissions: Sendable {
    /// Of an account but the system's, and of that one.
    private static let jetStream = ["$JS.API.>", "$KV.>", "$OBJ.>"]
    private static let systemJetStream = ["$JSC.>", "$NRG.>"] + Self.jetStream
    /// Only one set of each connection's is ever asked for.
    private static let id: UInt64 = 1 << 57

    /// `publish`: what may be sent to the peer; `subscribe`: what it may be told that somebody wants.
    private let outgoing: ClientPermissions
    private let interest: [String]?
    /// What may come from the peer as a message; everything if `nil`.
    private let incoming: ClientPermissions?
    private let isHub: Bool

    /// Those for a leaf node.
    ///
    /// - Parameters:
    ///   - user: What the leaf node's user may do; everything if `nil`.
    ///   - denied: What the leaf node itself does not want to get.
    ///   - isSystem: Whether the account is the system's.
    ///   - hash: The key of hash tables.
    init(ofLeafNode user: PermissionOptions?, denied: [String], isSystem: Bool, hash: SubjectHash) {
        let jetStream = isSystem ? Self.systemJetStream : Self.jetStream
        let publish = user?.publish
        let subscribe = user?.subscribe
        // What the user may publish is what is wanted here on its behalf, and the other way round.
        self.outgoing = Self.make(
            publish: Self.plain(subscribe?.allow.flatMap { $0.isEmpty ? nil : $0 }),
            denied: (Self.plain(subscribe?.deny) ?? []) + denied + jetStream,
            subscribe: publish?.allow,
            // An empty list of what may be subscribed to is none; of what may be published it allows nothing.
            denied: (publish?.deny ?? []) + jetStream + (publish?.allow?.isEmpty == true ? [">"] : []),
            hash
        )
        self.interest = publish?.allow
        self.incoming = publish.map { publish in
            ClientPermissions(PermissionOptions(publish: publish), id: Self.id, hash: hash)
        }
        self.isHub = false
    }

    /// Those for the hub.
    ///
    /// - Parameters:
    ///   - imports: What the hub gives to this server; everything if `nil`.
    ///   - exports: What the hub takes from this server; everything if `nil`.
    ///   - denyImports: What this server does not want.
    ///   - denyExports: What this server does not give.
    ///   - isSystem: Whether the account is the system's.
    ///   - hash: The key of hash tables.
    init(
        ofHub imports: PermissionOptions.Subjects?,
        exports: PermissionOptions.Subjects?,
        denyImports: [String],
        denyExports: [String],
        isSystem: Bool,
        hash: SubjectHash
    ) {
        let jetStream = isSystem ? Self.systemJetStream : Self.jetStream
        let allowed = Self.plain(imports?.allow.flatMap { $0.isEmpty ? nil : $0 })
        self.outgoing = Self.make(
            publish: exports?.allow,
            denied: (exports?.deny ?? []) + denyExports + jetStream,
            subscribe: allowed,
            denied: (Self.plain(imports?.deny) ?? []) + denyImports + jetStream,
            hash
        )
        self.interest = allowed
        self.incoming = nil
        self.isHub = true
    }

    private static func make(
        publish: [String]?,
        denied publishDenied: [String],
        subscribe: [String]?,
        denied subscribeDenied: [String],
        _ hash: SubjectHash
    ) -> ClientPermissions {
        let options = PermissionOptions(
            publish: PermissionOptions.Subjects(allow: publish, deny: publishDenied),
            subscribe: PermissionOptions.Subjects(allow: subscribe, deny: subscribeDenied)
        )
        return ClientPermissions(options, id: Self.id, hash: hash)
    }

    /// Without entries for queue groups.
    private static func plain(_ entries: [String]?) -> [String]? {
        entries?.filter { PermissionOptions.subjectAndQueue($0)?.queue == nil }
    }

    /// Whether the peer may be told that somebody wants a subject.
    ///
    /// What is wider than what is allowed is told all the same; what is not allowed of it is held back later.
    func allowsInterest(_ subject: [UInt8], queue: [UInt8]) -> Bool {
        if subject.starts(with: LeafAudience.loopPrefix) || self.outgoing.allowsSubscribe(subject, queue: queue) {
            return true
        }
        let isWild = subject.withUnsafeBytes { SubjectGrammar.hasWildcards($0) }
        guard isWild, let interest = self.interest else { return false }
        let pattern = String(decoding: subject, as: UTF8.self)
        guard interest.contains(where: { SubjectGrammar.isSubset($0, of: pattern) }) else { return false }
        return !subject.withUnsafeBufferPointer { self.outgoing.denies($0, queue: queue) }
    }

    /// Whether a message may be sent to the peer.
    func allowsSending(_ subject: UnsafeBufferPointer<UInt8>) -> Bool { self.outgoing.allowsPublish(subject) }

    /// Whether there is anything that may not come from the peer.
    var restrictsReceiving: Bool { self.isHub || self.incoming != nil }

    /// Whether a message may come from the peer.
    func allowsReceiving(_ subject: UnsafeBufferPointer<UInt8>) -> Bool {
        if ReservedSubjects.isReservedReply(UnsafeRawBufferPointer(subject)) { return true }
        guard self.isHub else { return self.incoming?.allowsPublish(subject) ?? true }
        return self.outgoing.allowsSubscribe(Array(subject), queue: [])
    }

    /// Whether the leaf node may say that it wants a subject.
    func allowsWanting(_ subject: [UInt8]) -> Bool {
        let isWild = subject.withUnsafeBytes { SubjectGrammar.hasWildcards($0) }
        guard !isWild, !subject.starts(with: LeafAudience.loopPrefix) else { return true }
        return subject.withUnsafeBufferPointer { self.outgoing.allowsPublish($0) }
    }
}
