internal import NATSWire
import Synchronization

/// One subscription that wants a cached subject, ready for delivery.
struct DeliveryTarget {
    struct Flags: OptionSet {
        let rawValue: UInt32
        /// Leave out the connection's own messages (`echo: false`).
        static let noEcho = Flags(rawValue: 1)
        /// An UNSUB limit has to be counted.
        static let limited = Flags(rawValue: 2)
        /// The client does not understand headers.
        static let noHeaders = Flags(rawValue: 4)
        /// The sid does not fit into `sid`.
        static let longSid = Flags(rawValue: 8)
        /// Set on every target, for publishers to which every delivery is special.
        static let always = Flags(rawValue: 16)
        /// The client may answer: reply subjects are noted.
        static let notesReplies = Flags(rawValue: 32)
        /// The client gets the message under another subject.
        static let mapped = Flags(rawValue: 64)
    }

    let outlet: UnsafeMutablePointer<OutletState>
    let counter: UnsafeMutablePointer<Atomic<Int>>
    /// The sid and the blank behind it.
    var sid: (UInt64, UInt64) = (0, 0)
    var sidLength: UInt32 = 0
    var flags: Flags = [.always]

    /// Counts a delivery; the slot is written by one loop only, so this needs no atomic addition.
    @inline(__always)
    func count() {
        self.counter.pointee.store(self.counter.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }
}

/// Whom one subject goes to, as seen by one event loop: one block of plain memory.
///
///     header | "HMSG <subject> " | targets: plain…, group 1…, group 2… | groups | owners | peers | shares
///
/// The block retains its outlets and subscriptions (`owners`, `peers`, `shares`), so the pointers in the targets stay valid as
/// long as it lives. Confined to its loop.
struct MatchResult {
    private struct Owner {
        var outlet: Unmanaged<Outlet>
        var subscription: Unmanaged<Subscription>
        /// With the flag ``DeliveryTarget/Flags/notesReplies`` only.
        var replies: Unmanaged<ReplyPermissions>?
        /// With the flag ``DeliveryTarget/Flags/mapped`` only: what stands in place of ``MatchResult/prefix``, and the
        /// length of its subject.
        var prefix: UnsafeMutablePointer<UInt8>?
        var subjectLength = 0
    }

    let subjectLength: Int
    /// When the result was last known to be right (see ``SubscriptionIndex``).
    var generation: UInt64
    let plainCount: Int
    let groupCount: Int
    /// Whether there are groups, peers or services.
    let hasMore: Bool
    /// Whether any of the peers is a leaf node or the hub.
    let hasLeafs: Bool
    let targetCount: Int
    /// "HMSG <subject> "; the MSG form starts one byte later.
    let prefix: UnsafeMutablePointer<UInt8>
    let targets: UnsafeMutablePointer<DeliveryTarget>
    let groups: UnsafeMutablePointer<MatchGroup>
    private let owners: UnsafeMutablePointer<Owner>
    let peerCount: Int
    let peers: UnsafeMutablePointer<PeerTarget>
    let shareCount: Int
    let shares: UnsafeMutablePointer<PeerShare>
    /// Memory of the block in bytes.
    private let blockSize: Int
    /// The same with all that hangs on it, for the cache's limit.
    let size: Int
    /// Clients may not publish here (nats-server client.go processInboundClientMsg).
    let isReserved: Bool
    /// What the server itself does with a message.
    private let serviceMatches: Unmanaged<ServiceMatches>?
    /// What the subject becomes, if anything.
    private let mapping: Unmanaged<MappedSubject>?
    /// Whether a message that is published here has to be looked at closely: it is reserved or becomes another.
    let needsAttention: Bool
    /// Whether clients with certain permissions may publish here: twice the permissions' id, plus one if they may; 0 is
    /// free.
    private var publishAnswers: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    typealias Pointer = UnsafeMutablePointer<MatchResult>

    var subject: UnsafeMutablePointer<UInt8> { self.prefix + 5 }

    func subscription(at index: Int) -> Subscription { self.owners[index].subscription.takeUnretainedValue() }

    /// Counts a delivery to a target with the flag ``DeliveryTarget/Flags/limited``.
    func countLimited(at index: Int) -> Subscription.LimitedDelivery {
        self.owners[index].subscription._withUnsafeGuaranteedRef { $0.countLimited() }
    }

    /// Whether a connection in it is gone.
    var hasDeadTarget: Bool {
        (0..<self.targetCount).contains { self.outlet(at: $0).connection == nil }
            || (0..<self.peerCount).contains { self.peers[$0].owner.takeUnretainedValue().connection == nil }
    }

    /// One queue group of the result.
    struct Group {
        let index: Int
        /// The targets of those members that are here.
        let members: Range<Int>
        let shares: Range<Int>
    }

    /// A queue group, by its place.
    func group(at index: Int) -> Group {
        Group(
            index: index,
            members: (index > 0 ? self.groups[index - 1].end : self.plainCount)..<self.groups[index].end,
            shares: (index > 0 ? self.groups[index - 1].shareEnd : 0)..<self.groups[index].shareEnd
        )
    }

    /// Hands a closure the name of a queue group.
    func withName<R>(of group: Group, _ body: ([UInt8]) -> R) -> R {
        if let member = group.members.first {
            return self.owners[member].subscription._withUnsafeGuaranteedRef { body($0.queue) }
        }
        guard let share = group.shares.first else { return body([]) }
        return self.shares[share].interest._withUnsafeGuaranteedRef { body($0.queue) }
    }

    /// What the server itself does with a message, if anything.
    var services: ServiceMatches? { self.serviceMatches?.takeUnretainedValue() }

    /// What stands in front of the sid for a target, with "HMSG "; `count` is that of the subject.
    func prefix(at index: Int) -> (start: UnsafeMutablePointer<UInt8>, count: Int) {
        if let prefix = self.owners[index].prefix { return (prefix, self.owners[index].subjectLength) }
        return (self.prefix, self.subjectLength)
    }

    /// What the subject becomes when it is published, if anything.
    var mapped: MappedSubject? { self.mapping?.takeUnretainedValue() }

    /// Where reply subjects are noted that are delivered to a target.
    func replies(at index: Int) -> ReplyPermissions? { self.owners[index].replies?.takeUnretainedValue() }

    func outlet(at index: Int) -> Outlet { self.owners[index].outlet.takeUnretainedValue() }

    /// Makes a result, in the memory of an `old` one that is no longer needed if it is large enough.
    ///
    /// Under the lock of the index that `match` comes from.
    static func make(
        subject: UnsafeBufferPointer<UInt8>,
        generation: UInt64,
        match: Sublist<Subscription>.Match,
        remote: RemoteMatch?,
        mapped: MappedSubject?,
        loop: ServerLoop,
        reusing old: Pointer? = nil
    ) -> Pointer {
        var match = self.withoutDenied(match, subject)
        let services = ServiceMatches(takingFrom: &match, subject)
        let plan = PeerPlan(remote, besides: match, subject)
        let targetCount = match.groups.reduce(match.plain.count) { $0 + $1.count }
        let prefixLength = subject.count + 6
        var size = MemoryLayout<MatchResult>.stride
        let prefixOffset = size
        size += (prefixLength + 15) & ~15
        let targetsOffset = size
        size += targetCount * MemoryLayout<DeliveryTarget>.stride
        let groupsOffset = size
        size += plan.groupCount * MemoryLayout<MatchGroup>.stride
        let ownersOffset = size
        size += targetCount * MemoryLayout<Owner>.stride
        let peersOffset = size
        size += plan.peers.count * MemoryLayout<PeerTarget>.stride
        let sharesOffset = size
        size += plan.shareCount * MemoryLayout<PeerShare>.stride

        let block: UnsafeMutableRawPointer
        if let old, old.pointee.blockSize >= size {
            size = old.pointee.blockSize
            Self.releaseOwners(of: old)
            block = UnsafeMutableRawPointer(old)
        } else {
            if let old { Self.destroy(old) }
            block = .allocate(byteCount: size, alignment: 16)
        }
        let prefix = (block + prefixOffset).bindMemory(to: UInt8.self, capacity: prefixLength)
        let targets = (block + targetsOffset).bindMemory(to: DeliveryTarget.self, capacity: targetCount)
        let groups = (block + groupsOffset).bindMemory(to: MatchGroup.self, capacity: plan.groupCount)
        let owners = (block + ownersOffset).bindMemory(to: Owner.self, capacity: targetCount)
        let peers = (block + peersOffset).bindMemory(to: PeerTarget.self, capacity: plan.peers.count)
        let shares = (block + sharesOffset).bindMemory(to: PeerShare.self, capacity: plan.shareCount)
        let head: StaticString = "HMSG "
        prefix.initialize(from: head.utf8Start, count: 5)
        if let base = subject.baseAddress { (prefix + 5).initialize(from: base, count: subject.count) }
        (prefix + prefixLength - 1).initialize(to: 0x20)

        var index = 0
        var attachedSize = (services?.size ?? 0) + (mapped?.size ?? 0)
        func add(_ subscription: Subscription) {
            guard let connection = subscription.connection else { return }
            let outlet = loop.outlet(for: connection)
            let mapped = subscription.stream.map { self.makePrefix($0.localSubject(of: subject)) }
            attachedSize += mapped.map { $0.count + Self.allocationSize } ?? 0
            (targets + index).initialize(to: self.target(for: subscription, outlet, loop.index))
            (owners + index).initialize(
                to: Owner(
                    outlet: .passRetained(outlet),
                    subscription: .passRetained(subscription),
                    replies: subscription.replies.map { .passRetained($0) },
                    prefix: mapped?.start,
                    subjectLength: mapped?.count ?? 0
                )
            )
            index += 1
        }
        match.plain.forEach(add)
        var share = 0
        for group in 0..<plan.groupCount {
            if group < match.groups.count { match.groups[group].forEach(add) }
            var weight = 0
            var hasLeafs = false
            for (peer, interest) in plan.shares[group] {
                let members = max(0, interest.weight)
                (shares + share).initialize(
                    to: PeerShare(
                        peer: peer,
                        weight: members,
                        interest: .passRetained(interest),
                        counter: PeerCounter(interest, loop)
                    )
                )
                if interest.peer.kind == .route { weight += members } else { hasLeafs = true }
                share += 1
            }
            (groups + group).initialize(
                to: MatchGroup(end: index, shareEnd: share, remoteWeight: weight, hasLeafs: hasLeafs)
            )
        }
        for (place, peer) in plan.peers.enumerated() {
            let connection = peer.connection
            let outlet = loop.outlet(for: connection)
            let prefix = self.makePeerPrefix(for: peer, plan.account, subject)
            attachedSize += prefix.count + Self.allocationSize
            (peers + place).initialize(
                to: PeerTarget(
                    kind: connection.peerKind,
                    isMapped: peer.subject != nil,
                    outlet: outlet.state,
                    owner: .passRetained(outlet),
                    prefix: prefix.start,
                    prefixLength: prefix.count,
                    hasHeaders: connection.understandsHeaders,
                    isPlain: peer.isPlain,
                    interest: .passRetained(peer.interest),
                    counter: PeerCounter(peer.interest, loop)
                )
            )
        }

        let isReserved = ReservedSubjects.isReservedForPublish(UnsafeRawBufferPointer(subject))
        let result = block.bindMemory(to: MatchResult.self, capacity: 1)
        result.initialize(
            to: MatchResult(
                subjectLength: subject.count,
                generation: generation,
                plainCount: match.plain.count,
                groupCount: plan.groupCount,
                hasMore: plan.groupCount > 0 || !plan.peers.isEmpty || services != nil,
                hasLeafs: plan.hasLeafs,
                targetCount: targetCount,
                prefix: prefix,
                targets: targets,
                groups: groups,
                owners: owners,
                peerCount: plan.peers.count,
                peers: peers,
                shareCount: plan.shareCount,
                shares: shares,
                blockSize: size,
                size: size + attachedSize,
                isReserved: isReserved,
                serviceMatches: services.map { .passRetained($0) },
                mapping: mapped.map { .passRetained($0) },
                needsAttention: isReserved || mapped != nil
            )
        )
        return result
    }

    /// What an allocation takes besides what is asked for, roughly.
    static let allocationSize = 48

    private static func makePrefix(_ subject: [UInt8]) -> (start: UnsafeMutablePointer<UInt8>, count: Int) {
        let prefix = UnsafeMutablePointer<UInt8>.allocate(capacity: subject.count + 6)
        for (index, byte) in (Array("HMSG ".utf8) + subject + [0x20]).enumerated() {
            (prefix + index).initialize(to: byte)
        }
        return (prefix, subject.count)
    }

    /// What stands in front of a message's tail on the way to another server.
    private static func makePeerPrefix(
        for peer: PeerPlan.Peer,
        _ account: [UInt8],
        _ subject: UnsafeBufferPointer<UInt8>
    ) -> (start: UnsafeMutablePointer<UInt8>, count: Int) {
        var bytes: [UInt8] = []
        RouteFrame.appendMessage(
            account: peer.connection.isDedicated ? [] : account,
            subject: peer.subject ?? Array(subject),
            hasHeaders: false,
            isLeafNode: peer.connection.kind == .leaf,
            to: &bytes
        )
        let prefix = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        prefix.initialize(from: bytes, count: bytes.count)
        return (prefix, bytes.count)
    }

    /// What is left when the denials of subscribers are applied.
    private static func withoutDenied(
        _ match: Sublist<Subscription>.Match,
        _ subject: UnsafeBufferPointer<UInt8>
    ) -> Sublist<Subscription>.Match {
        let isFiltered =
            match.plain.contains { $0.deliveryFilter != nil }
            || match.groups.contains { $0.contains { $0.deliveryFilter != nil } }
        guard isFiltered else { return match }
        var match = match
        match.plain.removeAll { $0.isDenied(subject) }
        for index in match.groups.indices { match.groups[index].removeAll { $0.isDenied(subject) } }
        match.groups.removeAll { $0.isEmpty }
        return match
    }

    // MARK: Permissions to publish

    /// Whether clients with these permissions are known to be allowed to publish here.
    @inline(__always)
    func knowsPublishIsAllowed(for tag: UInt64) -> Bool {
        let answer = tag &* 2 &+ 1
        return self.publishAnswers.0 == answer || self.publishAnswers.1 == answer || self.publishAnswers.2 == answer
            || self.publishAnswers.3 == answer
    }

    /// What is known about clients with these permissions.
    func publishAnswer(for tag: UInt64) -> Bool? {
        if self.knowsPublishIsAllowed(for: tag) { return true }
        let answer = tag &* 2
        return self.publishAnswers.0 == answer || self.publishAnswers.1 == answer || self.publishAnswers.2 == answer
            || self.publishAnswers.3 == answer ? false : nil
    }

    /// Notes an answer; of more than four the oldest is forgotten.
    mutating func rememberPublishAnswer(_ isAllowed: Bool, for tag: UInt64) {
        let answer = tag &* 2 &+ (isAllowed ? 1 : 0)
        self.publishAnswers = (answer, self.publishAnswers.0, self.publishAnswers.1, self.publishAnswers.2)
    }

    static func destroy(_ result: Pointer) {
        self.releaseOwners(of: result)
        UnsafeMutableRawPointer(result).deallocate()
    }

    private static func releaseOwners(of result: Pointer) {
        result.pointee.mapping?.release()
        result.pointee.serviceMatches?.release()
        for index in 0..<result.pointee.targetCount {
            let owner = result.pointee.owners[index]
            owner.outlet.release()
            owner.subscription.release()
            owner.replies?.release()
            owner.prefix?.deallocate()
        }
        for index in 0..<result.pointee.peerCount {
            let peer = result.pointee.peers[index]
            peer.owner.release()
            peer.interest.release()
            peer.prefix.deallocate()
        }
        for index in 0..<result.pointee.shareCount { result.pointee.shares[index].interest.release() }
    }

    private static func target(for subscription: Subscription, _ outlet: Outlet, _ loop: Int) -> DeliveryTarget {
        var target = DeliveryTarget(outlet: outlet.state, counter: subscription.counters + loop)
        if !subscription.echo { target.flags.insert(.noEcho) }
        if !subscription.headers { target.flags.insert(.noHeaders) }
        if subscription.isLimited { target.flags.insert(.limited) }
        if subscription.stream != nil { target.flags.insert(.mapped) }
        if subscription.replies != nil { target.flags.insert(.notesReplies) }
        guard subscription.sid.count < 16 else {
            target.flags.insert(.longSid)
            return target
        }
        withUnsafeMutableBytes(of: &target.sid) { bytes in
            for (index, byte) in subscription.sid.enumerated() { bytes[index] = byte }
            bytes[subscription.sid.count] = 0x20
        }
        target.sidLength = UInt32(truncatingIfNeeded: subscription.sid.count + 1)
        return target
    }
}
