public import NIOCore

/// Runs tasks on the event loop of a client's connection, which saves request and reply the way between threads.
///
/// Use it with `withTaskExecutorPreference`. A task that blocks or computes for long stops the connection meanwhile.
public final class NATSTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    /// An executor of an event loop that a client is to have.
    ///
    /// A client has one of its own, ``NATSClient/taskExecutor``. This is for a program of one event loop, whose tasks run
    /// there from their beginning: it starts no thread for them.
    ///
    /// - Parameter eventLoop: The loop of ``NATSClientConfiguration/eventLoopGroup``.
    public init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Runs a job in one of the next turns of the event loop.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.eventLoop.execute {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
