package import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Cuts a stream of blocks into records that end with a delimiter byte, or takes all of it as one record.
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

    /// Nil: all of the input is one record.
    private let delimiter: UInt8?
    private let maximumLength: Int
    private var block = ByteBuffer()
    private var partial = ByteBuffer()
    /// Bytes seen of a record over the limit; 0 if there is none.
    private var oversize = 0

    /// The number of the record that ``next()`` or ``finish()`` returned last, counted from 1.
    package private(set) var recordNumber = 0

    /// - Parameters:
    ///   - delimiter: The byte that ends a record; nil takes the whole input as one.
    ///   - maximumLength: The largest record, in bytes.
    package init(delimiter: UInt8?, maximumLength: Int) {
        self.delimiter = delimiter
        self.maximumLength = max(0, maximumLength)
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
        guard let length = self.lengthOfNextRecord() else {
            try self.keepRest()
            return nil
        }
        defer { self.recordNumber += 1 }
        guard self.oversize == 0, self.partial.readableBytes + length <= self.maximumLength else {
            let size = max(self.oversize, self.partial.readableBytes) + length
            self.block.moveReaderIndex(forwardBy: length + 1)
            self.partial.clear()
            self.oversize = 0
            throw RecordTooLarge(recordNumber: self.recordNumber + 1, size: size, isAtLeast: false)
        }
        guard var record = self.block.readSlice(length: length) else { return nil }
        self.block.moveReaderIndex(forwardBy: 1)
        guard self.partial.readableBytes > 0 else { return record }
        self.partial.writeBuffer(&record)
        return self.takePartial()
    }

    /// The record after the last delimiter, at the end of the input; nil if the input ended with a delimiter.
    ///
    /// Without a delimiter, all of the input.
    package mutating func finish() throws(RecordTooLarge) -> ByteBuffer? {
        try self.keepRest()
        defer { self.recordNumber += 1 }
        if self.oversize > 0 {
            throw RecordTooLarge(recordNumber: self.recordNumber + 1, size: self.oversize, isAtLeast: false)
        }
        if self.delimiter != nil, self.partial.readableBytes == 0 { return nil }
        return self.takePartial()
    }

    private func lengthOfNextRecord() -> Int? {
        guard let delimiter = self.delimiter else { return nil }
        return self.block.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress, let hit = memchr(base, Int32(delimiter), bytes.count) else {
                return nil
            }
            return UnsafeRawPointer(hit) - base
        }
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
        if self.oversize > 0 || length + count > self.maximumLength {
            self.oversize = length + count
            self.partial.clear()
            self.block.clear()
            // Without a delimiter there is nothing to wait for; with one, not for ever.
            if self.delimiter == nil || self.oversize - self.maximumLength > Self.countingLimit {
                throw RecordTooLarge(recordNumber: self.recordNumber + 1, size: self.oversize, isAtLeast: true)
            }
        } else {
            self.partial.writeBuffer(&self.block)
            self.block.clear()
        }
    }
}
