/// Something that a connection waits for, off its event loop, before it goes on; of no more use once it has gone.
protocol PendingCheck: AnyObject, Sendable {
    /// Nobody waits for it any more.
    func cancel()
}
