#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension [UInt8] {
    /// Where the first occurrence of `marker` ends.
    ///
    /// Fast without optimisation too: megabytes that arrive in pieces are searched after each piece.
    package func endOfFirst(_ marker: [UInt8]) -> Int? {
        guard let first = marker.first else { return 0 }
        return self.withUnsafeBytes { bytes in
            marker.withUnsafeBytes { marker in
                guard let base = bytes.baseAddress, let needle = marker.baseAddress else { return nil }
                var start = 0
                while bytes.count - start >= marker.count,
                    let found = memchr(base + start, Int32(first), bytes.count - start - marker.count + 1)
                {
                    if memcmp(found, needle, marker.count) == 0 {
                        return UnsafeRawPointer(found) - base + marker.count
                    }
                    start = UnsafeRawPointer(found) - base + 1
                }
                return nil
            }
        }
    }
}
