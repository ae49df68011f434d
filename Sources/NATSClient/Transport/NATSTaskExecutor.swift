import NIOCore

/// Runs tasks on the event loop of a client's connection, which saves request and reply the way between threads.
///
/// Use it with `withTaskExecutorPreference`. A task that blocks or computes for long stops the connection meanwhile.
public final class NATSTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(eventLoop: any EventLoop) {
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
