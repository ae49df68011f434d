/// Whether two stretches of memory hold the same bytes; for short ones quicker than a call of `memcmp`.
@inline(__always)
func equalBytes(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
    var position = 0
    while position &+ 8 <= count {
        let a = left.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        let b = right.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        if a != b {
            return false
        }
        position &+= 8
    }
    while position < count {
        if left.load(fromByteOffset: position, as: UInt8.self) != right.load(fromByteOffset: position, as: UInt8.self) {
            return false
        }
        position &+= 1
    }
    return true
}
