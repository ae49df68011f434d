import NIOConcurrencyHelpers
package import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Writes a descriptor from a thread of its own, so that a reader who pauses never holds up an event loop.
///
/// What is submitted is written as soon as the thread is free: a lone message at once, messages that come faster than
/// they can be written in one block. While there is nothing to write the thread watches for the reader going away, so
/// that the tool ends although no further message comes.
package final class OutputWriter: Sendable {
    /// Writing failed; nothing more is written.
    package struct WriteError: Error, Equatable {
        package var errno: Int32

        /// The reader is gone.
        package var isBrokenPipe: Bool { self.errno == EPIPE }
    }

    /// Held bytes from which on ``waitForRoom()`` waits.
    private static let highWaterMark = 256 * 1024
    /// A buffer larger than this is not kept for reuse.
    private static let retainedCapacity = 1024 * 1024

    private struct State {
        var held = ByteBuffer()
        var isWriting = false
        var isAsleep = false
        var error: WriteError?
        /// Waiting for bytes to be written.
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// Waiting for a failure; kept apart so that progress does not wake them.
        var errorWaiters: [CheckedContinuation<Void, Never>] = []

        var isIdle: Bool { self.held.readableBytes == 0 && !self.isWriting }
    }

    private let state = NIOLockedValueBox(State())
    private let descriptor: Int32
    private let wakeReader: Int32
    private let wakeWriter: Int32

    /// Starts the thread for `descriptor`, which stays open; both live as long as the process.
    ///
    /// - Throws: `WriteError` if the system refuses a pipe or a thread.
    package init(descriptor: Int32) throws(WriteError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw WriteError(errno: errno) }
        self.descriptor = descriptor
        self.wakeReader = ends[0]
        self.wakeWriter = ends[1]
        guard POSIX.startThread({ [self] in self.writeUntilError() }) else { throw WriteError(errno: EAGAIN) }
    }

    /// Takes the bytes of `buffer` and leaves it empty.
    ///
    /// - Throws: `WriteError` if an earlier write failed; `buffer` is emptied then too.
    package func submit(_ buffer: inout ByteBuffer) throws(WriteError) {
        guard buffer.readableBytes > 0 else { return }
        let (error, mustWake): (WriteError?, Bool) = self.state.withLockedValue { state in
            if let error = state.error { return (error, false) }
            if state.held.readableBytes == 0 {
                swap(&state.held, &buffer)
            } else {
                state.held.writeBuffer(&buffer)
            }
            let mustWake = state.isAsleep
            state.isAsleep = false
            return (nil, mustWake)
        }
        buffer.clear()
        if let error { throw error }
        if mustWake {
            var byte: UInt8 = 1
            _ = write(self.wakeWriter, &byte, 1)
        }
    }

    /// Waits until less than the high-water mark is held.
    ///
    /// - Throws: `WriteError` if a write failed.
    package func waitForRoom() async throws(WriteError) {
        try await self.wait(forProgress: true) { $0.held.readableBytes < Self.highWaterMark }
    }

    /// Waits until everything is written, also in a cancelled task: a tool that ends by a signal still writes what it has.
    ///
    /// A signal bounds the time that the whole tool has left.
    ///
    /// - Throws: `WriteError` if a write failed.
    package func flush() async throws(WriteError) {
        while true {
            let (error, done) = self.state.withLockedValue { ($0.error, $0.isIdle) }
            if let error { throw error }
            if done { return }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let mustWait = self.state.withLockedValue { state in
                    guard state.error == nil, !state.isIdle else { return false }
                    state.waiters.append(continuation)
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        }
    }

    /// Waits for a failed write or for the reader going away; nil if the task is cancelled first.
    package func waitForError() async -> WriteError? {
        do throws(WriteError) {
            try await self.wait(forProgress: false) { _ in false }
            return nil
        } catch {
            return error
        }
    }

    private func wait(
        forProgress: Bool,
        until isDone: @Sendable (borrowing State) -> Bool
    ) async throws(WriteError) {
        while true {
            let (error, done) = self.state.withLockedValue { ($0.error, isDone($0)) }
            if let error { throw error }
            if done || Task.isCancelled { return }
            await withTaskCancellationHandler {
                await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                    let mustWait = self.state.withLockedValue { state in
                        guard state.error == nil, !isDone(state), !Task.isCancelled else { return false }
                        if forProgress {
                            state.waiters.append(continuation)
                        } else {
                            state.errorWaiters.append(continuation)
                        }
                        return true
                    }
                    if !mustWait { continuation.resume() }
                }
            } onCancel: {
                // All waiters look again; there are never more than a few.
                self.resumeWaiters(all: true)
            }
        }
    }

    private func resumeWaiters(all: Bool) {
        let (waiters, errorWaiters) = self.state.withLockedValue { state in
            let waiters = state.waiters
            let errorWaiters = all ? state.errorWaiters : []
            state.waiters.removeAll(keepingCapacity: true)
            if all { state.errorWaiters.removeAll() }
            return (waiters, errorWaiters)
        }
        for waiter in waiters { waiter.resume() }
        for waiter in errorWaiters { waiter.resume() }
    }

    private func fail(_ error: Int32) {
        self.state.withLockedValue { state in
            state.error = WriteError(errno: error)
            state.isWriting = false
            state.held = ByteBuffer()
        }
        self.resumeWaiters(all: true)
    }

    // MARK: The thread

    private func writeUntilError() {
        var buffer = ByteBuffer()
        while true {
            buffer.clear()
            if buffer.capacity > Self.retainedCapacity { buffer = ByteBuffer() }
            let mustSleep = self.state.withLockedValue { state in
                swap(&state.held, &buffer)
                state.isWriting = buffer.readableBytes > 0
                state.isAsleep = !state.isWriting
                return state.isAsleep
            }
            self.resumeWaiters(all: false)
            if mustSleep {
                if let error = self.sleep() { return self.fail(error) }
            } else {
                let error = buffer.withUnsafeReadableBytes { POSIX.writeAll($0, to: self.descriptor) }
                if error != 0 { return self.fail(error) }
            }
        }
    }

    /// Waits for work, or for the reader of the output going away.
    ///
    /// - Returns: `EPIPE` in the second case.
    private func sleep() -> Int32? {
        var watched = [
            pollfd(fd: self.wakeReader, events: Int16(POLLIN), revents: 0),
            // No events asked for: errors and hang-ups are always reported.
            pollfd(fd: self.descriptor, events: 0, revents: 0),
        ]
        while true {
            guard poll(&watched, nfds_t(watched.count), -1) >= 0 else {
                if errno == EINTR { continue }
                return errno
            }
            if watched[0].revents != 0 {
                var byte: UInt8 = 0
                _ = read(self.wakeReader, &byte, 1)
                return nil
            }
            if watched[1].revents & Int16(POLLERR | POLLHUP) != 0 { return EPIPE }
            // POLLNVAL: the first write will tell.
            if watched[1].revents != 0 { watched[1].fd = -1 }
        }
    }
}
