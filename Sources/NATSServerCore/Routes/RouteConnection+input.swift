import Logging
import NATSText
import NATSWire
import NIOCore

/// Everything that a peer sends but messages and interest.
extension RouteConnection: PeerReading {
    // MARK: Operations

    /// Whether the peer has said who it is.
    var isIntroduced: Bool { self.peer != nil }

    func handle(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
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

    func finished(_ batch: inout PublishBatch) {
        guard batch.messages > 0 else { return }
        batch.settle(self)
        if !self.settings.keepsMatches { self.routedAccounts.clearCaches() }
        self.loop.totals.routedIn(messages: batch.messages, bytes: batch.bytes)
        batch.count(for: self)
    }

    private func traceInterest(_ verb: StaticString, _ argument: UnsafeBufferPointer<UInt8>) {
        self.traceIn("\(verb) \(GoString.harmless(argument))")
    }

    // MARK: Errors

    func refuse(
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
