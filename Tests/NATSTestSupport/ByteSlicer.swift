/// Cuts bytes in every way a network may.
package enum ByteSlicer {
    /// Both halves for every place where the bytes can be cut in two, the ends included.
    package static func everySplit(_ bytes: [UInt8]) -> [(head: ArraySlice<UInt8>, tail: ArraySlice<UInt8>)] {
        (0...bytes.count).map { (bytes[..<$0], bytes[$0...]) }
    }

    /// Consecutive pieces of at most `size` bytes.
    package static func pieces(_ bytes: [UInt8], of size: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: bytes.count, by: max(size, 1)).map { bytes[$0..<min($0 + max(size, 1), bytes.count)] }
    }

    /// Consecutive pieces of random lengths from 1 to `longest`.
    package static func randomPieces(
        _ bytes: [UInt8],
        longest: Int,
        using generator: inout some RandomNumberGenerator
    ) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = min(start + Int.random(in: 1...max(longest, 1), using: &generator), bytes.count)
            pieces.append(bytes[start..<end])
            start = end
        }
        return pieces
    }
}
