/// Writes `PUB` and `HPUB` operations through a raw pointer.
enum FrameWriter {
    /// More than all parts of an operation but subject, reply, headers and payload take.
    static let overhead = 64

    /// Writes one operation; `target` has room for its parts and ``overhead``.
    ///
    /// Returns the bytes written.
    @inline(__always)
    static func write(
        subject: UnsafeRawBufferPointer,
        reply: UnsafeRawBufferPointer,
        headers: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer,
        to target: UnsafeMutableRawPointer
    ) -> Int {
        var position = target
        Self.writeHead(subject: subject, reply: reply, headersLength: headers.count, to: &position)
        Self.writeDecimal(headers.count &+ payload.count, to: &position)
        Self.writeLineEnd(to: &position)
        if headers.count > 0 {
            Self.copy(headers, to: &position)
        }
        Self.copy(payload, to: &position)
        Self.writeLineEnd(to: &position)
        return position - target
    }

    /// Writes what stands before the length of headers and payload together.
    @inline(__always)
    static func writeHead(
        subject: UnsafeRawBufferPointer,
        reply: UnsafeRawBufferPointer,
        headersLength: Int,
        to position: inout UnsafeMutableRawPointer
    ) {
        if headersLength == 0 {
            position.storeBytes(of: UInt32(littleEndian: 0x2042_5550), as: UInt32.self)  // "PUB "
            position += 4
        } else {
            position.storeBytes(of: UInt8(ascii: "H"), as: UInt8.self)
            (position + 1).storeBytes(of: UInt32(littleEndian: 0x2042_5550), as: UInt32.self)
            position += 5
        }
        Self.copy(subject, to: &position)
        position.storeBytes(of: 0x20, as: UInt8.self)
        position += 1
        if reply.count > 0 {
            Self.copy(reply, to: &position)
            position.storeBytes(of: 0x20, as: UInt8.self)
            position += 1
        }
        if headersLength > 0 {
            Self.writeDecimal(headersLength, to: &position)
            position.storeBytes(of: 0x20, as: UInt8.self)
            position += 1
        }
    }

    @inline(__always)
    static func copy(_ bytes: UnsafeRawBufferPointer, to position: inout UnsafeMutableRawPointer) {
        if let source = bytes.baseAddress {
            position.copyMemory(from: source, byteCount: bytes.count)
            position += bytes.count
        }
    }

    @inline(__always)
    static func writeLineEnd(to position: inout UnsafeMutableRawPointer) {
        position.storeBytes(of: UInt16(littleEndian: 0x0A0D), as: UInt16.self)
        position += 2
    }

    @inline(__always)
    static func writeDecimal(_ value: Int, to position: inout UnsafeMutableRawPointer) {
        var length = 1
        var bound = 10
        while value >= bound, length < 18 {
            length &+= 1
            bound &*= 10
        }
        var rest = UInt64(truncatingIfNeeded: value)
        var index = length &- 1
        while index >= 0 {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
            (position + index).storeBytes(of: UInt8(truncatingIfNeeded: remainder) &+ UInt8(ascii: "0"), as: UInt8.self)
            rest = quotient
            index &-= 1
        }
        position += length
    }
}
