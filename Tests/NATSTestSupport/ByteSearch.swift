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
        self.withUnsafeBytes { bytes in
            marker.withUnsafeBytes { marker in
                guard let base = bytes.baseAddress, let needle = marker.baseAddress,
                    let found = memmem(base, bytes.count, needle, marker.count)
                else { return nil }
                return UnsafeRawPointer(found) - base + marker.count
            }
        }
    }
}
