import Dispatch
import NIOConcurrencyHelpers

/// A value that tasks can wait on: every change is checked against the conditions of those who wait.
package final class Watched<Value: Sendable>: Sendable {
    private struct Waiter {
        let id: UInt64
        let condition: @Sendable (Value) -> Bool
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct Inner {
        var value: Value
        var waiters: [Waiter] = []
        var nextID: UInt64 = 0
    }

    private let inner: NIOLockedValueBox<Inner>

    package init(_ value: Value) {
        self.inner = NIOLockedValueBox(Inner(value: value))
    }

    package var value: Value {
        self.inner.withLockedValue { $0.value }
    }

    /// Changes the value, then wakes whoever waited for what it has become.
    @discardableResult
    package func update<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        let (result, satisfied) = self.inner.withLockedValue { inner -> (Result, [Waiter]) in
            let result = body(&inner.value)
            guard !inner.waiters.isEmpty else {
                return (result, [])
            }
            let value = inner.value
            let satisfied = inner.waiters.filter { $0.condition(value) }
            if !satisfied.isEmpty {
                inner.waiters.removeAll { waiter in satisfied.contains { $0.id == waiter.id } }
            }
            return (result, satisfied)
        }
        for waiter in satisfied {
            waiter.continuation.resume(returning: true)
        }
        return result
    }

    /// Returns true once the condition holds, false when `timeout` has passed or the task is cancelled.
    package func wait(
        timeout: Duration = .seconds(30),
        until condition: @escaping @Sendable (Value) -> Bool
    ) async -> Bool {
        let id = self.inner.withLockedValue { inner in
            inner.nextID += 1
            return inner.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let immediate = self.inner.withLockedValue { inner -> Bool? in
                    if condition(inner.value) {
                        return true
                    }
                    if Task.isCancelled {
                        return false
                    }
                    inner.waiters.append(Waiter(id: id, condition: condition, continuation: continuation))
                    return nil
                }
                if let immediate {
                    continuation.resume(returning: immediate)
                } else {
                    DispatchQueue.global().asyncAfter(deadline: .now() + timeout.timeInterval) { [weak self] in
                        self?.expire(id)
                    }
                }
            }
        } onCancel: {
            self.expire(id)
        }
    }

    private func expire(_ id: UInt64) {
        let waiter = self.inner.withLockedValue { inner -> Waiter? in
            guard let index = inner.waiters.firstIndex(where: { $0.id == id }) else {
                return nil
            }
            return inner.waiters.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }
}

extension Duration {
    /// The duration in seconds, for the interfaces of Dispatch.
    package var timeInterval: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
