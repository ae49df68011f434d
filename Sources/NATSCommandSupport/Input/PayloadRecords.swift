package import NIOCore

/// The messages that standard input holds, as they arrive.
///
///     while try await records.waitForMore() {
///         while let record = try records.next() { … }
///     }
package struct PayloadRecords: Sendable {
    private let reader: InputReader
    private let mode: InputMode
    private let limit: Int
    private var splitter: RecordSplitter
    private var blocks: ArraySlice<ByteBuffer> = []
    /// The end of the input was seen; ``next()`` still has to hand out what it left.
    private var isAtEnd = false
    private var isFinished = false

    /// - Parameters:
    ///   - reader: Reads the input.
    ///   - mode: How it is cut.
    ///   - limit: The largest payload that the server takes.
    package init(reader: InputReader, mode: InputMode, limit: Int) {
        self.reader = reader
        self.mode = mode
        self.limit = limit
        self.splitter = RecordSplitter(delimiter: mode.delimiter, maximumLength: limit)
    }

    /// Waits until ``next()`` may have something; false when the input has ended and everything was handed out.
    ///
    /// - Returns: Whether to call ``next()``.
    /// - Throws: `ToolFailure` if standard input cannot be read.
    package mutating func waitForMore() async throws(ToolFailure) -> Bool {
        guard !self.isAtEnd else { return !self.isFinished }
        do throws(InputReader.ReadError) {
            if let blocks = try await self.reader.next() {
                self.blocks = blocks[...]
            } else {
                self.isAtEnd = true
            }
        } catch {
            throw ToolFailure("standard input: \(POSIX.describe(error.errno))")
        }
        // A stopped reader gives up a record that has no end yet: it may be half a message. So does a cancelled task,
        // which a signal makes before it stops the reader.
        if self.isAtEnd, self.reader.isStopped || Task.isCancelled { self.isFinished = true }
        return !self.isFinished
    }

    /// The next message of what has arrived; nil when more must be waited for.
    ///
    /// - Returns: The payload.
    /// - Throws: `ToolFailure` for a message over the limit, naming its line.
    package mutating func next() throws(ToolFailure) -> ByteBuffer? {
        do throws(RecordSplitter.RecordTooLarge) {
            while true {
                if let record = try self.splitter.next() { return record }
                if let block = self.blocks.popFirst() {
                    self.splitter.append(block)
                    continue
                }
                guard self.isAtEnd, !self.isFinished else { return nil }
                self.isFinished = true
                return try self.splitter.finish()
            }
        } catch {
            throw self.failure(error.size, isAtLeast: error.isAtLeast, number: error.recordNumber)
        }
    }

    /// The error for the record that ``next()`` returned last, when its headers make it too large.
    package func failureOfLastRecord(size: Int) -> ToolFailure {
        self.failure(size, isAtLeast: false, number: self.splitter.recordNumber)
    }

    private func failure(_ size: Int, isAtLeast: Bool, number: Int) -> ToolFailure {
        let place =
            switch self.mode {
            case .endOfFile: ""
            case .newline: "line \(number): "
            case .null: "record \(number): "
            }
        let amount = isAtLeast ? "at least \(size)" : "\(size)"
        return ToolFailure("\(place)message of \(amount) bytes exceeds max_payload \(self.limit)")
    }
}
