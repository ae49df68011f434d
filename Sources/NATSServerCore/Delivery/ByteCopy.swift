/// Copies of short runs of bytes without a call.
///
/// Most subjects, sids and many payloads are shorter than 64 bytes, where the call into `memcpy` costs more than the
/// copy. Never reads or writes a byte outside the two runs.
enum ByteCopy {
    // MARK: Hot path

    @inline(__always)
    static func copy(
        _ source: UnsafeRawPointer,
        _ count: Int,
        to target: UnsafeMutableRawPointer
    ) {
        if count >= 16 {
            if count > 96 {
                target.copyMemory(from: source, byteCount: count)
                return
            }
            var offset = 0
            let last = count - 16
            while offset < last {
                self.copy16(source, target, offset)
                offset += 16
            }
            // The last sixteen bytes may overlap what is already there.
            self.copy16(source, target, last)
        } else if count >= 8 {
            self.copy8(source, target, 0)
            self.copy8(source, target, count - 8)
        } else if count >= 4 {
            self.copy4(source, target, 0)
            self.copy4(source, target, count - 4)
        } else {
            var offset = 0
            while offset < count {
                target.storeBytes(
                    of: source.load(fromByteOffset: offset, as: UInt8.self),
                    toByteOffset: offset,
                    as: UInt8.self
                )
                offset += 1
            }
        }
    }

    @inline(__always)
    private static func copy16(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ offset: Int) {
        target.storeBytes(
            of: source.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self),
            toByteOffset: offset,
            as: SIMD16<UInt8>.self
        )
    }

    @inline(__always)
    private static func copy8(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ offset: Int) {
        target.storeBytes(
            of: source.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
            toByteOffset: offset,
            as: UInt64.self
        )
    }

    @inline(__always)
    private static func copy4(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ offset: Int) {
        target.storeBytes(
            of: source.loadUnaligned(fromByteOffset: offset, as: UInt32.self),
            toByteOffset: offset,
            as: UInt32.self
        )
    }
}
