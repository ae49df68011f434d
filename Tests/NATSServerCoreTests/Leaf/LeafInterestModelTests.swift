import NATSTestSupport
import Testing

@testable import NATSServerCore

/// What several peers are told of one account, beside what they should be: everybody's interest, but for their own and that
/// of their cluster.
private struct LeafInterestModel {
    private struct Key: Hashable {
        let subject: [UInt8]
        let queue: [UInt8]
    }

    private struct Peer {
        let source: LeafAudience.Source
        let interest: LeafInterest
        /// What it wants itself.
        var wants: [Key: Int] = [:]
        /// What it has been told.
        var knows: [Key: Int] = [:]
    }

    private static let clusters: [[UInt8]] = [[], Array("X".utf8), Array("Y".utf8)]

    private var random: SeededGenerator
    private let hash: SubjectHash
    private var local: [Key: Int] = [:]
    private var routed: [Key: Int] = [:]
    private var peers: [Peer] = []
    private(set) var complaints: [String] = []

    init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
        self.hash = SubjectHash(using: &self.random)
    }

    mutating func run(steps: Int) {
        let keys = self.random.pick(3, 30, 300)
        for _ in 0..<steps {
            switch Int.random(in: 0..<100, using: &self.random) {
            case 0: if self.peers.count < 8 { self.addPeer() }
            case 1: if self.random.chance(30) { self.removePeer() }
            case 2..<12: self.drain(self.peers.indices.randomElement(using: &self.random), atMost: 3)
            default: self.change(of: keys)
            }
        }
        for index in self.peers.indices { self.check(index) }
    }

    private mutating func addPeer() {
        let cluster = Self.clusters.randomElement(using: &self.random) ?? []
        let isHub = self.random.chance(40)
        let audience = LeafAudience(isHub: isHub, cluster: cluster, isIsolated: self.random.chance(20))
        let interest = LeafInterest(
            audience,
            loopSubject: Array("$LDS.own".utf8),
            permissions: LeafPermissions(ofLeafNode: nil, denied: [], isSystem: false, hash: self.hash),
            hash: self.hash
        )
        let source = isHub ? LeafAudience.Source.hub(cluster: cluster) : .leafNode(cluster: cluster)
        for (key, count) in self.local { _ = interest.change(key.subject, queue: key.queue, of: .local, by: count) }
        for (key, count) in self.routed { _ = interest.change(key.subject, queue: key.queue, of: .route, by: count) }
        for peer in self.peers {
            for (key, count) in peer.wants {
                _ = interest.change(key.subject, queue: key.queue, of: peer.source, by: count)
            }
        }
        self.peers.append(Peer(source: source, interest: interest))
    }

    private mutating func removePeer() {
        guard let index = self.peers.indices.randomElement(using: &self.random) else { return }
        let gone = self.peers.remove(at: index)
        for (key, count) in gone.wants { self.tell(key, gone.source, by: -count, besides: nil) }
    }

    private mutating func change(of keys: Int) {
        let number = Int.random(in: 0..<keys, using: &self.random)
        let prefix = self.random.pick("s.", "s.", "s.", "$LDS.")
        let key = Key(subject: Array("\(prefix)\(number)".utf8), queue: Array(self.random.pick("", "", "q").utf8))
        let whose = Int.random(in: -2..<self.peers.count, using: &self.random)
        let source: LeafAudience.Source = whose == -2 ? .local : whose == -1 ? .route : self.peers[whose].source
        let before = (whose == -2 ? self.local : whose == -1 ? self.routed : self.peers[whose].wants)[key] ?? 0
        let after = max(0, before + self.random.pick(1, 1, -1, 2, -3))
        let value = after > 0 ? after : nil
        switch whose {
        case -2: self.local[key] = value
        case -1: self.routed[key] = value
        default: self.peers[whose].wants[key] = value
        }
        self.tell(key, source, by: after - before, besides: whose)
    }

    private func tell(_ key: Key, _ source: LeafAudience.Source, by count: Int, besides own: Int?) {
        guard count != 0 else { return }
        for (index, peer) in self.peers.enumerated() where index != own {
            _ = peer.interest.change(key.subject, queue: key.queue, of: source, by: count)
        }
    }

    private mutating func drain(_ index: Int?, atMost limit: Int) {
        guard let index else { return }
        _ = self.peers[index].interest.next(atMost: limit) { update in
            let key = Key(subject: update.subject, queue: update.queue)
            self.peers[index].knows[key] = update.weight > 0 ? update.weight : nil
        }
    }

    private mutating func check(_ index: Int) {
        while self.peers[index].interest.next(
            atMost: 100,
            { self.peers[index].knows[Key(subject: $0.subject, queue: $0.queue)] = $0.weight > 0 ? $0.weight : nil }
        ) {}
        var expected: [Key: Int] = [Key(subject: Array("$LDS.own".utf8), queue: []): 1]
        func add(_ wants: [Key: Int], _ source: LeafAudience.Source) {
            for (key, count) in wants where self.peers[index].interest.audience.includes(source, key.subject) {
                expected[key, default: 0] += count
            }
        }
        add(self.local, .local)
        add(self.routed, .route)
        for (other, peer) in self.peers.enumerated() where other != index { add(peer.wants, peer.source) }
        let known = self.peers[index].knows
        if Set(known.keys) != Set(expected.keys) { self.complaints.append("wrong keys") }
        for (key, weight) in known where !key.queue.isEmpty && weight != expected[key] {
            self.complaints.append("wrong weight")
        }
    }
}

@Suite("What leaf nodes and hubs are told")
struct LeafInterestModelTests {
    @Test("after any changes, with peers that come and go, every peer knows what concerns it", arguments: 0..<30)
    func model(seed: UInt64) {
        var model = LeafInterestModel(seed: seed)
        model.run(steps: 2000)
        #expect(model.complaints.isEmpty, "\(model.complaints.prefix(5))")
    }

    @Test("who is told of whom")
    func audience() {
        let (own, other) = (Array("OWN".utf8), Array("OTHER".utf8))
        let subject = Array("foo".utf8)
        let loop = Array("$LDS.abc".utf8)
        let leaf = LeafAudience(isHub: false, cluster: own)
        #expect(leaf.includes(.local, subject) && leaf.includes(.route, subject))
        #expect(leaf.includes(.leafNode(cluster: other), subject) && leaf.includes(.leafNode(cluster: []), subject))
        #expect(!leaf.includes(.leafNode(cluster: own), subject) && !leaf.includes(.hub(cluster: own), loop))
        #expect(leaf.includes(.hub(cluster: other), subject))
        let hub = LeafAudience(isHub: true, cluster: own)
        #expect(hub.includes(.local, subject) && hub.includes(.leafNode(cluster: other), subject))
        #expect(!hub.includes(.route, subject) && hub.includes(.route, loop))
        #expect(!hub.includes(.hub(cluster: other), subject) && hub.includes(.hub(cluster: other), loop))
        let isolated = LeafAudience(isHub: false, cluster: own, isIsolated: true)
        #expect(isolated.includes(.route, subject) && !isolated.includes(.leafNode(cluster: other), subject))
    }
}
