import Foundation
import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A listener whose every byte comes from the test: a NATS server as hostile or as strange as wanted.
///
/// ```
/// let server = try ScriptedServer()
/// let peer = try await server.accept()      // a client connects to server.url
/// await peer.send(ScriptedServer.info())
/// let connect = try await peer.readLine()   // CONNECT {…}
/// try await peer.expect("PING\r\n")
/// await peer.send("PONG\r\n")
/// peer.reset()
/// ```
package final class ScriptedServer: Sendable {
    private struct Waiting: Sendable {
        var connections: [RawConnection] = []
        var accepted = 0
        var isClosed = false
    }

    /// The port of 127.0.0.1 it listens on.
    package let port: Int
    private let waiting = Watched(Waiting())
    private let stopPipe: NIOLockedValueBox<CInt?>

    /// Listens at once; port 0 takes a free one.
    package init(port: Int = 0) throws {
        let listener = try LoopbackSocket.make()
        LoopbackSocket.set(listener, SOL_SOCKET, SO_REUSEADDR, 1)
        var pipeEnds: [CInt] = [0, 0]
        do {
            guard LoopbackSocket.withAddress(port: port, { bind(listener, $0, $1) }) == 0 else {
                throw SystemError("bind to 127.0.0.1:\(port)")
            }
            guard listen(listener, 128) == 0 else {
                throw SystemError("listen")
            }
            self.port = try LoopbackSocket.port(of: listener)
            guard pipe(&pipeEnds) == 0 else {
                throw SystemError("pipe")
            }
        } catch {
            closeDescriptor(listener)
            throw error
        }
        for end in pipeEnds {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        self.stopPipe = NIOLockedValueBox(pipeEnds[1])
        let waiting = self.waiting
        let stopEnd = pipeEnds[0]
        Thread.detachNewThread {
            Self.acceptAll(listener, stopEnd: stopEnd, waiting: waiting)
        }
    }

    deinit {
        self.signalStop()
    }

    package var url: String { "nats://127.0.0.1:\(self.port)" }

    /// How many connections have been accepted so far, waiting ones included.
    package var acceptedCount: Int { self.waiting.value.accepted }

    /// The next connection, in the order in which they came.
    package func accept(
        timeout: Duration = .seconds(30),
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> RawConnection {
        _ = await self.waiting.wait(timeout: timeout) { !$0.connections.isEmpty || $0.isClosed }
        let connection = self.waiting.update { waiting in
            waiting.connections.isEmpty ? nil : waiting.connections.removeFirst()
        }
        guard let connection else {
            throw ConditionNotMet(description: "no connection within \(timeout) at \(fileID):\(line)")
        }
        return connection
    }

    /// Accepts a connection and goes through the handshake of a server without authorization.
    ///
    /// - Returns: the connection after PONG, and the JSON text of the client's CONNECT.
    package func acceptClient(
        info: String = ScriptedServer.info(),
        timeout: Duration = .seconds(30),
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> (peer: RawConnection, connect: String) {
        let peer = try await self.accept(timeout: timeout, fileID: fileID, line: line)
        await peer.send(info)
        let connect = try await peer.readLine(timeout: timeout, fileID: fileID, line: line)
        guard connect.hasPrefix("CONNECT ") else {
            throw ConditionNotMet(description: "no CONNECT but \(connect) at \(fileID):\(line)")
        }
        try await peer.expect("PING\r\n", timeout: timeout, fileID: fileID, line: line)
        await peer.send("PONG\r\n")
        return (peer, String(connect.dropFirst("CONNECT ".count)))
    }

    /// Stops listening: new connections are refused; accepted ones stay as they are.
    package func close() async {
        self.signalStop()
        _ = await self.waiting.wait { $0.isClosed }
    }

    /// An INFO line like the official server's; `extra` is put before the closing brace, for example `,"ldm":true`.
    package static func info(
        serverID: String = "NSCRIPTEDSCRIPTEDSCRIPTEDSCRIPTEDSCRIPTEDSCRIPTEDSCRIPT",
        maxPayload: Int = 1_048_576,
        headers: Bool = true,
        extra: String = ""
    ) -> String {
        """
        INFO {"server_id":"\(serverID)","server_name":"scripted","version":"2.15.1","proto":1,"go":"go1.27.2",\
        "host":"127.0.0.1","port":4222,"headers":\(headers),"max_payload":\(maxPayload),"client_id":5,\
        "client_ip":"127.0.0.1"\(extra)} \r\n
        """
    }

    private func signalStop() {
        self.stopPipe.withLockedValue { end in
            if let descriptor = end {
                closeDescriptor(descriptor)
                end = nil
            }
        }
    }

    private static func acceptAll(_ listener: CInt, stopEnd: CInt, waiting: Watched<Waiting>) {
        defer {
            closeDescriptor(listener)
            closeDescriptor(stopEnd)
            waiting.update { $0.isClosed = true }
        }
        while true {
            var entries = [
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stopEnd, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&entries, 2, -1)
            if count < 0, errno == EINTR {
                continue
            }
            guard count > 0, entries[1].revents == 0 else {
                return
            }
            let descriptor = acceptSocket(listener)
            if descriptor >= 0 {
                let connection = RawConnection(descriptor: descriptor)
                waiting.update {
                    $0.connections.append(connection)
                    $0.accepted += 1
                }
            }
        }
    }
}

private func acceptSocket(_ listener: CInt) -> CInt {
    accept(listener, nil, nil)
}
