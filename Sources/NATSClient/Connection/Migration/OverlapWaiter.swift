import NIOCore

/// Who waits for the end of an overlap; called once, on the event loop.
final class OverlapWaiter {
    private var call: (() -> Void)?
    var timer: Scheduled<Void>?

    init(_ call: @escaping () -> Void) {
        self.call = call
    }

    func complete() {
        self.timer?.cancel()
        self.call.take()?()
    }
}
