import NIOConcurrencyHelpers
package import NIOCore

/// Reads a descriptor on a thread of its own, in large blocks, a few ahead of the consumer.
///
/// The thread ends at the end of the input, on an error, or when the process does; a `read` that nobody feeds cannot be
/// interrupted, and nothing else of the tool waits for it.
package final class InputReader: Sendable {
    /// Reading failed.
    package struct ReadError: Error, Equatable {
        package var errno: Int32
    }

    private static let blockSize = 128 * 1024
    private static let blocksAhead = 4

    private struct State {
        var blocks: [ByteBuffer] = []
        var end: Result<Void, ReadError>?
        var waiter: CheckedContinuation<Void, Never>?
        var isStopped = false
    }

    /// The condition is "the reader thread may read on".
    private let condition = ConditionLock<Bool>(value: true)
    /// Guarded by ``condition``.
    private nonisolated(unsafe) var state = State()
    private let descriptor: Int32

    /// Starts reading `descriptor`, which stays open.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
        let isStarted = POSIX.startThread { [self] in self.readUntilEnd() }
        if !isStarted { self.finish(.failure(ReadError(errno: POSIX.resourceUnavailable))) }
    }

    /// All blocks that wait, oldest first, waiting for one if need be; nil at the end of the input and when the
    /// calling task is cancelled.
    package func next() async throws(ReadError) -> [ByteBuffer]? {
        while !Task.isCancelled {
            self.condition.lock()
            if !self.state.blocks.isEmpty {
                let blocks = self.state.blocks
                self.state.blocks.removeAll(keepingCapacity: true)
                self.condition.unlock(withValue: true)
                return blocks
            }
            let end = self.state.end
            self.condition.unlock()
            if let end {
                try end.get()
                return nil
            }
            await self.waitForChange()
        }
        return nil
    }

    /// Makes the thread end before its next read.
    ///
    /// What was read is dropped.
    package func stop() {
        self.condition.lock()
        self.state.isStopped = true
        self.state.blocks.removeAll()
        if self.state.end == nil { self.state.end = .success(()) }
        let waiter = self.takeWaiter()
        self.condition.unlock(withValue: true)
        waiter?.resume()
    }

    /// Whether ``stop()`` was called.
    package var isStopped: Bool {
        self.condition.lock()
        defer { self.condition.unlock() }
        return self.state.isStopped
    }

    private func waitForChange() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                self.condition.lock()
                let isReady = !self.state.blocks.isEmpty || self.state.end != nil || Task.isCancelled
                // One consumer: a second one would displace the first.
                let displaced = isReady ? nil : self.state.waiter
                if !isReady { self.state.waiter = continuation }
                self.condition.unlock()
                displaced?.resume()
                if isReady { continuation.resume() }
            }
        } onCancel: {
            self.condition.lock()
            let waiter = self.takeWaiter()
            self.condition.unlock()
            waiter?.resume()
        }
    }

    private func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { self.state.waiter = nil }
        return self.state.waiter
    }

    private func finish(_ end: Result<Void, ReadError>) {
        self.condition.lock()
        self.state.end = end
        let waiter = self.takeWaiter()
        self.condition.unlock()
        waiter?.resume()
    }

    private func readUntilEnd() {
        while true {
            var block = ByteBufferAllocator().buffer(capacity: Self.blockSize)
            var result = 0
            block.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.blockSize) { space in
                result = POSIX.readSome(from: self.descriptor, into: space)
                return max(0, result)
            }
            guard result > 0 else {
                self.finish(result == 0 ? .success(()) : .failure(ReadError(errno: Int32(-result))))
                return
            }
            self.condition.lock(whenValue: true)
            guard !self.state.isStopped else {
                self.condition.unlock()
                return
            }
            self.state.blocks.append(block)
            let waiter = self.takeWaiter()
            self.condition.unlock(withValue: self.state.blocks.count < Self.blocksAhead)
            waiter?.resume()
        }
    }
}
