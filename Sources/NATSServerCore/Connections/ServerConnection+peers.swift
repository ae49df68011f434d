import NATSText
import NATSWire
import NIOCore

/// Messages that go to other servers.
extension ServerConnection {
    /// Hands a message to every other server that wants it, once to each: with the queue groups of which it is to serve a
    /// member.
    ///
    /// - Returns: whether any got it.
    func deliverToPeers(
        _ message: OutgoingMessage,
        _ result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        var delivered = false
        for index in 0..<result.pointee.peerCount {
            let peer = result.pointee.peers + index
            let listed = result.pointee.sizeOfList(for: index)
            guard peer.pointee.isPlain || listed > 0, self.reaches(peer, isListed: listed > 0, result) else { continue }
            // What a service import brings is not exported again.
            if peer.pointee.isMapped, batch.isCrossing { continue }
            let isWhole = listed == 0 && (peer.pointee.hasHeaders || message.headerSize == 0)
            let isStaged =
                isWhole
                ? self.stage(message, for: peer, &batch)
                : self.stage(message, for: peer, index, listing: listed, result, base, operation, &batch)
            if isStaged {
                delivered = true
                if peer.pointee.kind == .route {
                    batch.routedMessages &+= 1
                    batch.routedBytes &+= message.size
                }
                // nats-server client.go processMsgResults: of all that a peer wants one counts it.
                if peer.pointee.isPlain { peer.pointee.counter.count() } else { result.pointee.countList(for: index) }
                if batch.isTracing { self.traceRouted(to: peer, index, result, base, operation.pointee) }
            }
        }
        return delivered
    }

    /// Whether a message goes from here to another server.
    @inline(__always)
    private func reaches(
        _ peer: UnsafeMutablePointer<PeerTarget>,
        isListed: Bool,
        _ result: MatchResult.Pointer
    ) -> Bool {
        guard self.audience.contains(peer.pointee.kind) else {
            // A queue group whose last member here has just gone; see ``RouteConnection``.
            if self.isRoute, peer.pointee.kind == .route { return isListed }
            return self.isAnswer(result, for: peer)
        }
        return self.kind != .leaf || self.isElsewhere(peer)
    }

    /// From another server of the cluster answers alone go to the hub (nats-server client.go processMsgResults).
    @inline(never)
    private func isAnswer(_ result: MatchResult.Pointer, for peer: UnsafeMutablePointer<PeerTarget>) -> Bool {
        guard self.isRoute, peer.pointee.kind == .hub else { return false }
        let subject = UnsafeRawBufferPointer(start: result.pointee.subject, count: result.pointee.subjectLength)
        return ReservedSubjects.isServiceReply(subject)
    }

    /// Whether what comes from a leaf node, or the hub, may go to another server: not to the same one, nor to the cluster
    /// that it comes from.
    @inline(never)
    private func isElsewhere(_ peer: UnsafeMutablePointer<PeerTarget>) -> Bool {
        guard peer.pointee.kind != .route else { return true }
        guard let connection = peer.pointee.owner.takeUnretainedValue().connection else { return false }
        return connection !== self && (self.origin.isEmpty || connection.origin != self.origin)
    }

    /// Chooses among the members of a queue group that are behind leaf nodes, or the hub.
    ///
    /// - Returns: the share; -1 if there is none that the message may go to.
    @inline(never)
    func chooseLeaf(_ shares: Range<Int>, of result: MatchResult.Pointer) -> Int {
        func weight(of share: Int) -> Int {
            let peer = result.pointee.peers + result.pointee.shares[share].peer
            guard peer.pointee.kind != .route, self.reaches(peer, isListed: true, result) else { return 0 }
            return result.pointee.shares[share].weight
        }
        let total = shares.reduce(0) { $0 + weight(of: $1) }
        guard total > 0 else { return -1 }
        var rest = self.loop.random.next(below: total)
        for share in shares {
            rest -= weight(of: share)
            if rest < 0 { return share }
        }
        return -1
    }

    // MARK: Hot path

    /// Appends `RMSG [account] subject `, or `LMSG subject `, and the tail that clients get.
    @inline(__always)
    private func stage(
        _ message: OutgoingMessage,
        for peer: UnsafeMutablePointer<PeerTarget>,
        _ batch: inout PublishBatch
    ) -> Bool {
        // The server's own messages have a blank more for clients (``publishCrossed(_:_:_:_:)``).
        let skipped = message.tail.pointee == 0x20 ? 1 : 0
        let tailLength = message.tailLength - skipped
        let room = peer.pointee.prefixLength + tailLength
        let outlet = peer.pointee.outlet
        if outlet.pointee.end - outlet.pointee.write < room {
            batch.mustCheckPhase = true
            guard outlet.pointee.owner._withUnsafeGuaranteedRef({ $0.makeRoomForMessage(room) }) else { return false }
        }
        let write = outlet.pointee.write
        ByteCopy.copy(peer.pointee.prefix, peer.pointee.prefixLength, to: write)
        if message.headerSize > 0 { write.storeBytes(of: UInt8(ascii: "H"), as: UInt8.self) }
        ByteCopy.copy(message.tail + skipped, tailLength, to: write + peer.pointee.prefixLength)
        outlet.pointee.write = write + room
        outlet.pointee.messages &+= 1
        outlet.pointee.payloadBytes &+= message.size
        return true
    }

    // MARK: With queue groups, or without headers

    /// Appends a message with the queue groups that were chosen, without its header block if the peer does not know any.
    private func stage(
        _ message: OutgoingMessage,
        for peer: UnsafeMutablePointer<PeerTarget>,
        _ index: Int,
        listing listed: Int,
        _ result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        let operation = operation.pointee
        let keepsHeader = message.headerSize > 0 && peer.pointee.hasHeaders
        let skipped = keepsHeader ? 0 : message.headerSize
        let size = message.size - skipped
        let reply = UnsafeRawBufferPointer(start: base + operation.reply.lowerBound, count: operation.reply.count)
        let payload = UnsafeRawBufferPointer(start: base + operation.payloadStart + skipped, count: size + 2)
        // The indicator with its blank, two sizes of nine digits with a blank, and the line end.
        let room = peer.pointee.prefixLength + 2 + reply.count + 1 + listed + 22 + payload.count
        batch.mustCheckPhase = true
        let outlet = peer.pointee.owner.takeUnretainedValue()
        guard outlet.reserve(room) else { return false }
        let start = peer.pointee.outlet.pointee.write
        outlet.append(UnsafeRawBufferPointer(start: peer.pointee.prefix, count: peer.pointee.prefixLength))
        if keepsHeader { start.storeBytes(of: UInt8(ascii: "H"), as: UInt8.self) }
        if listed > 0 { if reply.isEmpty { outlet.append("| ") } else { outlet.append("+ ") } }
        if !reply.isEmpty {
            outlet.append(reply)
            outlet.append(" ")
        }
        if listed > 0 { result.pointee.appendList(for: index, to: outlet) }
        if keepsHeader {
            outlet.append(number: message.headerSize)
            outlet.append(" ")
        }
        outlet.append(number: size)
        outlet.append("\r\n")
        outlet.append(payload)
        outlet.state.pointee.messages &+= 1
        outlet.state.pointee.payloadBytes &+= size
        return true
    }

    private func traceRouted(
        to peer: UnsafeMutablePointer<PeerTarget>,
        _ index: Int,
        _ result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation
    ) {
        guard let route = peer.pointee.owner.takeUnretainedValue().connection else { return }
        let keepsHeader = operation.headerSize > 0 && peer.pointee.hasHeaders
        var head = Array(UnsafeBufferPointer(start: peer.pointee.prefix, count: peer.pointee.prefixLength))
        if keepsHeader { head[0] = UInt8(ascii: "H") }
        let reply = Array(UnsafeBufferPointer(start: base + operation.reply.lowerBound, count: operation.reply.count))
        RouteFrame.appendTarget(reply: reply, queues: result.pointee.list(for: index), to: &head)
        let size = keepsHeader ? operation.size : operation.size - operation.headerSize
        RouteFrame.appendSizes(headerSize: keepsHeader ? operation.headerSize : nil, size: size, to: &head)
        self.traceFrame(
            GoString.harmless(head.dropLast(2)),
            self.tracedPayload(base, operation, skipping: keepsHeader ? 0 : operation.headerSize),
            to: route
        )
    }
}

extension MatchResult {
    /// The share that has the member with a number.
    func share(of member: Int, in shares: Range<Int>) -> Int {
        var rest = member
        for share in shares {
            rest -= self.shares[share].weight
            if rest < 0 { return share }
        }
        return -1
    }

    /// Chooses a server for a queue group that has nobody here any more.
    ///
    /// - Parameters:
    ///   - group: The group.
    ///   - isEligible: Whether a server may be it.
    ///   - random: Gets how many members there are to choose from.
    /// - Returns: whether there is any.
    func chooseShare(
        of group: Group,
        where isEligible: (UnsafeMutablePointer<PeerTarget>) -> Bool,
        _ random: (Int) -> Int
    ) -> Bool {
        let eligible = group.shares.filter { isEligible(self.peers + self.shares[$0].peer) }
        let weight = eligible.reduce(0) { $0 + self.shares[$1].weight }
        guard weight > 0 else { return false }
        var member = random(weight)
        for share in eligible {
            member -= self.shares[share].weight
            guard member < 0 else { continue }
            self.groups[group.index].choice = share
            return true
        }
        return false
    }

    /// What the names of the queue groups take that go to a peer, a blank behind each.
    func sizeOfList(for peer: Int) -> Int {
        var size = 0
        for group in 0..<self.groupCount {
            let choice = self.groups[group].choice
            guard choice >= 0, self.shares[choice].peer == peer else { continue }
            size += self.shares[choice].interest._withUnsafeGuaranteedRef { $0.queue.count } + 1
        }
        return size
    }

    /// Appends those names.
    func appendList(for peer: Int, to outlet: Outlet) {
        for group in 0..<self.groupCount {
            let choice = self.groups[group].choice
            guard choice >= 0, self.shares[choice].peer == peer else { continue }
            self.shares[choice].interest._withUnsafeGuaranteedRef { outlet.append($0.queue) }
            outlet.append(" ")
        }
    }

    /// Counts a message for the first of those queue groups.
    func countList(for peer: Int) {
        for group in 0..<self.groupCount {
            let choice = self.groups[group].choice
            guard choice >= 0, self.shares[choice].peer == peer else { continue }
            return self.shares[choice].counter.count()
        }
    }

    /// Those names.
    func list(for peer: Int) -> [[UInt8]] {
        (0..<self.groupCount).compactMap { group in
            let choice = self.groups[group].choice
            guard choice >= 0, self.shares[choice].peer == peer else { return nil }
            return self.shares[choice].interest.takeUnretainedValue().queue
        }
    }
}
