/// What other servers want of one subject.
struct RemoteMatch {
    /// The account's name.
    let account: [UInt8]
    let interest: Sublist<RemoteInterest>.Match
}

/// Over which routes a subject goes, and which queue groups have members behind them; worked out when it is matched.
struct PeerPlan {
    let account: [UInt8]
    /// `interest` is what counts the messages that are not for queue groups alone.
    private(set) var peers: [(route: RouteConnection, isPlain: Bool, interest: RemoteInterest)] = []
    /// By queue group, those first that have members here; each with a peer's place.
    private(set) var shares: [[(peer: Int, interest: RemoteInterest)]]
    private(set) var shareCount = 0
    private var places: [ObjectIdentifier: Int] = [:]

    var groupCount: Int { self.shares.count }

    init(_ remote: RemoteMatch?, besides local: Sublist<Subscription>.Match) {
        self.account = remote?.account ?? []
        self.shares = Array(repeating: [], count: local.groups.count)
        guard let interest = remote?.interest else { return }
        for plain in interest.plain { self.peers[self.place(of: plain)].isPlain = true }
        guard !interest.groups.isEmpty else { return }
        var groups: [[UInt8]: Int] = [:]
        for (group, members) in local.groups.enumerated() { groups[members.first?.queue ?? []] = group }
        for members in interest.groups {
            guard let name = members.first?.queue else { continue }
            let group = groups[name] ?? self.shares.count
            if group == self.shares.count { self.shares.append([]) }
            for member in members { self.shares[group].append((self.place(of: member), member)) }
            self.shareCount += members.count
        }
    }

    private mutating func place(of interest: RemoteInterest) -> Int {
        let route = ObjectIdentifier(interest.route)
        if let place = self.places[route] { return place }
        self.peers.append((interest.route, false, interest))
        self.places[route] = self.peers.count - 1
        return self.peers.count - 1
    }
}
