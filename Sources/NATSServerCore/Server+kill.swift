import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension Server {
    /// Ends as if the process had been killed: connections are reset, what is queued is lost, and nobody is told.
    package func kill() async {
        try? await self.runningListener?.close()
        await self.shared.webSocket?.stopListening()
        await self.shared.routes?.stopListening()
        await self.shared.leafNodes?.stopListening()
        // Other servers first: clients that are gone would be news for them.
        _ = await self.loops.answers { loop in loop.reset(loop.peers) }
        _ = await self.loops.answers { loop in loop.reset(Array(loop.connections.values)) }
        await self.shutdown()
    }
}

extension ServerLoop {
    fileprivate func reset(_ connections: [ServerConnection]) {
        for connection in connections {
            guard let channel = connection.context?.channel else { continue }
            // Without lingering the system forgets what it has not sent.
            _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            connection.close(.readError)
            channel.close(promise: nil)
        }
    }
}
