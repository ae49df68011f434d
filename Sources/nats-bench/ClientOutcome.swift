import NATSBenchSupport
import NATSClient

/// What became of one client in one run.
struct ClientOutcome: Sendable {
    var sample: BenchSample
    /// Why it ended early; nil if it was told to.
    var error: (any Error)?

    init(_ sample: BenchSample) {
        self.sample = sample
    }

    /// Ended by `error`, unless that says no more than that somebody cancelled it.
    init(_ sample: BenchSample, _ error: any Error, _ client: NATSClient) {
        self.sample = sample
        if Task.isCancelled || error is CancellationError { return }
        if let error = error as? NATSError {
            if error.code == .cancelled { return }
            // The server's reason is worth more than the fact that the connection is gone.
            if error.code == .connectionClosed || error.code == .disconnected {
                self.error = client.lastError ?? error
                return
            }
        }
        self.error = error
    }
}
