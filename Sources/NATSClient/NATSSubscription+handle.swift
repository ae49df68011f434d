import Synchronization

extension NATSSubscription {
    /// Calls a handler for each message, for several messages at a time, until the subscription ends.
    ///
    /// Draining the subscription or its client waits for the handlers that run; when the client closes, messages that
    /// wait for a handler are dropped. What `handler` throws ends the subscription,
    /// after the other handlers were cancelled.
    package func handle(
        concurrency: Int,
        _ handler: @escaping @Sendable (NATSMessage) async throws -> Void
    ) async throws {
        let state = self.state
        state.markHandled()
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            for try await message in self {
                if running == concurrency {
                    // Whoever drains knows that this message is not done: the iterator has not come back for the next.
                    _ = try await group.next()
                    running -= 1
                    guard !state.isDiscarded.load(ordering: .relaxed) else {
                        break
                    }
                }
                state.beginWork()
                running += 1
                group.addTask {
                    defer {
                        state.endWork()
                    }
                    do {
                        try await handler(message)
                    } catch {
                        // The loop may be waiting for a message that never comes.
                        self.unsubscribe()
                        throw error
                    }
                }
            }
            // Not waitForAll: that lets the others run on when one throws.
            while try await group.next() != nil {}
        }
    }
}
