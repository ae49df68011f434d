import NIOConcurrencyHelpers
import NIOCore

// What tasks wait for. Called on any thread.
extension ConnectionCore {
    /// Sends a PING and waits for its PONG; returns when that arrived.
    func flush(timeout: Duration) async throws(NATSError) -> NIODeadline {
        let box = ResultBox<NIODeadline>()
        guard self.outbound.ping(.init { box.complete($0) }) else {
            throw self.outbound.refusalError()
        }
        let timer = self.eventLoop.scheduleTask(in: timeout.timeAmount) {
            _ = box.complete(.failure(NATSError(.timeout, "the server did not answer PING in time")))
        }
        defer {
            timer.cancel()
        }
        return try await box.value()
    }

    /// Drains one subscription.
    func drain(_ state: SubscriptionState, timeout: Duration?) async throws(NATSError) {
        guard state.startDrain() else {
            return
        }
        let limit = timeout ?? self.configuration.drainTimeout
        let deadline = NIODeadline.now() + limit.timeAmount
        // One that another task drains already is only waited for.
        if state.isOpen {
            self.outbound.unsubscribeForDrain(sid: state.sid)
            do throws(NATSError) {
                _ = try await self.flush(timeout: limit)
            } catch {
                self.outbound.unsubscribe(sid: state.sid, maximum: nil)
                state.finish(nil)
                throw error.code == .timeout ? NATSError(.drainTimeout, "draining took too long", cause: error) : error
            }
            defer {
                self.outbound.unsubscribe(sid: state.sid, maximum: nil)
                state.finish(nil)
            }
            try await self.overlapEnd(until: deadline)
        }
        let box = ResultBox<Void>()
        let observer = state.observeProgress { [weak state] in
            if let state, state.isDrained {
                box.complete(.success(()))
            }
        }
        defer {
            state.removeObserver(observer)
        }
        let timer = self.eventLoop.scheduleTask(deadline: deadline) {
            _ = box.complete(.failure(NATSError(.drainTimeout, "draining took too long")))
        }
        defer {
            timer.cancel()
        }
        try await box.value()
    }

    /// Returns when messages that two connections brought have been delivered: at once unless the client is just leaving a
    /// server in lame duck mode; at the deadline in any case.
    private func overlapEnd(until deadline: NIODeadline) async throws(NATSError) {
        let box = ResultBox<Void>()
        self.eventLoop.execute {
            self.afterOverlap(until: deadline) {
                box.complete(.success(()))
            }
        }
        try await box.value()
    }

    /// Returns when the connection is gone.
    ///
    /// Not cancellable: closing is prompt.
    func waitUntilFinished() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            self.finished.whenComplete { _ in
                continuation.resume()
            }
        }
    }
}
