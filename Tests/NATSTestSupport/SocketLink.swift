import Foundation
import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A connected socket and the thread that reads it.
///
/// The thread keeps this object alive, not the ``RawConnection``. The descriptor is closed once, under the lock: by the
/// reader when it ends after a close was asked for, otherwise by whoever closes after the reader has ended.
final class SocketLink: Sendable {
    enum WriteResult: Sendable {
        case wrote(Int)
        case full
        case ended
    }

    private struct Socket {
        var descriptor: CInt?
        var answersPings: Bool
        var isReaderRunning = true
        var isCloseRequested = false
    }

    let inbox = Watched(RawConnection.Inbox())
    let gate = ReadingGate()
    private let socket: NIOLockedValueBox<Socket>

    init(descriptor: CInt, answersPings: Bool) {
        LoopbackSocket.prepare(descriptor)
        LoopbackSocket.disableDelay(descriptor)
        self.socket = NIOLockedValueBox(Socket(descriptor: descriptor, answersPings: answersPings))
        Thread.detachNewThread {
            self.readAll(descriptor, filtersPings: answersPings)
            self.readerEnded()
        }
    }

    func stopAnsweringPings() {
        self.socket.withLockedValue { $0.answersPings = false }
    }

    /// Answers PINGs on this thread at once, however busy the tasks of the tests are.
    private func readAll(_ descriptor: CInt, filtersPings: Bool) {
        var filter = PingFilter()
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            guard self.gate.pass() else { return }
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count > 0 {
                guard filtersPings else {
                    let piece = buffer[..<count]
                    self.inbox.update { $0.bytes += piece }
                    continue
                }
                let (bytes, pings) = filter.filter(
                    buffer[..<count],
                    hidesPings: self.socket.withLockedValue { $0.answersPings }
                )
                for _ in 0..<pings {
                    _ = self.write(ArraySlice("PONG\r\n".utf8))
                }
                self.inbox.update { inbox in
                    inbox.bytes += bytes
                    inbox.answeredPings += pings
                }
            } else if count < 0, errno == EINTR {
                continue
            } else {
                let rest = filter.rest
                self.inbox.update { inbox in
                    inbox.bytes += rest
                    inbox.end = count == 0 ? .closed : .reset
                }
                return
            }
        }
    }

    private func readerEnded() {
        self.socket.withLockedValue { socket in
            socket.isReaderRunning = false
            if socket.isCloseRequested, let descriptor = socket.descriptor {
                socket.descriptor = nil
                closeDescriptor(descriptor)
            }
        }
    }

    func write(_ bytes: ArraySlice<UInt8>) -> WriteResult {
        self.socket.withLockedValue { socket in
            guard let descriptor = socket.descriptor, !socket.isCloseRequested else {
                return .ended
            }
            while true {
                let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Self.sendFlags) }
                if count >= 0 {
                    return .wrote(count)
                }
                switch errno {
                case EINTR: continue
                case EAGAIN, EWOULDBLOCK: return .full
                default: return .ended
                }
            }
        }
    }

    private static var sendFlags: CInt {
        #if canImport(Darwin)
        MSG_DONTWAIT
        #else
        CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
        #endif
    }

    func finishSending() {
        self.socket.withLockedValue { socket in
            if let descriptor = socket.descriptor, !socket.isCloseRequested {
                _ = shutdown(descriptor, CInt(SHUT_WR))
            }
        }
    }

    func close(reset: Bool) {
        self.gate.end()
        self.socket.withLockedValue { socket in
            guard let descriptor = socket.descriptor, !socket.isCloseRequested else {
                return
            }
            socket.isCloseRequested = true
            if reset {
                LoopbackSocket.resetOnClose(descriptor)
            }
            if socket.isReaderRunning {
                // Wakes the reader, which closes the descriptor: closing it here could hit a reused number.
                _ = shutdown(descriptor, CInt(reset ? SHUT_RD : SHUT_RDWR))
            } else {
                socket.descriptor = nil
                closeDescriptor(descriptor)
            }
        }
    }
}

/// Holds the reading thread back while a test plays a peer that does not read.
///
/// Unchecked: the flag is only touched while the condition's lock is held.
final class ReadingGate: @unchecked Sendable {
    private let condition = NSCondition()
    private var isClosed = false
    private var isEnded = false

    func close() {
        self.condition.withLock { self.isClosed = true }
    }

    func open() {
        self.condition.withLock {
            self.isClosed = false
            self.condition.broadcast()
        }
    }

    /// Whoever is held back goes, and reads no more.
    ///
    /// Reading the rest after a shutdown would tell the peer of no new room (Linux tcp_cleanup_rbuf), and nothing would
    /// ever answer what it has left to send.
    func end() {
        self.condition.withLock {
            self.isEnded = true
            self.condition.broadcast()
        }
    }

    /// - Returns: whether there may be more reading.
    func pass() -> Bool {
        self.condition.withLock {
            while self.isClosed, !self.isEnded {
                self.condition.wait()
            }
            return !self.isClosed
        }
    }
}
