/// What other servers want of one subject.
struct RemoteMatch {
    /// The account's name.
    let account: [UInt8]
    let interest: Sublist<RemoteInterest>.Match
}

/// To which other servers a subject goes, and which queue groups have members there; worked out when it is matched.
struct PeerPlan {
    let account: [UInt8]
    private(set) var peers: [(connection: PeerConnection, isPlain: Bool)] = []
    /// By queue group, those first that have members here; each with a peer's place.
    private(set) var shares: [[(peer: Int, interest: RemoteInterest)]]
    private(set) var shareCount = 0
    private var places: [ObjectIdentifier: Int] = [:]

    var groupCount: Int { self.shares.count }

    /// Whether any is a leaf node or the hub.
    private(set) var hasLeafs = false

    init(_ remote: RemoteMatch?, besides local: Sublist<Subscription>.Match, _ subject: UnsafeBufferPointer<UInt8>) {
        self.account = remote?.account ?? []
        self.shares = Array(repeating: [], count: local.groups.count)
        guard let interest = remote?.interest else { return }
        for plain in interest.plain where plain.peer.mayReceive(subject) {
            self.peers[self.place(of: plain.peer)].isPlain = true
        }
        guard !interest.groups.isEmpty else { return }
        var groups: [[UInt8]: Int] = [:]
        for (group, members) in local.groups.enumerated() { groups[members.first?.queue ?? []] = group }
        for members in interest.groups {
            let members = members.filter { $0.peer.mayReceive(subject) }
            guard let name = members.first?.queue else { continue }
            let group = groups[name] ?? self.shares.count
            if group == self.shares.count { self.shares.append([]) }
            for member in members where member.peer.kind == .route { self.add(member, to: group) }
            for member in members where member.peer.kind != .route { self.add(member, to: group) }
        }
    }

    private mutating func add(_ member: RemoteInterest, to group: Int) {
        self.shares[group].append((self.place(of: member.peer), member))
        self.shareCount += 1
    }

    private mutating func place(of connection: PeerConnection) -> Int {
        if let place = self.places[ObjectIdentifier(connection)] { return place }
        self.peers.append((connection, false))
        self.places[ObjectIdentifier(connection)] = self.peers.count - 1
        if connection.kind != .route { self.hasLeafs = true }
        return self.peers.count - 1
    }
}
