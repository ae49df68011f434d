import NATSServerCore

extension NATSTestServer {
    /// Sends the clients away as `nats-server --signal ldm` does: the server takes no new ones, announces lame duck mode
    /// to those that are there, and closes them one after the other, beginning ten seconds later.
    ///
    /// Returns when the server has ended; ``stop()`` ends it at once. Does nothing if it does not run.
    public func enterLameDuckMode() async {
        _ = await self.currentServer.enterLameDuckMode()
    }
}
