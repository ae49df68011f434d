public import NATSClient
public import ServiceLifecycle

extension NATSClient: Service {
    /// Lasts as long as the client: a `ServiceGroup` that has it drains it when it shuts down.
    ///
    /// List the client before the services that use it: a group ends its services from the last to the first, each when the
    /// one behind it has ended. ``NATSHandlerRunner`` and ``NATSServiceRunner`` end well then.
    /// Outside of a group only cancelling ends it, by closing the client. Returns when the client was drained, here or
    /// elsewhere.
    ///
    /// - Throws: `CancellationError` after the client was closed because the task was cancelled; the error that ended the
    ///   client for good, such as `noServers`; what `drain(timeout:)` throws.
    public func run() async throws {
        // Listened to before the question: the end must not be missed.
        let events = self.events
        guard !self.isClosed else {
            throw NATSError(.connectionClosed, "the client is closed")
        }
        let mustDrain: Bool
        do {
            mustDrain = try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await gracefulShutdown()
                    return true
                }
                group.addTask {
                    for await event in events {
                        if case .closed(let error) = event {
                            if let error {
                                throw error
                            }
                            return false
                        }
                    }
                    // The events end before the last only if the task is cancelled.
                    throw CancellationError()
                }
                defer {
                    group.cancelAll()
                }
                return try await group.next() ?? false
            }
        } catch {
            await self.close()
            throw error
        }
        if mustDrain {
            try await self.drain()
        }
    }
}
