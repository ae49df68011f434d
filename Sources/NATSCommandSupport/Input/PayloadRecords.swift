package import NIOCore

/// The records that the inputs hold, as they arrive.
///
///     while try await records.waitForMore() {
///         while let record = try records.next() { … }
///     }
package struct PayloadRecords: Sendable {
    private let reader: InputReader
    private let rules: RecordRules
    private let limit: Int
    private let didSkip: @Sendable (ToolFailure) -> Void
    private var splitter: RecordSplitter
    private var piece: InputReader.Piece?
    /// The input that is being read.
    private var source = 0
    private var isFinished = false

    /// Whether the record that ``next()`` returned last had a delimiter behind it.
    package private(set) var isTerminated = false

    /// - Parameters:
    ///   - reader: Reads the inputs.
    ///   - rules: How they are cut.
    ///   - limit: The largest payload that the server takes.
    ///   - didSkip: Called for each record that is passed over because it is too large.
    package init(
        reader: InputReader,
        rules: RecordRules,
        limit: Int,
        didSkip: @escaping @Sendable (ToolFailure) -> Void = { _ in }
    ) {
        self.reader = reader
        self.rules = rules
        self.limit = limit
        self.didSkip = didSkip
        self.splitter = Self.splitter(rules, limit)
    }

    private static func splitter(_ rules: RecordRules, _ limit: Int) -> RecordSplitter {
        RecordSplitter(
            delimiter: rules.mode.delimiter,
            maximumLength: rules.maximumRecord(limit: limit),
            stripsCarriageReturn: rules.stripsCarriageReturn,
            reportsUnended: !rules.skipsLarge
        )
    }

    /// Waits until ``next()`` may have something; false when the inputs have ended and everything was handed out.
    ///
    /// - Parameter pause: Called before it waits, and at the end.
    /// - Returns: Whether to call ``next()``.
    /// - Throws: `ToolFailure` if an input cannot be read, and what `pause` throws.
    package mutating func waitForMore(pause: () async throws -> Void = {}) async throws -> Bool {
        guard !self.isFinished else { return false }
        do {
            if let piece = try await self.reader.next(waits: false) {
                self.piece = piece
                return true
            }
            try await pause()
            if let piece = try await self.reader.next() {
                self.piece = piece
                return true
            }
        } catch let error as InputReader.ReadError {
            throw ToolFailure("\(error.source.name): \(POSIX.describe(error.errno))")
        }
        // Without the mark of its end an input was not read to its end: the reader was stopped or the task cancelled. A
        // record that has no end yet may be half a message, and is given up.
        self.isFinished = true
        return false
    }

    /// The next record of what has arrived; nil when more must be waited for.
    ///
    /// - Returns: The record.
    /// - Throws: `ToolFailure` for a record over the limit, naming its line.
    package mutating func next() throws(ToolFailure) -> ByteBuffer? {
        while true {
            do throws(RecordSplitter.RecordTooLarge) {
                guard let record = try self.nextOfAny() else { return nil }
                if self.rules.skipsEmpty, record.readableBytes == 0 { continue }
                return record
            } catch {
                let amount = error.isAtLeast ? "at least \(error.size)" : "\(error.size)"
                let limit = self.rules.maximumRecord(limit: self.limit)
                let text =
                    self.rules.mode == .json
                    ? "\(amount) bytes are more than \(limit), which a message of max_payload \(self.limit) can need"
                    : Self.tooLarge(amount, limit)
                let place = self.isTerminated ? self.place(error.recordNumber) : self.place
                let failure = ToolFailure(place + text)
                guard self.rules.skipsLarge else { throw failure }
                self.didSkip(failure)
            }
        }
    }

    /// Takes records of what has arrived, as many as lie in one block.
    ///
    /// It takes none where ``next()`` has to be asked.
    ///
    /// - Parameter run: Gets them in the place of what it held.
    package mutating func takeRun(into run: inout RecordRun) {
        self.splitter.takeRun(into: &run)
        if !run.records.isEmpty { self.isTerminated = true }
    }

    private mutating func nextOfAny() throws(RecordSplitter.RecordTooLarge) -> ByteBuffer? {
        while true {
            self.isTerminated = true
            if let record = try self.splitter.next() { return record }
            switch self.piece.take() {
            case .bytes(let block):
                self.splitter.append(block)
            case .end:
                var finished = self.splitter
                self.splitter = Self.splitter(self.rules, self.limit)
                self.place = self.place(finished.recordNumber + 1)
                self.source += 1
                self.isTerminated = false
                if let record = try finished.finish() { return record }
            case nil:
                return nil
            }
        }
    }

    /// Where the record is that was returned last, with colon and blank; empty if there is only one.
    package var placeOfLastRecord: String {
        self.isTerminated ? self.place(self.splitter.recordNumber) : self.place
    }

    /// An error that names the record that was returned last, or one before it.
    ///
    /// - Parameters:
    ///   - text: What is wrong with it.
    ///   - later: So many records of the same run came after it.
    /// - Returns: The error.
    package func failureOfLastRecord(_ text: String, later: Int = 0) -> ToolFailure {
        guard later > 0 else { return ToolFailure(self.placeOfLastRecord + text) }
        return ToolFailure(self.place(self.splitter.recordNumber - later) + text)
    }

    private static func tooLarge(_ amount: String, _ limit: Int) -> String {
        "message of \(amount) bytes exceeds max_payload \(limit)"
    }

    /// The last record of the input before, where ``isTerminated`` is false.
    private var place = ""

    private func place(_ number: Int) -> String {
        let sources = self.reader.sources
        guard self.source < sources.count, sources != [.descriptor(0)], sources.count > 1 || self.isFile else {
            return self.rules.mode.place(number)
        }
        return "\(sources[self.source].name): \(self.rules.mode.place(number))"
    }

    private var isFile: Bool {
        if case .file = self.reader.sources[self.source] { true } else { false }
    }
}
