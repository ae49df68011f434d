/// What other servers want of one subject.
struct RemoteMatch {
    /// The account's name.
    let account: [UInt8]
    let interest: Sublist<RemoteInterest>.Match
}

/// To which other servers a subject goes, and which queue groups have members there; worked out when it is matched.
struct PeerPlan {
    /// A connection, and the subject that messages have there if it is another one: what an account imports comes to a leaf
    /// node under its own names.
    struct Peer {
        let connection: PeerConnection
        let subject: [UInt8]?
        /// What counts the messages that are not for queue groups alone.
        let interest: RemoteInterest
        var isPlain = false
    }

    private struct Key: Hashable {
        let connection: ObjectIdentifier
        let subject: [UInt8]?
    }

    let account: [UInt8]
    private(set) var peers: [Peer] = []
    /// By queue group, those first that have members here; each with a peer's place.
    private(set) var shares: [[(peer: Int, interest: RemoteInterest)]]
    private(set) var shareCount = 0
    private var places: [Key: Int] = [:]
    /// Whether any is a leaf node or the hub.
    private(set) var hasLeafs = false

    var groupCount: Int { self.shares.count }

    init(_ remote: RemoteMatch?, besides local: Sublist<Subscription>.Match, _ subject: UnsafeBufferPointer<UInt8>) {
        self.account = remote?.account ?? []
        self.shares = Array(repeating: [], count: local.groups.count)
        guard let interest = remote?.interest else { return }
        for plain in interest.plain {
            self.peers[self.place(of: plain, subject)].isPlain = true
        }
        guard !interest.groups.isEmpty else { return }
        var groups: [[UInt8]: Int] = [:]
        for (group, members) in local.groups.enumerated() { groups[members.first?.queue ?? []] = group }
        for members in interest.groups {
            guard let name = members.first?.queue else { continue }
            let group = groups[name] ?? self.shares.count
            if group == self.shares.count { self.shares.append([]) }
            for member in members where member.peer.kind == .route { self.add(member, to: group, subject) }
            for member in members where member.peer.kind != .route { self.add(member, to: group, subject) }
        }
    }

    private mutating func add(_ member: RemoteInterest, to group: Int, _ subject: UnsafeBufferPointer<UInt8>) {
        self.shares[group].append((self.place(of: member, subject), member))
        self.shareCount += 1
    }

    /// The place of the connection that an interest comes from.
    private mutating func place(of interest: RemoteInterest, _ subject: UnsafeBufferPointer<UInt8>) -> Int {
        let connection = interest.peer
        let mapped = interest.mapped(subject)
        let key = Key(connection: ObjectIdentifier(connection), subject: mapped)
        if let place = self.places[key] { return place }
        self.peers.append(Peer(connection: connection, subject: mapped, interest: interest))
        self.places[key] = self.peers.count - 1
        if connection.kind != .route { self.hasLeafs = true }
        return self.peers.count - 1
    }
}
