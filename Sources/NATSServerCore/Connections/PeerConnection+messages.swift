import NATSWire
import NIOCore

/// Messages that another server has sent.
extension PeerConnection {
    /// More is not kept for the next message that is spelled anew.
    private static let keptCapacity = 64 << 10

    // MARK: Hot path

    /// Hands a message to everything in the match result that the sender may reach.
    @inline(__always)
    func deliver(
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<RouteOperation>,
        _ result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) {
        guard operation.pointee.tailStart > 0 else {
            return self.deliverRespelled(base, operation, result, &batch)
        }
        let tail = base + operation.pointee.tailStart
        self.deliver(tail, operation.pointee.frameEnd - operation.pointee.tailStart, base, operation, result, &batch)
    }

    @inline(__always)
    private func deliver(
        _ tail: UnsafePointer<UInt8>,
        _ tailLength: Int,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<RouteOperation>,
        _ result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) {
        let hasHeader = operation.pointee.headerSize > 0
        let message = OutgoingMessage(
            prefix: result.pointee.prefix + (hasHeader ? 0 : 1),
            prefixLength: result.pointee.subjectLength + (hasHeader ? 6 : 5),
            tail: tail,
            tailLength: tailLength,
            size: operation.pointee.size,
            headerSize: operation.pointee.headerSize
        )
        var published = ClientOperation(operation.pointee)
        let isTracked = self.isRoute && TrackedRequests.isTracked(base, operation.pointee.reply)
        if isTracked { self.setTracked(true, &batch) }
        defer { if isTracked { self.setTracked(false, &batch) } }
        withUnsafePointer(to: &published) { published in
            let plainCount = result.pointee.plainCount
            var index = 0
            while index < plainCount {
                _ = self.deliver(message, to: index, of: result, base, published, &batch)
                index += 1
            }
            guard result.pointee.hasMore else { return }
            self.deliverToRest(message, base, operation, published, result, &batch)
        }
    }

    /// One member of each queue group that the sender has listed gets the message, or a server that has some where this one
    /// has none any more; then other servers get it, then the services.
    @inline(never)
    private func deliverToRest(
        _ message: OutgoingMessage,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<RouteOperation>,
        _ published: UnsafePointer<ClientOperation>,
        _ result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) {
        var isForwarded = false
        // By group, not by name: one that a peer lists twice is served once.
        for index in 0..<result.pointee.groupCount {
            result.pointee.groups[index].choice = -1
            let group = result.pointee.group(at: index)
            let isListed = result.pointee.withName(of: group) { name in
                operation.pointee.queueGroups(in: base).contains {
                    UnsafeBufferPointer(rebasing: $0, of: base).elementsEqual(name)
                }
            }
            guard isListed, !self.deliver(message, toGroup: group, result, base, published, &batch) else { continue }
            if result.pointee.groups[index].choice < 0, self.chooseAnother(for: group, result) { isForwarded = true }
        }
        if result.pointee.peerCount > 0, isForwarded || !self.isRoute || result.pointee.hasLeafs {
            _ = self.deliverToPeers(message, result, base, published, &batch)
        }
        // Last: the result may be gone once other subjects have been looked up.
        if let services = result.pointee.services { _ = self.deliver(base, published, to: services, &batch) }
    }

    // MARK: Seldom

    /// A request whose latency is measured takes the long way, where it is noted who gets it.
    @inline(never)
    private func setTracked(_ isTracked: Bool, _ batch: inout PublishBatch) {
        batch.isTracked = isTracked
        if isTracked {
            batch.specialFlags.insert(.always)
        } else if !batch.isTracing {
            batch.specialFlags.remove(.always)
        }
    }

    /// A message with queue groups between reply subject and sizes, with odd blanks, or an HMSG without headers.
    @inline(never)
    private func deliverRespelled(
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<RouteOperation>,
        _ result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) {
        // Taken out, since a delivery may come back here.
        var tail = self.respelled
        self.respelled = []
        tail.removeAll(keepingCapacity: true)
        func append(_ range: Range<Int>, _ end: StaticString) {
            tail.append(contentsOf: UnsafeBufferPointer(rebasing: range, of: base))
            tail.append(contentsOf: UnsafeBufferPointer(start: end.utf8Start, count: end.utf8CodeUnitCount))
        }
        if !operation.pointee.reply.isEmpty { append(operation.pointee.reply, " ") }
        if operation.pointee.headerSize > 0 { append(operation.pointee.headerSizeDigits, " ") }
        append(operation.pointee.sizeDigits, "\r\n")
        append(operation.pointee.payloadStart..<operation.pointee.frameEnd, "")
        tail.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            self.deliver(start, bytes.count, base, operation, result, &batch)
        }
        if tail.capacity <= Self.keptCapacity { self.respelled = tail }
    }
}
