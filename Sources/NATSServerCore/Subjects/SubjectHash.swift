/// A fast keyed hash of subjects and tokens.
///
/// Multiply-and-fold over eight bytes at a time. Both multiplicands carry secret bits, so that a peer who chooses
/// subjects cannot construct collisions without knowing the process's keys.
struct SubjectHash: Sendable {
    private let key0: UInt64
    private let key1: UInt64

    init(using generator: inout some RandomNumberGenerator) {
        self.key0 = generator.next()
        self.key1 = generator.next() | 1
    }

    // MARK: Hot path

    @inline(__always)
    func callAsFunction(_ bytes: UnsafePointer<UInt8>, _ count: Int, salt: UInt64 = 0) -> UInt64 {
        let raw = UnsafeRawPointer(bytes)
        var hash = self.key0 ^ UInt64(truncatingIfNeeded: count) ^ (salt &* 0x9e37_79b9_7f4a_7c15)
        var index = 0
        while count - index > 8 {
            hash = self.fold(hash ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index += 8
        }
        let tail: UInt64
        if count >= 8 {
            tail = raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        } else if count >= 4 {
            tail =
                UInt64(raw.loadUnaligned(as: UInt32.self))
                | UInt64(raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)) << 32
        } else if count > 0 {
            tail = UInt64(bytes[0]) | UInt64(bytes[count >> 1]) << 8 | UInt64(bytes[count - 1]) << 16
        } else {
            tail = 0
        }
        return self.fold(self.fold(hash ^ tail))
    }

    @inline(__always)
    private func fold(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: self.key1)
        return product.high ^ product.low ^ self.key0
    }
}
