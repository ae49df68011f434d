package import NIOCore

/// Records that lie in one block of input.
package struct RecordRun: Sendable {
    /// Holds the records.
    package internal(set) var block = ByteBuffer()
    /// Where they are in the block's readable bytes, in order.
    package internal(set) var records: [Range<Int>] = []

    package init() {}

    /// One of them by itself.
    package func record(_ range: Range<Int>) -> ByteBuffer {
        self.block.getSlice(at: self.block.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
    }
}
