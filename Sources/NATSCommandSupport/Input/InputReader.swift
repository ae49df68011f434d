import NIOConcurrencyHelpers
package import NIOCore

/// Reads inputs one after the other on a thread of its own, in large blocks, a few ahead of the consumer.
///
/// The thread ends at the end of the input, on an error, or when the process does; a `read` that nobody feeds cannot be
/// interrupted, and nothing else of the tool waits for it.
package final class InputReader: Sendable {
    /// Reading failed.
    package struct ReadError: Error, Equatable {
        package var errno: Int32
        package var source: InputSource
    }

    /// What is read.
    package enum Piece: Sendable, Equatable {
        case bytes(ByteBuffer)
        /// The input that the bytes before belong to ends here.
        case end
    }

    private static let blockSize = 128 * 1024
    private static let blocksAhead = 4

    private struct State {
        var pieces: [Piece] = []
        var end: Result<Void, ReadError>?
        var waiter: CheckedContinuation<Void, Never>?
        var isStopped = false
    }

    /// The condition is "the reader thread may read on".
    private let condition = ConditionLock<Bool>(value: true)
    /// Guarded by ``condition``.
    private nonisolated(unsafe) var state = State()
    package let sources: [InputSource]

    /// Starts reading `sources`.
    package init(_ sources: [InputSource]) {
        self.sources = sources
        let isStarted = POSIX.startThread { [self] in self.readAll() }
        if !isStarted, let first = sources.first {
            self.finish(.failure(ReadError(errno: POSIX.resourceUnavailable, source: first)))
        }
    }

    /// All that waits, oldest first, waiting for something if need be; nil after the end of the last input and when the
    /// calling task is cancelled.
    package func next() async throws(ReadError) -> [Piece]? {
        while !Task.isCancelled {
            self.condition.lock()
            if !self.state.pieces.isEmpty {
                let pieces = self.state.pieces
                self.state.pieces.removeAll(keepingCapacity: true)
                self.condition.unlock(withValue: true)
                return pieces
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
        self.state.pieces.removeAll()
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
                let isReady = !self.state.pieces.isEmpty || self.state.end != nil || Task.isCancelled
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

    private func readAll() {
        for source in self.sources {
            guard self.read(source), self.append(.end) else { return }
        }
        self.finish(.success(()))
    }

    /// Reads one input to its end; false if that failed or nobody wants more.
    private func read(_ source: InputSource) -> Bool {
        let descriptor: Int32
        switch source {
        case .descriptor(let open): descriptor = open
        case .file(let path): descriptor = POSIX.openForReading(path)
        }
        defer {
            if case .file = source { POSIX.closeFile(descriptor) }
        }
        guard descriptor >= 0 else {
            self.finish(.failure(ReadError(errno: -descriptor, source: source)))
            return false
        }
        while true {
            var block = ByteBufferAllocator().buffer(capacity: Self.blockSize)
            var result = 0
            block.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.blockSize) { space in
                result = POSIX.readSome(from: descriptor, into: space)
                return max(0, result)
            }
            guard result >= 0 else {
                self.finish(.failure(ReadError(errno: Int32(truncatingIfNeeded: -result), source: source)))
                return false
            }
            if result == 0 { return true }
            guard self.append(.bytes(block)) else { return false }
        }
    }

    /// Hands `piece` over; false if nobody wants it.
    private func append(_ piece: Piece) -> Bool {
        self.condition.lock(whenValue: true)
        guard !self.state.isStopped else {
            self.condition.unlock()
            return false
        }
        self.state.pieces.append(piece)
        let waiter = self.takeWaiter()
        self.condition.unlock(withValue: self.state.pieces.count < Self.blocksAhead)
        waiter?.resume()
        return true
    }
}
