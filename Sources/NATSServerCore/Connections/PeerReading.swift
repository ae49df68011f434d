import NATSWire
import NIOCore

/// Cutting what another server sends into operations.
///
/// Apart from ``PeerConnection`` so that each kind of peer has its own copy of the loop, with its own delivery in it.
protocol PeerReading: PeerConnection {
    /// Whether the peer has said who it is: its messages count from then on.
    var isIntroduced: Bool { get }

    /// A message arrived.
    func deliver(
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<RouteOperation>,
        _ batch: inout PublishBatch
    )

    /// Another operation arrived.
    func handle(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation)

    /// What arrived is no operation.
    func refuse(
        _ outcome: RouteOperationParser.Outcome,
        _ operation: RouteOperation,
        _ base: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int
    )

    /// All that arrived in one piece has been handled.
    func finished(_ batch: inout PublishBatch)
}

extension PeerReading {
    /// Handles what arrived.
    func read(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        self.loop.collectMail()
        var batch = PublishBatch(self)
        let position = self.cut.isEmpty ? 0 : self.completeCut(base, bytes.count, &batch)
        if self.heldInput != nil {
            self.heldInput?.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[position...]))
        } else if self.cut.isEmpty, self.phase == .open {
            self.parse(base, from: position, to: bytes.count, &batch)
        }
        self.finished(&batch)
    }

    /// Handles all whole operations; what is left over goes to ``PeerConnection/cut``.
    private func parse(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int, _ batch: inout PublishBatch) {
        var operation = RouteOperation()
        // Through a pointer, as in ClientConnection.
        withUnsafeMutablePointer(to: &operation) { self.parse(base, from: start, to: end, into: $0, &batch) }
    }

    @inline(__always)
    private func parse(
        _ base: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int,
        into operation: UnsafeMutablePointer<RouteOperation>,
        _ batch: inout PublishBatch
    ) {
        var parser = self.parser
        var position = start
        while position < end {
            let outcome = parser.next(base, from: position, to: end, into: &operation.pointee)
            switch outcome {
            case .operation:
                if operation.pointee.isMessage, self.isIntroduced {
                    self.deliver(base, operation, &batch)
                } else {
                    guard self.mayBeHeard() else { return }
                    self.handle(base, operation.pointee)
                    parser = self.parser
                    batch.generation = self.router.index.generation
                }
                position = operation.pointee.frameEnd
                guard self.phase == .open else { return }
                if self.heldInput != nil {
                    self.heldInput?.writeBytes(UnsafeRawBufferPointer(start: base + position, count: end - position))
                    return
                }
            case .incomplete:
                let frameEnd = operation.pointee.frameEnd
                self.cut.begin(
                    UnsafeRawBufferPointer(start: base + position, count: end - position),
                    expected: frameEnd == 0 ? 0 : frameEnd - position
                )
                return
            case .incompleteIgnored:
                // The rest of the line is ignored, so there is no need to keep any of it.
                let kept = operation.pointee.payloadStart - position
                self.cut.begin(UnsafeRawBufferPointer(start: base + position, count: kept), expected: 0)
                return
            default:
                self.refuse(outcome, operation.pointee, base, from: position, to: end)
                return
            }
        }
    }

    /// Ends the connection if something came in the clear behind what began the TLS handshake.
    private func mayBeHeard() -> Bool {
        guard self.isEncrypted, !self.isSecured else { return true }
        self.handshakeFailed("tls: first record does not look like a TLS handshake")
        return false
    }

    /// Adds bytes to the cut operation until it is whole, and handles it.
    ///
    /// - Returns: how many bytes were used.
    private func completeCut(_ base: UnsafePointer<UInt8>, _ count: Int, _ batch: inout PublishBatch) -> Int {
        var position = 0
        while position < count, !self.cut.isEmpty, self.phase == .open, self.heldInput == nil {
            let part = self.cut.lengthOfNextPart(base + position, count - position)
            self.cut.append(UnsafeRawBufferPointer(start: base + position, count: part))
            position += part
            let endsLine = base[position - 1] == 0x0a
            guard self.cut.isWorthALook(endsLine: endsLine, maxControlLine: self.parser.maxControlLine) else {
                continue
            }
            self.parseCut(&batch)
        }
        return position
    }

    private func parseCut(_ batch: inout PublishBatch) {
        // Taken out, since handling an operation may close the connection and drop it.
        let taken = self.cut
        self.cut = CutOperation()
        var operation = RouteOperation()
        let outcome: RouteOperationParser.Outcome = taken.withBytes { bytes in
            guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return .incomplete }
            let outcome = self.parser.next(base, from: 0, to: bytes.count, into: &operation)
            switch outcome {
            case .operation:
                if operation.isMessage, self.isIntroduced {
                    withUnsafePointer(to: operation) { self.deliver(base, $0, &batch) }
                } else if self.mayBeHeard() {
                    self.handle(base, operation)
                    batch.generation = self.router.index.generation
                }
            case .incomplete, .incompleteIgnored:
                break
            default:
                self.refuse(outcome, operation, base, from: 0, to: bytes.count)
            }
            return outcome
        }
        guard self.phase == .open else { return }
        self.cut = taken
        switch outcome {
        case .incomplete:
            if operation.frameEnd > 0, self.cut.expected == 0 { self.cut.expect(operation.frameEnd) }
        case .incompleteIgnored:
            self.cut.truncate(to: operation.payloadStart)
        default:
            self.cut.clear()
        }
    }
}
