public import NIOCore
import NATSServerCore

extension NATSTestServer {
    /// Connects a client of the same process, through no port.
    ///
    /// The client gets it as its dialer, and then connects, and connects again, whatever its URLs say:
    ///
    /// ```swift
    /// var configuration = NATSClientConfiguration()
    /// configuration.dialer = { _, _, eventLoop in try await server.connectInProcess(on: eventLoop) }
    /// let client = try await NATSClient.connect(configuration)
    /// ```
    ///
    /// To the server it is a client like any other. Where TLS is required, such a client may still do without.
    ///
    /// - Parameter eventLoop: Where the client's end is to live; one of NIO's event loops for sockets.
    /// - Returns: The client's end. It reads nothing until its option `autoRead` is set.
    /// - Throws: ``NATSTestServerError`` if the server does not run, else what the operating system fails with.
    public func connectInProcess(on eventLoop: any EventLoop) async throws -> any Channel {
        do {
            return try await self.currentServer.connectInProcess(on: eventLoop)
        } catch let error as ServerStartError {
            throw NATSTestServerError(message: error.description)
        }
    }
}
