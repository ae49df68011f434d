import Logging
import NATSText
import NATSWire
import NIOCore

/// Everything that a peer sends but messages and interest.
extension LeafConnection: PeerReading {
    var isIntroduced: Bool { self.stage == .ready }

    func handle(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
        let argument = UnsafeBufferPointer(rebasing: operation.argument, of: base)
        // nats-server parser.go: whoever dials says CONNECT first.
        if !self.isSolicited, self.greeting == nil, operation.kind != .connect { return self.refuseCredentials() }
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
        case .interest:
            self.traceIn("LS+ \(GoString.harmless(argument))")
            if self.mayBeTold() { self.addInterest(base, operation) }
        case .noInterest:
            self.traceIn("LS- \(GoString.harmless(argument))")
            if self.mayBeTold() { self.removeInterest(base, operation) }
        case .error:
            self.errorReceived(String(decoding: argument, as: UTF8.self))
        case .message, .headerMessage:
            _ = self.mayBeTold()
        case .clientSubscribe:
            // No more than a client's line (nats-server parser.go parseSub).
            self.close(.protocolViolation)
        case .originInterest, .noOriginInterest, .originMessage, .ok, .accountInterest, .noAccountInterest,
            .clientPublish, .clientHeaderPublish:
            break
        }
    }

    /// Whether the peer has come to an account; it is closed otherwise (nats-server leafnode.go processLeafSub).
    private func mayBeTold() -> Bool {
        if self.isIntroduced { return true }
        // What a client's port, or a route's, sends first is looked at when its INFO has come.
        self.fail("Authorization Violation", .protocolViolation)
        return false
    }

    func finished(_ batch: inout PublishBatch) {
        guard batch.messages > 0 else { return }
        batch.settleRouted(self.router)
        if !self.settings.keepsMatches { self.router.cache.pointee.clear() }
        self.loop.totals.leafIn(messages: batch.messages, bytes: batch.bytes)
        self.router.totals.leafIn(messages: batch.messages, bytes: batch.bytes)
        batch.count(for: self)
    }

    // MARK: Errors

    func refuse(
        _ outcome: RouteOperationParser.Outcome,
        _ operation: RouteOperation,
        _ base: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int
    ) {
        if !self.isSolicited, self.greeting == nil { return self.refuseCredentials() }
        let argument = GoString.quoted(UnsafeBufferPointer(rebasing: operation.argument, of: base))
        switch outcome {
        case .unknownOperation:
            let snippet = GoString.quoted(UnsafeBufferPointer(start: base + start, count: min(32, end - start)))
            self.logger.error("\(self.label) - Leafnode parser ERROR, proto='\(snippet)...'")
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
