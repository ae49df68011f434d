package import NIOCore
import NIOPosix

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension Server {
    /// A client's end of a connection that goes through no port (nats-server server.go InProcessConn).
    ///
    /// To the server it is a connection like any other. It may do without TLS even where that is required: nobody is on the
    /// way.
    ///
    /// - Parameter eventLoop: Where the client's end lives; one of NIO's own.
    /// - Returns: The client's end, which reads nothing before its `autoRead` is set.
    /// - Throws: ``ServerStartError`` if the server does not run or takes no new clients, or what the system fails with.
    package func connectInProcess(on eventLoop: any EventLoop) async throws -> any Channel {
        guard self.runningListener != nil, !self.isInLameDuckMode, let loop = self.loops.all.randomElement() else {
            throw ServerStartError(description: "the server takes no connections")
        }
        guard let bootstrap = ClientBootstrap(validatingGroup: eventLoop) else {
            throw ServerStartError(description: "a connection within the process needs an event loop of sockets")
        }
        let (server, client) = try Self.makeSocketPair()
        do {
            let adopted: Void? = try await self.loops.result {
                loop.eventLoop.flatSubmit { self.adopt(server, on: loop) }
            }
            guard adopted != nil else {
                close(server)
                throw ServerStartError(description: "the server takes no connections")
            }
        } catch {
            close(client)
            throw error
        }
        // Where this fails NIO has closed the descriptor, unless the system refused to make it non-blocking, which cannot be
        // told apart: then it leaks rather than that a descriptor of somebody else is closed.
        return try await bootstrap.channelOption(.autoRead, value: false).withConnectedSocket(client).get()
    }

    /// Makes a client of a connected socket, and owns it from now on.
    private func adopt(_ descriptor: CInt, on loop: ServerLoop) -> EventLoopFuture<Void> {
        // A shutdown that begins later finds the connection among those of the loop.
        guard self.runningListener != nil, let bootstrap = ClientBootstrap(validatingGroup: loop.eventLoop) else {
            close(descriptor)
            return loop.eventLoop.makeFailedFuture(ServerStartError(description: "the server takes no connections"))
        }
        let shared = self.shared
        return
            bootstrap
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.recvAllocator, value: Self.receiveAllocator)
            .channelOption(.writeBufferWaterMark, value: Self.writeBufferWaterMark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = ClientConnection(id: shared.nextClientID(), loop: loop, isInProcess: true)
                    do {
                        try channel.pipeline.syncOperations.addHandler(connection)
                    } catch {
                        connection.outlet.detach()
                        throw error
                    }
                }
            }
            .withConnectedSocket(descriptor)
            .map { _ in }
    }

    /// Two sockets that are connected with each other, and that programs which the process starts do not get.
    private static func makeSocketPair() throws -> (CInt, CInt) {
        var ends: [CInt] = [-1, -1]
        #if canImport(Darwin)
        let stream = SOCK_STREAM
        #else
        let stream = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        #endif
        guard socketpair(AF_UNIX, stream, 0, &ends) == 0 else {
            throw IOError(errnoCode: errno, reason: "socketpair")
        }
        #if canImport(Darwin)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        #endif
        return (ends[0], ends[1])
    }
}
