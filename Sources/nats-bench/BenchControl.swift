import Synchronization

/// What the clients of a run tell each other without waiting.
final class BenchControl: Sendable {
    private let stopped = Atomic<Bool>(false)
    private let target: Atomic<Int>
    private let shared = Atomic<Int>(0)
    /// Whether the receivers share the messages.
    let isShared: Bool

    /// - Parameters:
    ///   - target: Messages that each receiver gets, or all together if they share them; nil if nobody knows yet.
    ///   - isShared: Whether they do.
    init(target: Int?, isShared: Bool) {
        self.target = Atomic(target ?? Int.max)
        self.isShared = isShared
    }

    /// Senders send no more.
    func stop() { self.stopped.store(true, ordering: .relaxed) }

    var isStopped: Bool { self.stopped.load(ordering: .relaxed) }

    /// Told by the last sender.
    func setTarget(_ messages: Int) { self.target.store(messages, ordering: .relaxed) }

    /// How many of `count` messages a receiver may count that has `received` of them so far.
    func admit(_ count: Int, received: Int) -> Int {
        let target = self.target.load(ordering: .relaxed)
        guard self.isShared else { return max(0, min(count, target - received)) }
        let before = self.shared.add(count, ordering: .relaxed).oldValue
        return max(0, min(count, target - before))
    }

    /// Whether a receiver is done that has `received` messages.
    func isDone(received: Int) -> Bool {
        let target = self.target.load(ordering: .relaxed)
        return (self.isShared ? self.shared.load(ordering: .relaxed) : received) >= target
    }
}

/// Messages of one client so far, for those who look on.
final class BenchCounter: Sendable {
    /// Senders tell only now and then.
    static let interval = 64

    private let value = Atomic<Int>(0)

    func set(_ count: Int) { self.value.store(count, ordering: .relaxed) }

    var count: Int { self.value.load(ordering: .relaxed) }
}
