import Logging
import NATSText
import NATSWire
import NIOCore

/// Cutting input into operations, and everything but publishes.
extension ClientConnection {
    /// Bytes arrived from the client.
    func received(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        let count = bytes.count
        self.loop.collectMail()
        var batch = PublishBatch(self)
        self.loop.producersShouldStall = false
        self.loop.dropsForCongested = !self.settings.stallsProducers
        var position = 0
        if !self.cut.isEmpty { position = self.completeCut(base, count, &batch) }
        if self.heldInput != nil {
            self.hold(UnsafeRawBufferPointer(start: base + position, count: count - position))
        } else if self.cut.isEmpty, self.phase == .open {
            self.parse(base, from: position, to: count, &batch)
        }
        batch.finish(self)
        self.loop.dropsForCongested = false
        if self.loop.producersShouldStall, self.settings.stallsProducers { self.shouldStall = true }
    }

    /// Handles all whole operations; what is left over goes to ``cut``.
    private func parse(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int, _ batch: inout PublishBatch) {
        var operation = ClientOperation()
        // Through a pointer, since a copy of the value for each message costs as much as delivering it.
        withUnsafeMutablePointer(to: &operation) { self.parse(base, from: start, to: end, into: $0, &batch) }
    }

    @inline(__always)
    private func parse(
        _ base: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int,
        into operation: UnsafeMutablePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) {
        var position = start
        while position < end {
            if batch.checksFirstByte, !self.mayBegin(with: base[position], &batch) {
                // Unless it has to wait until somebody has decided.
                self.hold(UnsafeRawBufferPointer(start: base + position, count: end - position))
                return
            }
            let outcome = batch.parser.next(base, from: position, to: end, into: &operation.pointee)
            switch outcome {
            case .operation:
                if operation.pointee.isPublish {
                    self.publish(base, operation, &batch)
                    if batch.mustCheckPhase {
                        guard self.phase == .open else { return }
                        if self.heldInput != nil {
                            let next = operation.pointee.frameEnd
                            self.hold(UnsafeRawBufferPointer(start: base + next, count: end - next))
                            return
                        }
                    }
                } else {
                    self.handle(base, operation.pointee, &batch)
                    guard self.phase == .open else { return }
                    if self.heldInput != nil {
                        let next = operation.pointee.frameEnd
                        self.hold(UnsafeRawBufferPointer(start: base + next, count: end - next))
                        return
                    }
                }
                position = operation.pointee.frameEnd
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
            let chunk = self.cut.lengthOfNextPart(base + position, count - position)
            self.cut.append(UnsafeRawBufferPointer(start: base + position, count: chunk))
            position += chunk
            let endsLine = base[position - 1] == 0x0a
            guard self.cut.isWorthALook(endsLine: endsLine, maxControlLine: batch.parser.maxControlLine) else {
                continue
            }
            self.parseCut(&batch)
        }
        return position
    }

    private func parseCut(_ batch: inout PublishBatch) {
        // The buffer is taken out, since handling an operation may close the connection and drop it.
        let taken = self.cut
        self.cut = CutOperation()
        var operation = ClientOperation()
        let outcome: ClientOperationParser.Outcome = taken.withBytes { bytes in
            guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return .incomplete }
            let outcome = batch.parser.next(base, from: 0, to: bytes.count, into: &operation)
            switch outcome {
            case .operation:
                if operation.isPublish {
                    withUnsafePointer(to: operation) { self.publish(base, $0, &batch) }
                } else {
                    self.handle(base, operation, &batch)
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

    // MARK: Errors

    private func refuse(
        _ outcome: ClientOperationParser.Outcome,
        _ operation: ClientOperation,
        _ base: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int
    ) {
        switch outcome {
        case .unknownOperation:
            // A publish whose payload ends wrongly: the subject was looked at before (nats-server client.go processPub).
            if operation.isPublish, operation.frameEnd > 0 {
                self.traceRefused(base, operation)
                self.checkSubject(base, operation)
            }
            let snippet = GoString.quoted(UnsafeBufferPointer(start: base + start, count: min(32, end - start)))
            self.sendError("Unknown Protocol Operation")
            self.logInputError("Client parser ERROR, proto='\(snippet)...'")
            self.close(.protocolViolation)
        case .controlLineExceeded:
            self.failLogged("maximum control line exceeded", .maxControlLineExceeded)
        case .payloadExceeded:
            self.traceRefused(base, operation)
            self.logger.error(
                "\(self.label) - maximum payload exceeded: \(operation.size) vs \(self.parser.maxPayload)"
            )
            self.fail("Maximum Payload Violation", .maxPayloadExceeded)
            if self.webSocket != nil { self.logInputError("maximum payload exceeded") }
        case .headersNotSupported:
            self.traceRefused(base, operation)
            self.logInputError("message headers not supported")
            self.close(.protocolViolation)
        case .badArguments:
            self.traceRefused(base, operation)
            let argument = GoString.quoted(self.argument(base, operation))
            self.logInputError("process\(Self.name(operation.kind)) Parse Error: \(argument)")
            self.close(.protocolViolation)
        case .badSize:
            self.traceRefused(base, operation)
            let argument = GoString.quoted(self.argument(base, operation))
            let size =
                operation.kind == .headerPublish ? operation.headerSize < 0 ? "Header Size" : "Total Size" : "Size"
            self.logInputError("process\(Self.name(operation.kind)) Bad or Missing \(size): \(argument)")
            self.close(.protocolViolation)
        case .operation, .incomplete, .incompleteIgnored:
            break
        }
    }

    private static func name(_ kind: ClientOperation.Kind) -> String {
        switch kind {
        case .publish: "Pub"
        case .headerPublish: "HeaderPub"
        case .subscribe: "Sub"
        case .unsubscribe: "Unsub"
        default: "Operation"
        }
    }

    /// The official server traces a line before it looks at its arguments.
    private func traceRefused(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) {
        switch operation.kind {
        case .publish: self.traceIn("PUB", self.argument(base, operation))
        case .headerPublish: self.traceIn("HPUB", self.argument(base, operation))
        case .subscribe: self.traceIn("SUB", self.argument(base, operation))
        case .unsubscribe: self.traceIn("UNSUB", self.argument(base, operation))
        default: break
        }
    }

    private func argument(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) -> UnsafeRawBufferPointer {
        let start = operation.argumentStart
        return UnsafeRawBufferPointer(start: base + start, count: max(0, operation.argumentEnd - start))
    }

    // MARK: Operations

    private func handle(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation, _ batch: inout PublishBatch) {
        let argument = self.argument(base, operation)
        switch operation.kind {
        case .ping:
            self.traceIn("PING")
            self.ping()
        case .pong:
            self.traceIn("PONG")
            self.keepAlive.pongReceived(now: .now())
        case .subscribe:
            self.traceIn("SUB", argument)
            self.noteActivity(now: .now())
            self.subscribe(base, operation)
        case .unsubscribe:
            self.traceIn("UNSUB", argument)
            self.noteActivity(now: .now())
            self.unsubscribe(base, operation)
        case .connect:
            self.connect(argument)
        case .info:
            do {
                _ = try JSONValue.parse(argument)
            } catch {
                self.logInputError("INFO is not valid: \(error)")
                self.close(.protocolViolation)
            }
        case .error:
            self.logger.error("\(self.label) - Client Error \(GoString.harmless(argument))")
            self.close(.parseError)
        case .ok, .publish, .headerPublish:
            break
        }
        batch.refresh(self)
    }

    private func ping() {
        self.keepAlive.activity(now: .now())
        if self.needsBarrier {
            self.holdInput { $0.pong() }
        } else {
            self.pong()
        }
    }

    private func pong() {
        let action = self.session.receivedPing()
        self.traceOut("PONG")
        self.outlet.append("PONG\r\n")
        guard action == .pongAndInfo else { return }
        var info = self.makeLaterInfo()
        info.connectInfo = true
        info.remoteAccount = self.account.name
        info.isSystemAccount = self.account.isSystem
        self.outlet.append(info.encode())
    }

    private func subscribe(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) {
        let bytes = UnsafeBufferPointer(start: base, count: operation.frameEnd)
        let subject = Array(bytes[operation.subject])
        let queue = Array(bytes[operation.queue])
        let sid = Array(bytes[operation.sid])
        guard self.maySubscribe(subject, queue: queue, sid: sid) else { return }
        // A sid in use keeps its subscription (nats-server client.go processSubEx).
        if self.subscriptions[sid] == nil {
            let subscription = Subscription(
                subject: subject,
                queue: queue,
                sid: sid,
                connection: self,
                index: self.account.index,
                echo: self.session.echo,
                headers: self.session.headers,
                permissions: self.session.permissions,
                replies: self.replies,
                loopCount: self.loop.siblings.count
            )
            guard self.account.index.insert(subscription) else {
                self.sendError("Invalid Subject")
                return
            }
            self.subscriptions[sid] = subscription
            self.addShadows(of: subscription)
        }
        self.acknowledge()
    }

    private func unsubscribe(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) {
        let bytes = UnsafeBufferPointer(start: base, count: operation.frameEnd)
        let sid = Array(bytes[operation.sid])
        let total = ClientOperationParser.unsubscribeMax(base, operation)
        self.acknowledge()
        if let subscription = self.subscriptions[sid] {
            if total > 0, subscription.setLimit(total) {
                subscription.index.touch(subscription)
            } else {
                self.remove(subscription)
            }
        }
    }

    func remove(_ subscription: Subscription) {
        subscription.index.remove(subscription)
        self.removeShadows(of: subscription)
        self.endUnwantedRequests(CollectionOfOne(subscription))
        self.needsBarrier = self.loop.siblings.count > 1
        if self.subscriptions[subscription.sid] === subscription {
            self.subscriptions[subscription.sid] = nil
            self.traceDeleted(subscription)
        }
    }

    /// The last message that an UNSUB allows has been delivered.
    func limitReached(_ subscription: Subscription) {
        self.logger.debug(
            """
            \(self.label) - Auto-unsubscribe limit of \(subscription.delivered) reached for sid \
            '\(GoString.harmless(subscription.sid))'
            """
        )
        self.remove(subscription)
    }

    /// Answers `+OK` if the client asked for it.
    func acknowledge() {
        guard self.session.verbose else { return }
        self.traceOut("OK")
        self.outlet.append("+OK\r\n")
    }

    // MARK: Trace

    func traceIn(_ operation: StaticString, _ argument: UnsafeRawBufferPointer) {
        guard self.isTracing else { return }
        self.traceIn("\(operation) \(GoString.harmless(argument))")
    }

    func traceDeleted(_ subscription: Subscription) {
        guard self.isTracing else { return }
        self.logger.trace("\(self.label) - <-> [DELSUB \(GoString.harmless(subscription.sid))]")
    }
}
