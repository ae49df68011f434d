import NIOCore

/// Looks at operations that this client wrote itself and that wait in memory.
enum OutboundFrames {
    /// The `PUB` and `HPUB` operations among `bytes`, in order.
    ///
    /// After a reconnect SUB and UNSUB come from the subscriptions as they are then, and PING from whoever still waits.
    static func publishes(in bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        while position < bytes.count {
            guard let lineEnd = bytes[position...].firstIndex(of: 0x0A) else {
                return result
            }
            let first = bytes[position]
            // The first letters tell our operations apart: PUB, HPUB; PING, SUB, UNSUB.
            let isPublish =
                first == UInt8(ascii: "H")
                || (first == UInt8(ascii: "P") && position + 1 < bytes.count
                    && bytes[position + 1] == UInt8(ascii: "U"))
            var end = lineEnd + 1
            if isPublish {
                guard let size = Self.lastNumber(bytes[position..<lineEnd]), end + size + 2 <= bytes.count else {
                    return result
                }
                end += size + 2
                result.append(contentsOf: bytes[position..<end])
            }
            position = end
        }
        return result
    }

    private static func lastNumber(_ line: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let blank = line.lastIndex(of: 0x20) else {
            return nil
        }
        return Int(String(decoding: line[(blank + 1)...].filter { $0 != 0x0D }, as: UTF8.self))
    }
}
