import NIOCore

/// Growing memory for outgoing operations, written through a raw pointer and handed to NIO without a copy.
///
/// Invariant: `base` points at the first byte of `storage`, which this value alone references; every change of `storage`
/// is followed by ``refreshPointer()``. Writers call ``reserve(_:)``, write at most that many bytes there, then
/// ``commit(_:)``. (A closure per field costs four times as much as the cached pointer.)
struct FrameBuffer: ~Copyable {
    private static let initialCapacity = 65_536
    /// Memory that one large message needed is not kept beyond this.
    private static let largestKept = 4 << 20

    private var storage: ByteBuffer
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    /// Bytes written so far.
    private(set) var count = 0

    init() {
        self.storage = ByteBufferAllocator().buffer(capacity: Self.initialCapacity)
        self.base =
            UnsafeMutableRawPointer(bitPattern: 1) ?? UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
        self.capacity = 0
        self.refreshPointer()
    }

    // MARK: Hot path

    /// Where to write the next bytes; there is room for `length`.
    @inline(__always)
    mutating func reserve(_ length: Int) -> UnsafeMutableRawPointer {
        if self.capacity &- self.count < length {
            self.grow(by: length)
        }
        return self.base + self.count
    }

    /// `length` bytes have been written where ``reserve(_:)`` said.
    @inline(__always)
    mutating func commit(_ length: Int) {
        self.count = self.count &+ length
    }

    // MARK: Everything else

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else {
            return
        }
        self.reserve(bytes.count).copyMemory(from: source, byteCount: bytes.count)
        self.commit(bytes.count)
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.append($0) }
    }

    /// All bytes written; goes on in the memory of `replacement`, if that is free again, or in new memory.
    ///
    /// Takes `replacement` in any case: while another variable holds its memory, that memory is not free.
    mutating func take(replacement: inout ByteBuffer?) -> ByteBuffer {
        self.storage.moveWriterIndex(to: self.count)
        if let capacity = replacement?.capacity, capacity > Self.largestKept {
            replacement = nil
        }
        var next = replacement.take() ?? ByteBufferAllocator().buffer(capacity: Self.initialCapacity)
        next.clear()  // reuses the memory when nobody else holds it
        swap(&self.storage, &next)
        self.count = 0
        self.refreshPointer()
        return next
    }

    @inline(never)
    private mutating func grow(by length: Int) {
        self.storage.moveWriterIndex(to: self.count)
        self.storage.reserveCapacity(max(self.count + length, self.capacity * 2))
        self.refreshPointer()
    }

    private mutating func refreshPointer() {
        self.storage.withVeryUnsafeMutableBytes { bytes in
            self.capacity = bytes.count
            if let base = bytes.baseAddress {
                self.base = base
            }
        }
    }
}
