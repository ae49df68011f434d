import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension Channel {
    /// Keeps the socket out of programs that the process starts.
    ///
    /// NIO leaves sockets inheritable; a child of a program that embeds the server would keep its port and its clients'
    /// connections open. To be called on the channel's event loop.
    func closeOnExec() throws {
        try self.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { descriptor in
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }
}
