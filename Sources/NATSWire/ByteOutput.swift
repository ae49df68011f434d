/// Takes bytes one after the other.
///
/// `public`, as those that write to it are, so that they are inlined into other modules.
public protocol ByteOutput {
    /// Appends one byte.
    mutating func append(_ byte: UInt8)
    /// Appends bytes in their order.
    mutating func append(contentsOf bytes: some Collection<UInt8>)
}

extension [UInt8]: ByteOutput {}

/// Memory that the caller has found large enough, and how far it is written.
@frozen
public struct PreparedMemory: ByteOutput {
    @usableFromInline var write: UnsafeMutablePointer<UInt8>

    /// Where the next byte goes.
    @inlinable @inline(__always)
    public var end: UnsafeMutablePointer<UInt8> { self.write }

    /// Starts at `start`, behind which there must be room for all that will be appended.
    @inlinable @inline(__always)
    public init(_ start: UnsafeMutablePointer<UInt8>) { self.write = start }

    /// Appends one byte.
    @inlinable @inline(__always)
    public mutating func append(_ byte: UInt8) {
        self.write.initialize(to: byte)
        self.write += 1
    }

    /// Appends bytes in their order.
    @inlinable @inline(__always)
    public mutating func append(contentsOf bytes: some Collection<UInt8>) {
        let count = bytes.count
        _ = UnsafeMutableBufferPointer(start: self.write, count: count).initialize(from: bytes)
        self.write += count
    }
}

/// Numbers as the protocol and JSON spell them.
@usableFromInline
enum DecimalDigits {
    /// Appends a number that is not less than 0.
    @inlinable
    static func append(_ number: some FixedWidthInteger, to output: inout some ByteOutput) {
        if number >= 10 { self.append(number / 10, to: &output) }
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }
}
