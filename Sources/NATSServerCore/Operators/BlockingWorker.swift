import Dispatch
import NIOConcurrencyHelpers

/// A few threads for what may wait for a disk or another server, in place of an event loop.
///
/// `@unchecked Sendable`: the queues are only used to submit work; all else is `let` and `Sendable`.
final class BlockingWorker: @unchecked Sendable {
    private let queues: [DispatchQueue]
    private let state = NIOLockedValueBox((isEnded: false, next: 0))

    init(threads: Int) {
        self.queues = (0..<max(1, threads)).map { DispatchQueue(label: "nats-server resolver \($0)") }
    }

    /// Does something on another thread.
    ///
    /// - Parameters:
    ///   - work: What to do.
    ///   - completion: Called on that thread with the result, unless ``end()`` is called before; must only hand it on.
    /// - Returns: `false` if it has been.
    @discardableResult
    func run<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result,
        completion: @escaping @Sendable (Result) -> Void
    ) -> Bool {
        let queue: DispatchQueue? = self.state.withLockedValue { state in
            guard !state.isEnded else { return nil }
            state.next = (state.next + 1) % self.queues.count
            return self.queues[state.next]
        }
        guard let queue else { return false }
        queue.async {
            guard !self.isEnded else { return }
            let result = work()
            // Under the lock: after `end()` the event loops may be gone.
            self.state.withLockedValue { state in
                if !state.isEnded { completion(result) }
            }
        }
        return true
    }

    /// Does something on another thread and waits for it.
    ///
    /// - Returns: the result; `nil` if ``end()`` is called before.
    func perform<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result? {
        await withCheckedContinuation { continuation in
            let waiter = Waiter<Result>(continuation)
            self.run(work) { waiter.resume($0) }
        }
    }

    /// Resumes once: with a result, or without when nobody is left to bring one.
    private final class Waiter<Result: Sendable>: Sendable {
        private let continuation: NIOLockedValueBox<CheckedContinuation<Result?, Never>?>

        init(_ continuation: CheckedContinuation<Result?, Never>) {
            self.continuation = NIOLockedValueBox(continuation)
        }

        func resume(_ result: Result) { self.continuation.withLockedValue { $0.take() }?.resume(returning: result) }

        deinit { self.continuation.withLockedValue { $0.take() }?.resume(returning: nil) }
    }

    private var isEnded: Bool { self.state.withLockedValue { $0.isEnded } }

    /// No completion is called any more.
    func end() { self.state.withLockedValue { $0.isEnded = true } }
}
