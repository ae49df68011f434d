import NATSText
import NATSWire
import NIOCore

/// From a match result to the staging areas of everybody in it.
extension ServerConnection {
    // MARK: Hot path

    /// Hands a message to everything in the match result.
    ///
    /// - Returns: whether anybody got it.
    @inline(__always)
    func deliver(
        _ message: OutgoingMessage,
        _ result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        var delivered = false
        let plainCount = result.pointee.plainCount
        var index = 0
        while index < plainCount {
            if self.deliver(message, to: index, of: result, base, operation, &batch) { delivered = true }
            index += 1
        }
        if result.pointee.hasMore, self.deliverToRest(message, result, base, operation, &batch) { delivered = true }
        return delivered
    }

    @inline(__always)
    func deliver(
        _ message: OutgoingMessage,
        to index: Int,
        of result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        let target = result.pointee.targets + index
        let special = message.headerSize > 0 ? batch.specialFlags.union(.noHeaders) : batch.specialFlags
        let found = target.pointee.flags.intersection(special)
        guard found.isEmpty else {
            // All that there is about most targets of imported streams.
            if found == .mapped, !batch.isCrossing { return self.deliverMapped(message, to: index, of: result, &batch) }
            if found == .limited, !self.loop.dropsForCongested {
                return self.deliverLimited(message, to: index, of: result, &batch)
            }
            return self.deliverSpecially(message, to: index, of: result, base, operation, &batch)
        }
        return self.stage(message, for: target, &batch)
    }

    /// Delivery under another subject (the importer's).
    @inline(never)
    private func deliverMapped(
        _ message: OutgoingMessage,
        to index: Int,
        of result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) -> Bool {
        let prefix = result.pointee.prefix(at: index)
        let hasHeader = message.headerSize > 0
        var message = message
        message.prefix = UnsafePointer(prefix.start) + (hasHeader ? 0 : 1)
        message.prefixLength = prefix.count + (hasHeader ? 6 : 5)
        return self.stage(message, for: result.pointee.targets + index, &batch)
    }

    /// Delivery to a subscription whose UNSUB names a number: all that there is about those of `-n` and of many requests.
    @inline(never)
    private func deliverLimited(
        _ message: OutgoingMessage,
        to index: Int,
        of result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) -> Bool {
        let target = result.pointee.targets + index
        switch result.pointee.countLimited(at: index) {
        case .deliver: return self.stage(message, for: target, isCounted: true, &batch)
        case .deliverLast:
            let subscription = result.pointee.subscription(at: index)
            batch.mustCheckPhase = true
            guard self.stage(message, for: target, isCounted: true, &batch) else { return false }
            self.endLimited(subscription, &batch)
            return true
        case .exceeded: return false
        }
    }

    /// Appends a message to what is staged for a target; `isCounted` says that the subscription has counted it already.
    @inline(__always)
    func stage(
        _ message: OutgoingMessage,
        for target: UnsafeMutablePointer<DeliveryTarget>,
        isCounted: Bool = false,
        _ batch: inout PublishBatch
    ) -> Bool {
        let outlet = target.pointee.outlet
        // The sid is stored in one piece of sixteen bytes, whatever its length.
        let room = message.prefixLength + message.tailLength + 16
        if outlet.pointee.end - outlet.pointee.write < room {
            batch.mustCheckPhase = true
            guard outlet.pointee.owner._withUnsafeGuaranteedRef({ $0.makeRoomForMessage(room) }) else { return false }
        }
        var write = outlet.pointee.write
        ByteCopy.copy(message.prefix, message.prefixLength, to: write)
        write += message.prefixLength
        write.storeBytes(of: target.pointee.sid.0, as: UInt64.self)
        write.storeBytes(of: target.pointee.sid.1, toByteOffset: 8, as: UInt64.self)
        write += Int(truncatingIfNeeded: target.pointee.sidLength)
        ByteCopy.copy(message.tail, message.tailLength, to: write)
        outlet.pointee.write = write + message.tailLength
        outlet.pointee.messages &+= 1
        outlet.pointee.payloadBytes &+= message.size
        if !isCounted { target.pointee.count() }
        return true
    }

    /// One member of each queue group gets the message, chosen at random; then other servers get it, then the services.
    ///
    /// Members behind leaf nodes, or the hub, get it only where nobody nearer can (nats-server client.go processMsgResults).
    @inline(never)
    private func deliverToRest(
        _ message: OutgoingMessage,
        _ result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        var delivered = false
        var start = result.pointee.plainCount
        var shareStart = 0
        for index in 0..<result.pointee.groupCount {
            let group = result.pointee.groups + index
            let place = MatchResult.Group(
                index: index,
                members: start..<group.pointee.end,
                shares: shareStart..<group.pointee.shareEnd
            )
            (start, shareStart) = (place.members.upperBound, place.shares.upperBound)
            if self.deliver(message, toGroup: place, result, base, operation, &batch) { delivered = true }
        }
        if result.pointee.peerCount > 0, TrackedRequests.isTracked(base, operation.pointee.subject) {
            self.noteTrackedAnswer(base, operation.pointee)
        }
        if result.pointee.peerCount > 0, !self.isRoute || result.pointee.hasLeafs,
            self.deliverToPeers(message, result, base, operation, &batch)
        {
            delivered = true
        }
        // Last: the result may be gone once other subjects have been looked up.
        guard let services = result.pointee.services else { return delivered }
        if self.deliver(base, operation, to: services, &batch) || delivered { return true }
        guard !batch.isCrossing else { return false }
        if batch.noResponders, !operation.pointee.reply.isEmpty {
            services.subject.withUnsafeBufferPointer { self.sendNoResponders(base, operation.pointee, subject: $0) }
        }
        // Nothing is left to be done about it.
        return true
    }

    /// Hands a message to a member of a queue group that is here, or chooses the server that one of its members shall get it
    /// from.
    ///
    /// - Returns: whether somebody here got it.
    @inline(__always)
    func deliver(
        _ message: OutgoingMessage,
        toGroup place: MatchResult.Group,
        _ result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        let group = result.pointee.groups + place.index
        let count = place.members.count
        let remote = self.audience.contains(.route) ? group.pointee.remoteWeight : 0
        group.pointee.choice = -1
        // Members here and elsewhere count alike (nats-server client.go processMsgResults).
        let choice = count + remote > 0 ? self.loop.random.next(below: count + remote) : 0
        if choice < count, self.deliver(message, toOneOf: place.members, choice, result, base, operation, &batch) {
            return true
        }
        if remote > 0 {
            let member = choice < count ? self.loop.random.next(below: remote) : choice - count
            group.pointee.choice = result.pointee.share(of: member, in: place.shares)
        } else if group.pointee.hasLeafs {
            group.pointee.choice = self.chooseLeaf(place.shares, of: result)
        }
        return false
    }

    /// What may be the answer to a request whose latency another server measures goes there.
    @inline(never)
    private func noteTrackedAnswer(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) {
        guard self.shared.trackedRequests.isInUse, !self.isRoute, !self.isInternal, let system = self.shared.system
        else { return }
        let reply = Array(
            UnsafeBufferPointer(start: base + operation.subject.lowerBound, count: operation.subject.count)
        )
        let now = NIODeadline.now()
        guard let request = self.shared.trackedRequests.take(reply, of: self.id, now: now) else { return }
        system.tellLatency(of: request, reply, by: self.responder, now: now)
    }

    /// Hands a message to one of the targets, the chosen one if it can take it: one that cannot (gone, or the publisher
    /// itself without echo) passes it on to the next.
    @inline(__always)
    func deliver(
        _ message: OutgoingMessage,
        toOneOf targets: Range<Int>,
        _ choice: Int,
        _ result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        var member = targets.lowerBound + choice
        for _ in targets {
            if self.deliver(message, to: member, of: result, base, operation, &batch) { return true }
            member = member + 1 == targets.upperBound ? targets.lowerBound : member + 1
        }
        return false
    }

    /// Routes a message that comes from another account.
    func publishCrossed(
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) -> Bool {
        let hasHeader = operation.pointee.headerSize > 0
        // The server's own messages have two blanks where a reply subject would stand (nats-server client.go msgHeader:
        // it is empty, but there).
        let isOwn = self.isInternal && !batch.isCrossing && operation.pointee.reply.isEmpty
        let tailStart = operation.pointee.tailStart - (isOwn ? 1 : 0)
        let message = OutgoingMessage(
            prefix: result.pointee.prefix + (hasHeader ? 0 : 1),
            prefixLength: result.pointee.subjectLength + (hasHeader ? 6 : 5),
            tail: base + tailStart,
            tailLength: operation.pointee.frameEnd - tailStart,
            size: operation.pointee.size,
            headerSize: operation.pointee.headerSize
        )
        return self.deliver(message, result, base, operation, &batch)
    }
}
