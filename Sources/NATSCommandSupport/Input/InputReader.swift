import NIOConcurrencyHelpers
package import NIOCore

/// Reads inputs one after the other, in large blocks.
///
/// A thread of its own reads a few blocks ahead of the consumer. Where the input is a pipe the thread only waits for
/// something to read, and the consumer reads while there is more: bytes that the consumer's core has read itself are in its
/// cache, and nobody has to be woken for them. The thread ends at the end of the input, on an error, or when the process
/// does; a `read` that nobody feeds cannot be interrupted, and nothing else of the tool waits for it.
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

    /// A pipe that the consumer reads from.
    private struct Pipe {
        /// Does not block; the thread opens and closes it.
        var descriptor: Int32
        /// What the consumer found; anything but ``Finding/more`` is for the thread.
        var finding = Finding.more
        /// The consumer uses the descriptor.
        var isBeingRead = false
    }

    private enum Finding: Equatable {
        /// There is something to read, or there was the last time.
        case more
        /// Nothing is there yet.
        case nothing
        case end
        case error(Int32)
    }

    private struct State {
        /// Nil while the thread reads.
        var pipe: Pipe?
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

    /// What comes next; nil after the end of the last input and when the calling task is cancelled.
    ///
    /// It always gives way first, so that endless input does not keep others from what they do on the same thread.
    ///
    /// - Parameter waits: Whether to wait for it; if not, nil may also mean that nothing is there yet.
    /// - Returns: Bytes, or the end of an input.
    /// - Throws: ``ReadError``.
    package func next(waits: Bool = true) async throws(ReadError) -> Piece? {
        var isLastLook = false
        while !Task.isCancelled {
            await Task.yield()
            self.condition.lock()
            if !self.state.pieces.isEmpty {
                let piece = self.state.pieces.removeFirst()
                self.condition.unlock(withValue: true)
                return piece
            }
            if let end = self.state.end {
                self.condition.unlock()
                try end.get()
                return nil
            }
            if let pipe = self.state.pipe, pipe.finding == .more {
                self.state.pipe?.isBeingRead = true
                self.condition.unlock()
                if let piece = self.readPiece(pipe.descriptor, isLastLook: isLastLook) { return piece }
                // Others on this thread had something to do, and who writes into the pipe had time meanwhile.
                isLastLook.toggle()
            } else {
                self.condition.unlock()
                guard waits else { return nil }
                await self.waitForChange()
            }
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
                let isReady =
                    !self.state.pieces.isEmpty || self.state.end != nil || self.state.pipe?.finding == .more
                    || Task.isCancelled
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
        if let reopened = POSIX.reopenPipe(descriptor) {
            POSIX.widenPipe(reopened)
            defer { POSIX.closeFile(reopened) }
            return self.wait(at: descriptor, reading: reopened, source)
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

    // MARK: Pipes

    /// Waits for input of a pipe and lets the consumer read it.
    ///
    /// - Parameters:
    ///   - original: Where to wait: a FIFO that is opened without waiting for a writer does not tell of its end.
    ///   - pipe: The same pipe, for the consumer.
    ///   - source: Its name.
    /// - Returns: Whether the input was read to its end.
    private func wait(at original: Int32, reading pipe: Int32, _ source: InputSource) -> Bool {
        while true {
            POSIX.waitForInput(original)
            self.condition.lock()
            self.state.pipe = Pipe(descriptor: pipe)
            while let state = self.state.pipe, state.isBeingRead || (state.finding == .more && !self.state.isStopped) {
                let waiter = self.takeWaiter()
                self.condition.unlock(withValue: false)
                waiter?.resume()
                self.condition.lock(whenValue: true)
            }
            let finding = self.state.pipe?.finding
            let isStopped = self.state.isStopped
            self.state.pipe = nil
            self.condition.unlock(withValue: true)
            if isStopped { return false }
            switch finding {
            case .more, .nothing, nil: continue
            case .end: return true
            case .error(let error):
                self.finish(.failure(ReadError(errno: error, source: source)))
                return false
            }
        }
    }

    /// What a pipe has, on the consumer's thread; nil if there is nothing.
    ///
    /// - Parameters:
    ///   - pipe: Does not block.
    ///   - isLastLook: If there is nothing, the thread is to wait for more.
    /// - Returns: Bytes.
    private func readPiece(_ pipe: Int32, isLastLook: Bool) -> Piece? {
        var block = ByteBufferAllocator().buffer(capacity: Self.blockSize)
        var result: Int?
        block.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.blockSize) { space in
            result = POSIX.readWhatIsThere(from: pipe, into: space)
            return max(0, result ?? 0)
        }
        let finding: Finding
        switch result {
        case nil: finding = isLastLook ? .nothing : .more
        case .some(1...): finding = .more
        case .some(0): finding = .end
        case .some(let error): finding = .error(Int32(truncatingIfNeeded: -error))
        }
        self.condition.lock()
        self.state.pipe?.finding = finding
        self.state.pipe?.isBeingRead = false
        let isStopped = self.state.isStopped
        if finding != .more || isStopped {
            self.condition.unlock(withValue: true)
        } else {
            self.condition.unlock()
        }
        return block.readableBytes > 0 && !isStopped ? .bytes(block) : nil
    }
}
