package import NATSTestServer
import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A port of 127.0.0.1 that the system gives to nobody else, though nobody listens on it: connecting to it is refused, and
/// a server may be started on it, again and again.
///
/// Works by a socket that is bound and does not listen. Other sockets get in only by naming the port and with
/// `SO_REUSEADDR`.
package final class ReservedPort: Sendable {
    package let port: Int
    package var url: String { "nats://127.0.0.1:\(self.port)" }
    private let descriptor: NIOLockedValueBox<CInt?>

    package init() throws {
        let descriptor = try LoopbackSocket.make()
        self.descriptor = NIOLockedValueBox(descriptor)
        LoopbackSocket.set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        do {
            guard LoopbackSocket.withAddress(port: 0, { bind(descriptor, $0, $1) }) == 0 else {
                throw SystemError("bind")
            }
            self.port = try LoopbackSocket.port(of: descriptor)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { self.release() }

    package func release() {
        if let descriptor = self.descriptor.withLockedValue({ $0.take() }) { close(descriptor) }
    }
}

extension NATSTestServer {
    /// A server that can be stopped for a while and then restarted without anybody else taking its port meanwhile.
    package static func startOnReservedPort(
        _ options: Options = Options()
    ) async throws -> (server: NATSTestServer, port: ReservedPort) {
        let port = try ReservedPort()
        var options = options
        options.port = port.port
        return (try await self.start(options), port)
    }
}
