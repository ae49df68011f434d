public import NIOCore

/// Bytes that can be published.
///
/// ``withPayloadBytes(_:)`` lends the bytes for the length of the call; publishing copies them once, into the frame.
public protocol NATSPayload {
    /// Calls `body` once with the bytes, which are valid only inside it, and returns what it returns.
    func withPayloadBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result
}

extension String: NATSPayload {
    /// The UTF-8 of the string.
    @inlinable
    public func withPayloadBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var copy = self
        return copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

extension Substring: NATSPayload {
    /// The UTF-8 of the substring.
    @inlinable
    public func withPayloadBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var copy = self
        return copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

extension StaticString: NATSPayload {
    /// The UTF-8 of the literal.
    @inlinable
    public func withPayloadBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.withUTF8Buffer { body(UnsafeRawBufferPointer($0)) }
    }
}

extension Array: NATSPayload where Element == UInt8 {
    /// The bytes of the array.
    @inlinable
    public func withPayloadBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.withUnsafeBytes(body)
    }
}

extension ArraySlice: NATSPayload where Element == UInt8 {
    /// The bytes of the slice.
    @inlinable
    public func withPayloadBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.withUnsafeBytes(body)
    }
}

extension ByteBuffer: NATSPayload {
    /// The readable bytes of the buffer.
    @inlinable
    public func withPayloadBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.withUnsafeReadableBytes(body)
    }
}

extension UnsafeRawBufferPointer: NATSPayload {
    /// The memory pointed to.
    @inlinable
    public func withPayloadBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(self)
    }
}
