import NIOConcurrencyHelpers

/// Spreads events to any number of listeners, in order, never waiting for one.
final class EventHub: Sendable {
    private struct State {
        var listeners: [UInt64: AsyncStream<NATSEvent>.Continuation] = [:]
        var nextID: UInt64 = 0
        var isFinished = false
    }

    private let state = NIOLockedValueBox(State())

    /// The events from now on.
    func listen() -> NATSEvents {
        let (stream, continuation) = AsyncStream<NATSEvent>.makeStream(bufferingPolicy: .bufferingNewest(256))
        let id = self.state.withLockedValue { state -> UInt64? in
            guard !state.isFinished else {
                return nil
            }
            state.nextID += 1
            state.listeners[state.nextID] = continuation
            return state.nextID
        }
        if let id {
            continuation.onTermination = { [weak self] _ in
                self?.state.withLockedValue { _ = $0.listeners.removeValue(forKey: id) }
            }
        } else {
            continuation.finish()
        }
        return NATSEvents(stream: stream)
    }

    var hasListeners: Bool {
        self.state.withLockedValue { !$0.listeners.isEmpty }
    }

    func send(_ event: NATSEvent) {
        let listeners = self.state.withLockedValue { Array($0.listeners.values) }
        for listener in listeners {
            listener.yield(event)
        }
    }

    func finish() {
        let listeners = self.state.withLockedValue { state in
            state.isFinished = true
            return Array(state.listeners.values)
        }
        for listener in listeners {
            listener.finish()
        }
    }
}
