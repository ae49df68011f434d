package import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Cuts a stream of blocks into records that end with a delimiter, or takes all of it as one record.
///
/// Pure.
///
/// A record that lies within one block is a slice of it; only one that crosses a block border is copied. A record over
/// the limit is never held: from there on its bytes are only counted.
package struct RecordSplitter: Sendable {
    /// A record is larger than the limit.
    package struct RecordTooLarge: Error, Equatable {
        /// Counted from 1.
        package var recordNumber: Int
        package var size: Int
        /// The record had not ended at ``size``.
        package var isAtLeast: Bool

        package init(recordNumber: Int, size: Int, isAtLeast: Bool) {
            self.recordNumber = recordNumber
            self.size = size
            self.isAtLeast = isAtLeast
        }
    }

    /// How far beyond the limit a record is counted before it is reported without its end being known.
    package static let countingLimit = 64 * 1024 * 1024

    /// Where a record ends, relative to the begin of the block.
    private struct End {
        /// Negative if the delimiter began in an earlier block.
        var length: Int
        /// Behind the delimiter.
        var next: Int
    }

    /// Empty: all of the input is one record.
    private let delimiter: [UInt8]
    private let maximumLength: Int
    private let stripsCarriageReturn: Bool
    private let reportsUnended: Bool
    private var block = ByteBuffer()
    private var partial = ByteBuffer()
    /// The last bytes of a record's earlier blocks, where a delimiter of several bytes may have begun.
    private var tail: [UInt8] = []
    /// Bytes seen of a record over the limit; 0 if there is none.
    private var oversize = 0

    /// The number of the record that ``next()`` or ``finish()`` returned last, counted from 1.
    package private(set) var recordNumber = 0

    /// - Parameters:
    ///   - delimiter: The bytes that end a record; none takes the whole input as one.
    ///   - maximumLength: The largest record, in bytes.
    ///   - stripsCarriageReturn: A `\r` before the delimiter does not belong to the record.
    ///   - reportsUnended: A record that is too large may be reported before it has ended; otherwise each is reported
    ///     once, at its end.
    package init(
        delimiter: [UInt8],
        maximumLength: Int,
        stripsCarriageReturn: Bool = false,
        reportsUnended: Bool = true
    ) {
        self.delimiter = delimiter
        self.maximumLength = max(0, maximumLength)
        self.stripsCarriageReturn = stripsCarriageReturn
        self.reportsUnended = reportsUnended
    }

    /// Takes the next block of input.
    ///
    /// Call ``next()`` until it returns nil before the next call.
    package mutating func append(_ block: ByteBuffer) {
        if self.block.readableBytes == 0 {
            self.block = block
        } else {
            self.block.writeImmutableBuffer(block)
        }
    }

    /// The next whole record, without delimiter; nil if the input so far holds no more.
    package mutating func next() throws(RecordTooLarge) -> ByteBuffer? {
        guard let end = self.endOfNextRecord() else {
            try self.keepRest()
            return nil
        }
        defer { self.recordNumber += 1 }
        self.tail.removeAll(keepingCapacity: true)
        guard self.oversize == 0 else {
            let size = self.oversize + end.length
            self.block.moveReaderIndex(forwardBy: end.next)
            self.oversize = 0
            throw RecordTooLarge(recordNumber: self.recordNumber + 1, size: size, isAtLeast: false)
        }
        var record: ByteBuffer
        if end.length >= 0, self.partial.readableBytes == 0 {
            guard let slice = self.block.readSlice(length: end.length) else { return nil }
            record = slice
        } else {
            if end.length >= 0 {
                guard var rest = self.block.readSlice(length: end.length) else { return nil }
                self.partial.writeBuffer(&rest)
            } else {
                // The beginning of the delimiter was taken for a part of the record.
                let surplus = min(-end.length, self.partial.readableBytes)
                self.partial.moveWriterIndex(to: self.partial.writerIndex - surplus)
            }
            record = self.takePartial()
        }
        self.block.moveReaderIndex(forwardBy: end.next - max(0, end.length))
        if self.stripsCarriageReturn, record.readableBytesView.last == UInt8(ascii: "\r") {
            record.moveWriterIndex(to: record.writerIndex - 1)
        }
        guard record.readableBytes <= self.maximumLength else {
            throw RecordTooLarge(recordNumber: self.recordNumber + 1, size: record.readableBytes, isAtLeast: false)
        }
        return record
    }

    /// Takes the records of which the block holds every byte, as many as there are.
    ///
    /// It takes none where ``next()`` has to be asked: at the border of a block, for a record over the limit, for
    /// delimiters of several bytes. ``recordNumber`` is that of the last record taken.
    ///
    /// - Parameter run: Gets them in the place of what it held.
    package mutating func takeRun(into run: inout RecordRun) {
        run.records.removeAll(keepingCapacity: true)
        guard self.delimiter.count == 1, let delimiter = self.delimiter.first, self.oversize == 0,
            self.partial.readableBytes == 0, self.block.readableBytes > 0
        else { return }
        let taken = self.block.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            var start = 0
            while let hit = memchr(base + start, Int32(delimiter), bytes.count - start) {
                let next = UnsafeRawPointer(hit) - base + 1
                var end = next - 1
                if self.stripsCarriageReturn, end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
                guard end - start <= self.maximumLength else { break }
                run.records.append(start..<end)
                start = next
                if start == bytes.count { break }
            }
            return start
        }
        guard taken > 0 else { return }
        run.block = self.block
        self.block.moveReaderIndex(forwardBy: taken)
        self.recordNumber += run.records.count
    }

    /// The record after the last delimiter, at the end of the input; nil if the input ended with a delimiter.
    ///
    /// Without a delimiter, all of the input.
    package mutating func finish() throws(RecordTooLarge) -> ByteBuffer? {
        try self.keepRest()
        defer { self.recordNumber += 1 }
        let size = max(self.oversize, self.partial.readableBytes)
        guard size <= self.maximumLength else {
            throw RecordTooLarge(recordNumber: self.recordNumber + 1, size: size, isAtLeast: false)
        }
        if !self.delimiter.isEmpty, size == 0 { return nil }
        return self.takePartial()
    }

    // MARK: Where records end

    private func endOfNextRecord() -> End? {
        guard let first = self.delimiter.first else { return nil }
        let length = self.delimiter.count
        if length > 1, let end = self.endAcrossBlocks() { return end }
        return self.block.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            var start = 0
            while start < bytes.count, let hit = memchr(base + start, Int32(first), bytes.count - start) {
                let position = UnsafeRawPointer(hit) - base
                guard position + length <= bytes.count else { return nil }
                if length == 1 || bytes[position..<position + length].elementsEqual(self.delimiter) {
                    return End(length: position, next: position + length)
                }
                start = position + 1
            }
            return nil
        }
    }

    /// A delimiter that began in an earlier block.
    private func endAcrossBlocks() -> End? {
        let window = self.tail + self.block.readableBytesView.prefix(self.delimiter.count - 1)
        for start in self.tail.indices where start + self.delimiter.count <= window.count {
            if window[start..<start + self.delimiter.count].elementsEqual(self.delimiter) {
                let length = start - self.tail.count
                return End(length: length, next: length + self.delimiter.count)
            }
        }
        return nil
    }

    private mutating func takePartial() -> ByteBuffer {
        let record = self.partial
        self.partial = ByteBuffer()
        return record
    }

    /// Puts what is left of the block, the begin of a record, aside.
    private mutating func keepRest() throws(RecordTooLarge) {
        let count = self.block.readableBytes
        let length = self.oversize > 0 ? self.oversize : self.partial.readableBytes
        // The last bytes may turn out to be a part of the delimiter, or a `\r` before it.
        let surplus = max(0, self.delimiter.count - 1) + (self.stripsCarriageReturn ? 1 : 0)
        if self.delimiter.count > 1 {
            self.tail += self.block.readableBytesView.suffix(self.delimiter.count - 1)
            self.tail.removeFirst(max(0, self.tail.count - (self.delimiter.count - 1)))
        }
        if self.oversize > 0 || length + count > self.maximumLength + surplus {
            self.oversize = length + count
            self.partial.clear()
            self.block.clear()
            // Without a delimiter there is nothing to wait for; with one, not for ever.
            let isHopeless = self.delimiter.isEmpty || self.oversize - self.maximumLength > Self.countingLimit
            if self.reportsUnended, isHopeless {
                throw RecordTooLarge(recordNumber: self.recordNumber + 1, size: self.oversize, isAtLeast: true)
            }
        } else {
            self.partial.writeBuffer(&self.block)
            self.block.clear()
        }
    }
}
