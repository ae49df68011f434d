public import NATSClient
import NIOConcurrencyHelpers

extension NATSService {
    /// Subscribes to everything there is so far.
    func start() async throws(NATSError) -> [Served] {
        let waiting = self.state.withLockedValue { state -> [(ServiceEndpoint, ServiceEndpoint.Handler)]? in
            guard state.phase == .idle else {
                return nil
            }
            state.phase = .running
            state.started = UTCTime.microsecondsSince1970()
            defer {
                state.waiting = []
            }
            return state.waiting
        }
        guard let waiting else {
            throw NATSError(.connectionClosed, "the service \"\(self.identity.name)\" was started or stopped before")
        }
        do throws(NATSError) {
            var served: [Served] = []
            for (endpoint, handler) in waiting {
                served.append(try await self.subscribe(endpoint, handler))
            }
            for verb in ControlVerb.allCases {
                served.append(try await self.subscribe(verb))
                served.append(try await self.subscribe(verb, name: self.identity.name))
                served.append(try await self.subscribe(verb, name: self.identity.name, id: self.identity.id))
            }
            return served
        } catch {
            self.end()
            throw error
        }
    }

    /// Has the messages of all subscriptions handled until the end.
    func serve(_ beginning: [Served]) async throws {
        defer {
            self.end()
        }
        try await withThrowingDiscardingTaskGroup { group in
            var all = beginning
            for served in beginning {
                group.addTask { try await self.serve(served) }
            }
            for await served in self.additions {
                all.append(served)
                group.addTask { try await self.serve(served) }
            }
            // Stopped, or cancelled, or one of the subscriptions has ended.
            if Task.isCancelled || self.state.withLockedValue({ $0.failure != nil }) {
                group.cancelAll()
                return
            }
            try await Self.drain(all.filter(\.isEndpoint))
            try await Self.drain(all.filter { !$0.isEndpoint })
        }
    }

    private func serve(_ served: Served) async throws {
        defer {
            // The others end with it.
            self.added.finish()
        }
        do {
            try await served.subscription.handle(concurrency: served.concurrency) { message in
                await served.handler(message)
            }
        } catch {
            // The others are cancelled because of the first, and may be done before it.
            throw self.state.withLockedValue { state -> any Error in
                let first = state.failure ?? error
                state.failure = first
                return first
            }
        }
    }

    private static func drain(_ served: [Served]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for subscription in served.map(\.subscription) {
                group.addTask {
                    do throws(NATSError) {
                        try await subscription.drain()
                    } catch {
                        // The connection is not there: nothing more comes, and what is there is handled.
                        subscription.unsubscribe()
                        if error.code == .drainTimeout || error.code == .cancelled {
                            throw error
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func end() {
        self.state.withLockedValue { $0.phase = .stopped }
        self.added.finish()
    }

    // MARK: Subscriptions

    func subscribe(
        _ endpoint: ServiceEndpoint,
        _ handler: @escaping ServiceEndpoint.Handler
    ) async throws(NATSError) -> Served {
        let subscription = try await self.client.subscribe(
            endpoint.info.subject,
            queue: endpoint.queueGroup,
            limits: endpoint.limits
        )
        let describesError = self.configuration.describesError
        return Served(subscription: subscription, concurrency: endpoint.concurrency, isEndpoint: true) { message in
            await endpoint.handle(message, handler) { error in
                if let error = error as? NATSServiceError {
                    return error
                }
                // The client's own calls say so with their own error.
                if Task.isCancelled, error is CancellationError || (error as? NATSError)?.code == .cancelled {
                    return NATSServiceError(code: 503, "the service is stopping")
                }
                return describesError?(error) ?? NATSServiceError(code: 500, "\(error)")
            }
        }
    }

    private func subscribe(
        _ verb: ControlVerb,
        name: String? = nil,
        id: String? = nil
    ) async throws(NATSError) -> Served {
        let subject = verb.subject(prefix: self.configuration.apiPrefix, name: name, id: id)
        let subscription = try await self.client.subscribe(subject)
        return Served(subscription: subscription, concurrency: 1, isEndpoint: false) { message in
            let answer =
                switch verb {
                case .ping: ServiceDocuments.ping(self.identity)
                case .info: ServiceDocuments.info(self.info)
                case .statistics: ServiceDocuments.statistics(self.statistics)
                }
            do throws(NATSError) {
                try await message.respond(answer)
            } catch {
                // nats.go micro/service.go AddService: an answer that cannot be sent, for its size, becomes an error.
                let failure = NATSServiceError(
                    code: 500,
                    "Error handling \(verb.rawValue) request: \(error.description)"
                )
                try? await message.respond("" as StaticString, headers: failure.headers(adding: [:]))
            }
        }
    }
}

extension NATSClient {
    /// Runs a service for as long as a closure runs.
    ///
    /// When `body` returns, the service stops in good order: requests on their way are answered. When `body` throws, or the
    /// task is cancelled, it ends at once. If the service fails, `body` is cancelled; if the client is drained or closed
    /// meanwhile, `body` goes on.
    ///
    /// - Parameters:
    ///   - configuration: What the service says about itself.
    ///   - body: Gets the running service, to add endpoints to.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; as ``NATSService/init(_:client:)`` and ``NATSService/run()``.
    public func withService<Result: Sendable>(
        _ configuration: NATSServiceConfiguration,
        _ body: @escaping @Sendable (NATSService) async throws -> Result
    ) async throws -> Result {
        let service = try NATSService(configuration, client: self)
        let served = try await service.start()
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await service.serve(served)
                return nil
            }
            group.addTask {
                defer {
                    service.stop()
                }
                return try await body(service)
            }
            var results: [Result] = []
            while let end = try await group.next() {
                if let end {
                    results.append(end)
                }
            }
            guard let result = results.first else {
                throw CancellationError()
            }
            return result
        }
    }
}
