import CZlib
package import NIOCore

/// Compresses and expands messages, each by itself (RFC 7692 without context takeover).
///
/// One per event loop is enough, since no message needs to know another one: a connection costs no memory for it.
package final class WebSocketCoder {
    package enum Expansion: Equatable {
        case complete
        /// There is more than was wanted; what was wanted has been handed on.
        case tooLong
        case corrupt
        /// Whoever took the bytes wants no more.
        case stopped
    }

    private static let pieceSize = 32 << 10
    /// What a sender leaves out at the end of each message, and an empty last block.
    private static let tail: [UInt8] = [0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]
    package static let tailCount = tail.count

    private var deflater: UnsafeMutablePointer<z_stream>?
    private var inflater: UnsafeMutablePointer<z_stream>?

    package init() {}

    deinit {
        if let stream = self.deflater {
            deflateEnd(stream)
            stream.deallocate()
        }
        if let stream = self.inflater {
            inflateEnd(stream)
            stream.deallocate()
        }
    }

    // MARK: Compressing

    private func readyDeflater() -> UnsafeMutablePointer<z_stream>? {
        if let stream = self.deflater { return deflateReset(stream) == Z_OK ? stream : nil }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = deflateInit2_(
            stream,
            Z_BEST_SPEED,
            Z_DEFLATED,
            -15,
            8,
            Z_DEFAULT_STRATEGY,
            zlibVersion(),
            CInt(MemoryLayout<z_stream>.size)
        )
        guard result == Z_OK else {
            stream.deallocate()
            return nil
        }
        self.deflater = stream
        return stream
    }

    /// Compresses a message.
    ///
    /// - Returns: `nil` if there is no memory for it.
    package func compress(_ message: ByteBuffer) -> ByteBuffer? {
        guard let stream = self.readyDeflater(), message.readableBytes <= Int(CInt.max) else { return nil }
        var output = ByteBuffer()
        var isComplete = false
        message.withUnsafeReadableBytes { bytes in
            let input = bytes.bindMemory(to: UInt8.self)
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = UInt32(input.count)
            var size = max(256, min(input.count, Self.pieceSize))
            while !isComplete {
                var result = Z_OK
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { space in
                    let room = min(space.count, 1 << 30)
                    stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
                    stream.pointee.avail_out = UInt32(room)
                    result = deflate(stream, Z_SYNC_FLUSH)
                    return room - Int(stream.pointee.avail_out)
                }
                guard result == Z_OK || result == Z_BUF_ERROR else { return }
                // With room left everything has been flushed.
                isComplete = stream.pointee.avail_out > 0
                size = Self.pieceSize
            }
        }
        stream.pointee.next_in = nil
        stream.pointee.next_out = nil
        guard isComplete, output.readableBytes >= 4 else { return nil }
        output.moveWriterIndex(to: output.writerIndex - 4)
        return output
    }

    // MARK: Expanding

    private func readyInflater() -> UnsafeMutablePointer<z_stream>? {
        if let stream = self.inflater { return inflateReset(stream) == Z_OK ? stream : nil }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit2_(stream, -15, zlibVersion(), CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            return nil
        }
        self.inflater = stream
        return stream
    }

    /// Expands a message, piece by piece.
    ///
    /// - Parameters:
    ///   - message: What came.
    ///   - limit: So many bytes of it are handed on at most.
    ///   - take: Gets the pieces; says whether it wants more.
    /// - Returns: how it ended.
    package func expand(_ message: ByteBuffer, limit: Int, _ take: (ByteBuffer) -> Bool) -> Expansion {
        guard let stream = self.readyInflater() else { return .corrupt }
        guard message.readableBytes <= Int(CInt.max) else { return .tooLong }
        defer {
            stream.pointee.next_in = nil
            stream.pointee.next_out = nil
        }
        var used = 0
        /// The message is used up, and its tail follows: apart, since to append it would copy the message.
        var isInTail = false
        var left = limit
        while true {
            var result = Z_OK
            var piece = ByteBuffer()
            let inflateSome = { (bytes: UnsafeRawBufferPointer) in
                let input = UnsafeRawBufferPointer(rebasing: bytes[used...]).bindMemory(to: UInt8.self)
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.pointee.avail_in = UInt32(input.count)
                piece.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceSize) { space in
                    stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
                    stream.pointee.avail_out = UInt32(Self.pieceSize)
                    result = inflate(stream, Z_NO_FLUSH)
                    return Self.pieceSize - Int(stream.pointee.avail_out)
                }
                used = bytes.count - Int(stream.pointee.avail_in)
            }
            if isInTail {
                Self.tail.withUnsafeBytes(inflateSome)
            } else {
                message.withUnsafeReadableBytes(inflateSome)
            }
            let isTooLong = piece.readableBytes > left
            if isTooLong { piece.moveWriterIndex(to: piece.readerIndex + left) }
            left -= piece.readableBytes
            let made = piece.readableBytes
            if made > 0, !take(piece) { return .stopped }
            if isTooLong { return .tooLong }
            let isUsedUp = !isInTail && used == message.readableBytes
            switch result {
            case Z_STREAM_END: return .complete
            case Z_OK where isUsedUp, Z_BUF_ERROR where isUsedUp:
                isInTail = true
                used = 0
            case Z_OK: continue
            // No progress: the end came too early.
            default: return .corrupt
            }
        }
    }
}
