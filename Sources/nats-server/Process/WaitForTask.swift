import NIOConcurrencyHelpers

/// Runs asynchronous work and blocks the calling thread until it is done; for the thread that waits for signals, which has
/// nothing else to do.
func waitForTask(_ work: @escaping @Sendable () async -> Void) {
    let isDone = ConditionLock(value: false)
    Task.detached {
        await work()
        isDone.lock()
        isDone.unlock(withValue: true)
    }
    isDone.lock(whenValue: true)
    isDone.unlock()
}
