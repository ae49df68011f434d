#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A plain TCP peer that a test scripts byte by byte, on either side of a connection.
///
/// A thread of its own reads everything the peer sends, so that nothing is lost when a write fails: what the peer said
/// before it closed can always be read. Writing to a closed connection is not an error here; reading shows what happened.
package final class RawConnection: Sendable {
    /// How the peer ended the connection.
    package enum End: Sendable, Equatable {
        case closed
        case reset
    }

    /// What has arrived and has not been read by the test.
    package struct Inbox: Sendable {
        package var bytes: [UInt8] = []
        package var end: End?
        /// How many of the server's PINGs were answered and not shown.
        package var answeredPings = 0
    }

    let link: SocketLink

    var inbox: Watched<Inbox> { self.link.inbox }

    /// Takes over a connected socket.
    init(descriptor: CInt, answersPings: Bool = false) {
        self.link = SocketLink(descriptor: descriptor, answersPings: answersPings)
    }

    deinit {
        self.link.close(reset: false)
    }

    /// Connects to a port of 127.0.0.1.
    ///
    /// `receiveBuffer` is how many bytes the kernel may hold for us, for tests that want to fill it. With `answersPings`
    /// the server's PINGs are answered and not shown.
    package static func connect(
        port: Int,
        receiveBuffer: Int? = nil,
        answersPings: Bool = false
    ) throws -> RawConnection {
        let descriptor = try LoopbackSocket.make()
        if let receiveBuffer {
            LoopbackSocket.set(descriptor, SOL_SOCKET, SO_RCVBUF, CInt(receiveBuffer))
        }
        let result = LoopbackSocket.withAddress(port: port) { retryingInterrupts(connectSocket, descriptor, $0, $1) }
        guard result == 0 else {
            let error = SystemError("connect to 127.0.0.1:\(port)")
            closeDescriptor(descriptor)
            throw error
        }
        return RawConnection(descriptor: descriptor, answersPings: answersPings)
    }

    // MARK: Writing

    package func send(_ text: String) async {
        await self.send(Array(text.utf8))
    }

    package func send(_ bytes: ArraySlice<UInt8>) async {
        await self.send(Array(bytes))
    }

    /// Hands all bytes to the kernel, waiting while the peer does not read; returns early when the connection has ended.
    package func send(_ bytes: [UInt8]) async {
        var sent = 0
        while sent < bytes.count {
            switch self.link.write(bytes[sent...]) {
            case .wrote(let count):
                sent += count
            case .full:
                // Nothing announces free space without a poller of our own; the buffer is rarely full.
                guard (try? await Task.sleep(for: .milliseconds(1))) != nil else {
                    return
                }
            case .ended:
                return
            }
        }
    }

    /// Writes what the kernel takes at once; returns how many bytes that was.
    package func sendWhatFits(_ bytes: [UInt8]) -> Int {
        if case .wrote(let count) = self.link.write(bytes[...]) {
            return count
        }
        return 0
    }

    // MARK: Reading

    /// Stops taking bytes from the kernel, apart from one piece that may be under way.
    package func pauseReading() {
        self.link.gate.close()
    }

    package func resumeReading() {
        self.link.gate.open()
    }

    /// From now on the server's PINGs are shown and not answered.
    package func stopAnsweringPings() {
        self.link.stopAnsweringPings()
    }

    // MARK: Closing

    /// Ends the connection in good order (FIN); what has been read before can still be examined.
    package func close() {
        self.link.close(reset: false)
    }

    /// Ends the connection by force (RST), as a crashed peer would.
    package func reset() {
        self.link.close(reset: true)
    }

    /// Says that nothing more will be sent (FIN), and goes on reading.
    package func finishSending() {
        self.link.finishSending()
    }
}

// Inside a type with a method of the same name the global function is hidden; these names are not.
func closeDescriptor(_ descriptor: CInt) {
    _ = close(descriptor)
}

private func connectSocket(_ descriptor: CInt, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> CInt {
    connect(descriptor, address, length)
}

private func retryingInterrupts(
    _ call: (CInt, UnsafePointer<sockaddr>, socklen_t) -> CInt,
    _ descriptor: CInt,
    _ address: UnsafePointer<sockaddr>,
    _ length: socklen_t
) -> CInt {
    var result = call(descriptor, address, length)
    while result != 0, errno == EINTR {
        result = call(descriptor, address, length)
    }
    return result
}
