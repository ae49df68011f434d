import Logging
import NATSText
import NATSWire
import NIOCore

/// Cutting input into operations, and everything but messages and interest.
extension RouteConnection {
    /// Bytes arrived from the peer.
    func received(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        self.loop.collectMail()
        var batch = PublishBatch(self)
        let position = self.cut.isEmpty ? 0 : self.completeCut(base, bytes.count, &batch)
        if self.heldInput != nil {
            self.heldInput?.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[position...]))
        } else if self.cut.isEmpty, self.phase == .open {
            self.parse(base, from: position, to: bytes.count, &batch)
        }
        batch.finish(self)
    }

    /// Handles all whole operations; what is left over goes to ``cut``.
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
                } else {
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

    // MARK: Operations

    /// Whether the peer has said who it is.
    private var isIntroduced: Bool { self.peer != nil }

    private func handle(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
        let argument = UnsafeBufferPointer(rebasing: operation.argument, of: base)
        // nats-server parser.go: whoever dials says CONNECT first.
        if !self.isSolicited, self.greeting == nil, operation.kind != .connect {
            self.logger.error("\(self.label) - authentication error")
            return self.fail("Authorization Violation", .authenticationFailure)
        }
        switch operation.kind {
        case .connect: self.connect(UnsafeRawBufferPointer(argument))
        case .info: self.info(UnsafeRawBufferPointer(argument))
        case .ping:
            self.traceIn("PING")
            self.traceOut("PONG")
            self.outlet.append("PONG\r\n")
        case .pong:
            self.traceIn("PONG")
            self.keepAlive.pongReceived(now: .now())
            if self.isAwaitingPong { self.service.ponged(self) }
            self.isAwaitingPong = false
        case .interest, .originInterest:
            self.traceInterest(operation.kind == .interest ? "RS+" : "LS+", argument)
            if self.isIntroduced { self.addInterest(base, operation) }
        case .noInterest, .noOriginInterest:
            self.traceInterest(operation.kind == .noInterest ? "RS-" : "LS-", argument)
            if self.isIntroduced { self.removeInterest(base, operation) }
        case .error:
            self.logger.error("\(self.label) - Route Error \(GoString.harmless(argument))")
            self.service.errorReceived(self)
            self.close(.parseError)
        case .ok, .accountInterest, .noAccountInterest, .clientSubscribe, .clientPublish, .clientHeaderPublish,
            .message, .headerMessage, .originMessage:
            break
        }
    }

    private func traceInterest(_ verb: StaticString, _ argument: UnsafeBufferPointer<UInt8>) {
        self.traceIn("\(verb) \(GoString.harmless(argument))")
    }

    // MARK: Errors

    private func refuse(
        _ outcome: RouteOperationParser.Outcome,
        _ operation: RouteOperation,
        _ base: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int
    ) {
        if !self.isSolicited, self.greeting == nil {
            return self.fail("Authorization Violation", .authenticationFailure)
        }
        let argument = GoString.quoted(UnsafeBufferPointer(rebasing: operation.argument, of: base))
        switch outcome {
        case .unknownOperation:
            let snippet = GoString.quoted(UnsafeBufferPointer(start: base + start, count: min(32, end - start)))
            self.logger.error("\(self.label) - Router parser ERROR, proto='\(snippet)...'")
            self.fail("Unknown Protocol Operation", .protocolViolation)
        case .controlLineExceeded:
            self.logger.error("\(self.label) - maximum control line exceeded")
            self.fail("maximum control line exceeded", .maxControlLineExceeded)
        case .payloadExceeded:
            self.logger.error(
                "\(self.label) - maximum payload exceeded: \(operation.size) vs \(self.parser.maxPayload)"
            )
            self.fail("Maximum Payload Violation", .maxPayloadExceeded)
        case .badArguments, .badReplyIndicator:
            self.logger.error("\(self.label) - Parse Error: \(argument)")
            self.close(.protocolViolation)
        case .badSize:
            self.logger.error("\(self.label) - Bad or Missing Size: \(argument)")
            self.close(.protocolViolation)
        case .operation, .incomplete, .incompleteIgnored:
            break
        }
    }
}
