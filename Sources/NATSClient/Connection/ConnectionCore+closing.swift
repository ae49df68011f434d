import NIOConcurrencyHelpers
import NIOCore

// How a client ends. Everything here runs on the event loop unless it says otherwise.
extension ConnectionCore {
    /// Bytes that nobody takes do not keep a closed client alive for longer.
    private static let lastWriteLimit = TimeAmount.seconds(2)
    /// For what is still buffered when the time for draining is over.
    private static let lastFlushLimit = TimeAmount.seconds(1)

    /// Ends everything at once, but for one last write of what is buffered.
    ///
    /// Does nothing the second time.
    func close(error: NATSError?) {
        if case .closed = self.phase {
            return
        }
        let wasConnected = if case .connected = self.phase { true } else { false }
        self.phase = .closed
        self.attempt += 1
        self.attemptTimer?.cancel()
        self.stopKeepAlive()
        self.drainTimer?.cancel()
        self.status.withLockedValue { status in
            status.isConnected = false
            status.isReconnecting = false
            status.isClosed = true
            status.lastError = error ?? status.lastError
        }

        let remainder = self.outbound.close(error: error)
        // Subscriptions that other threads made but the registry has not seen yet must end as well.
        self.apply(remainder.operations)
        let closed = NATSError(.connectionClosed, "the client is closed", cause: error)
        for ping in remainder.pings {
            ping.complete(.failure(closed))
        }
        for waiter in remainder.waiters {
            waiter.resume()
        }
        self.requests.close(closed)
        for entry in self.registry.removeAll() {
            if case .subscription(let state) = entry.handle {
                state.close(error)
            }
        }
        for state in self.drainingSubscriptions {
            state.finish(error)
        }
        self.drainingSubscriptions = []

        if wasConnected {
            self.events.send(.disconnected(error))
        }
        self.events.send(.closed(error))
        self.events.finish()
        self.started.complete(.failure(error ?? closed))
        self.closeMigration()
        self.closeChannel(lastBytes: wasConnected ? remainder.bytes : nil)
        for waiter in self.drainWaiters {
            waiter.complete(error.map { .failure($0) } ?? .success(()))
        }
        self.drainWaiters = []
    }

    private func closeChannel(lastBytes: ByteBuffer?) {
        self.cancelOpening()
        guard let handler = self.handler, let context = handler.context else {
            self.handler = nil
            return self.finishIfClosed()
        }
        guard let lastBytes else {
            context.close(promise: nil)
            return
        }
        let channel = context.channel
        let timer = self.eventLoop.scheduleTask(in: Self.lastWriteLimit) {
            channel.close(promise: nil)
        }
        let written = self.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in
            timer.cancel()
            channel.close(promise: nil)
        }
        context.writeAndFlush(handler.wrapOutboundOut(lastBytes), promise: written)
    }

    /// The last connection of a closed client is gone.
    func finishIfClosed() {
        if case .closed = self.phase, self.handler == nil, self.extraHandlers.isEmpty, !self.isFinished {
            self.isFinished = true
            self.finishedPromise.succeed(())
        }
    }

    // MARK: Drain

    /// From any thread: drains the client and closes it.
    func drain(timeout: Duration) -> ResultBox<Void> {
        let result = ResultBox<Void>()
        self.eventLoop.execute {
            switch self.phase {
            case .closed:
                result.complete(.failure(NATSError(.connectionClosed, "the client is closed")))
            case .connecting:
                let error = NATSError(.connectionReconnecting, "the client is not connected and cannot drain")
                self.close(error: nil)
                result.complete(.failure(error))
            case .connected:
                self.drainWaiters.append(result)
                self.status.withLockedValue { $0.isDraining = true }
                if let migration = self.migration {
                    self.perform(migration.machine.stop())
                }
                let deadline = NIODeadline.now() + timeout.timeAmount
                // What only the new connection brought is not delivered before the old one is done.
                self.afterOverlap(until: deadline) {
                    self.startDrain(timeout: .nanoseconds(max(0, (deadline - .now()).nanoseconds)))
                }
            }
        }
        return result
    }

    private func startDrain(timeout: Duration) {
        switch self.phase {
        case .closed:
            return
        case .connecting:
            // Lost while an overlap came to its end.
            for waiter in self.drainWaiters {
                waiter.complete(.failure(NATSError(.disconnected, "the connection was lost while draining")))
            }
            self.drainWaiters = []
            return self.close(error: nil)
        case .connected:
            if let migration = self.migration {
                self.perform(migration.machine.stop())
            }
        }
        let action = self.drainMachine.start()
        if action != .none {
            self.drainDeadline = .now() + timeout.timeAmount
            self.drainTimer = self.eventLoop.scheduleTask(deadline: self.drainDeadline) { [weak self] in
                self?.drainDeadlinePassed()
            }
        }
        self.perform(action)
    }

    func perform(_ action: DrainStateMachine.Action) {
        switch action {
        case .none:
            break
        case .unsubscribeAndFlush:
            self.outbound.drainSubscriptions()
            self.apply(self.outbound.takeWork(canWrite: false, now: 0).operations)
            for entry in self.registry.all {
                if case .subscription(let state) = entry.handle, !state.isRequestInbox {
                    state.startDrain()
                    self.drainingSubscriptions.append(state)
                    self.outbound.unsubscribeForDrain(sid: entry.sid)
                }
            }
            self.flushForDrain()
        case .awaitConsumers:
            for state in self.drainingSubscriptions {
                _ = self.registry.remove(sid: state.sid)
                state.finish(nil)
                _ = state.observeProgress { [weak self] in
                    guard let self else {
                        return
                    }
                    self.eventLoop.execute { self.checkConsumers() }
                }
            }
            self.checkConsumers()
        case .awaitRequests:
            self.requests.observeEmpty { [weak self] in
                guard let self else {
                    return
                }
                self.eventLoop.execute { self.checkRequests() }
            }
            self.checkRequests()
        case .refusePublishesAndFlush:
            self.outbound.drainPublishes()
            self.drainTimer?.cancel()
            let end = max(self.drainDeadline, .now() + Self.lastFlushLimit)
            self.drainTimer = self.eventLoop.scheduleTask(deadline: end) { [weak self] in
                self?.drainDeadlinePassed()
            }
            self.flushForDrain()
        case .close(let code):
            let failure = code.map { code in
                NATSError(
                    code,
                    code == .drainTimeout ? "draining took too long" : "the connection was lost while draining"
                )
            }
            if let failure {
                self.report(failure)
                for waiter in self.drainWaiters {
                    waiter.complete(.failure(failure))
                }
                self.drainWaiters = []
            }
            self.close(error: nil)
        }
    }

    private func drainDeadlinePassed() {
        self.perform(self.drainMachine.deadlinePassed())
    }

    private func checkConsumers() {
        self.drainingSubscriptions.removeAll(where: \.isDrained)
        if self.drainingSubscriptions.isEmpty {
            self.perform(self.drainMachine.consumersAreDone())
        }
    }

    private func checkRequests() {
        if self.requests.count == 0 {
            self.perform(self.drainMachine.requestsAreDone())
        }
    }

    private func flushForDrain() {
        let isOpen = self.outbound.ping(
            .init { [weak self] result in
                guard let self else {
                    return
                }
                self.eventLoop.execute {
                    switch result {
                    case .success:
                        self.perform(self.drainMachine.flushed())
                    case .failure:
                        self.perform(self.drainMachine.connectionLost())
                    }
                }
            }
        )
        if !isOpen {
            self.perform(self.drainMachine.connectionLost())
        }
    }
}
