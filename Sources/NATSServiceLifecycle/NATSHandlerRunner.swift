public import NATSClient
public import ServiceLifecycle

/// Handles the messages of a subject in a `ServiceGroup`: when the group shuts down, no more messages are asked for, and
/// those that are on their way are handled before it goes on.
///
/// List it behind its client. (The client's own `handle` ends when the client is drained, which a group does only when the
/// services behind the client have ended.)
public struct NATSHandlerRunner: Service {
    private let client: NATSClient
    private let subject: String
    private let queue: String?
    private let limits: NATSClientConfiguration.PendingLimits?
    private let concurrency: Int
    private let handler: @Sendable (NATSMessage) async throws -> Void

    /// Handles messages once it is run.
    ///
    /// - Parameters:
    ///   - client: The connection.
    ///   - subject: The subject; `*` stands for one token, `>` at the end for one or more.
    ///   - queue: A queue group: each message goes to one of its members.
    ///   - limits: Pending limits; nil for those of the client.
    ///   - concurrency: How many handlers may run at a time; above zero.
    ///   - handler: Gets a message. What it throws ends the subscription, after the other handlers were cancelled.
    public init(
        _ client: NATSClient,
        subject: String,
        queue: String? = nil,
        limits: NATSClientConfiguration.PendingLimits? = nil,
        concurrency: Int = 1,
        _ handler: @escaping @Sendable (NATSMessage) async throws -> Void
    ) {
        self.client = client
        self.subject = subject
        self.queue = queue
        self.limits = limits
        self.concurrency = concurrency
        self.handler = handler
    }

    /// Handles messages until the group shuts down, the client ends or the task is cancelled.
    ///
    /// - Throws: As the client's `handle`, and as `NATSSubscription.drain(timeout:)`.
    public func run() async throws {
        guard self.concurrency > 0 else {
            throw NATSError(.invalidConfiguration, "a handler must be allowed to run at least once at a time")
        }
        let subscription = try await self.client.subscribe(self.subject, queue: self.queue, limits: self.limits)
        defer {
            subscription.unsubscribe()
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await subscription.handle(concurrency: self.concurrency, self.handler)
                return true
            }
            group.addTask {
                do {
                    try await gracefulShutdown()
                } catch {
                    // The handlers have ended, or are cancelled too.
                    return false
                }
                do throws(NATSError) {
                    try await subscription.drain()
                } catch {
                    // Without a connection nothing more comes, and the subscription may have ended by itself.
                    if error.code == .drainTimeout {
                        throw error
                    }
                    subscription.unsubscribe()
                }
                return false
            }
            while let areHandlersDone = try await group.next() {
                if areHandlersDone {
                    group.cancelAll()
                }
            }
        }
    }
}
