import NIOConcurrencyHelpers
import NIOCore

/// Where tasks wait, each under a number.
protocol WaiterHolder: AnyObject, Sendable {
    /// Takes a waiter and gives its number; nil if there is nothing to wait for, and then it has been resumed.
    func addWaiter(_ waiter: UnsafeContinuation<Void, Never>) -> UInt64?

    /// Resumes a waiter if it still waits.
    func cancelWaiter(_ id: UInt64)
}

enum WaitEnd {
    /// There is something, or the wait was over before it began.
    case resumed
    /// The task was cancelled.
    case cancelled
    case timedOut
}

extension WaiterHolder {
    /// Waits until the holder resumes the waiter, the task is cancelled, or `deadline`.
    @inline(__always)
    func wait(until deadline: NIODeadline?, on eventLoop: any EventLoop) async -> WaitEnd {
        let registration = WaiterRegistration()
        let timedOut = NIOLockedValueBox(false)
        let timer = deadline.map { deadline in
            eventLoop.scheduleTask(deadline: deadline) {
                timedOut.withLockedValue { $0 = true }
                if let id = registration.cancelled() {
                    self.cancelWaiter(id)
                }
            }
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                guard let id = self.addWaiter(continuation) else {
                    return
                }
                if registration.registered(id) {
                    self.cancelWaiter(id)
                }
            }
        } onCancel: {
            if let id = registration.cancelled() {
                self.cancelWaiter(id)
            }
        }
        timer?.cancel()
        if Task.isCancelled {
            return .cancelled
        }
        return timedOut.withLockedValue { $0 } ? .timedOut : .resumed
    }
}
