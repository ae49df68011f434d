import NIOCore

/// A ByteBuffer with a raw write position.
///
/// Invariant: `base` points at the first byte of `buffer`'s storage, which `buffer` retains and which nothing else writes
/// to or reallocates while the chunk owns it. The write index of `buffer` is only set when the chunk is handed over.
struct OutputChunk: ~Copyable {
    private var buffer: ByteBuffer
    let base: UnsafeMutableRawPointer
    let capacity: Int

    /// Takes the buffer's storage; `nil` if there is none of that size.
    init?(_ buffer: consuming ByteBuffer, capacity: Int) {
        var buffer = buffer
        buffer.clear(minimumCapacity: capacity)
        let region = buffer.withVeryUnsafeMutableBytes { $0 }
        guard let base = region.baseAddress, region.count >= capacity else { return nil }
        self.base = base
        self.capacity = region.count
        self.buffer = buffer
    }

    /// Hands over the bytes written.
    consuming func finish(count: Int) -> ByteBuffer {
        precondition(count >= 0 && count <= self.capacity)
        self.buffer.moveWriterIndex(to: count)
        return self.buffer
    }
}

/// Buffers that wait for their next use, by size class; belongs to one event loop.
struct OutputChunkPool {
    /// Sizes from 512 bytes to 256 KiB, each twice the one before.
    static let smallestSize = 512
    static let classCount = 10
    static let largestClass = classCount - 1
    /// What one size class keeps at most.
    private static let bytesKeptPerClass = 1 << 20

    private var free: [[ByteBuffer]] = Array(repeating: [], count: OutputChunkPool.classCount)
    private let allocator = ByteBufferAllocator()

    static func size(ofClass sizeClass: Int) -> Int { self.smallestSize << sizeClass }

    /// The smallest class that holds `bytes`, or `nil` if none does.
    static func sizeClass(for bytes: Int) -> Int? {
        var sizeClass = 0
        while sizeClass < self.classCount {
            if self.size(ofClass: sizeClass) >= bytes { return sizeClass }
            sizeClass += 1
        }
        return nil
    }

    /// A chunk of at least the class's size and at least `minimum` bytes.
    mutating func take(sizeClass: Int, minimum: Int) -> OutputChunk? {
        let fitting = Self.sizeClass(for: minimum)
        guard let fitting else {
            return OutputChunk(self.allocator.buffer(capacity: minimum), capacity: minimum)
        }
        let wanted = max(fitting, min(sizeClass, Self.largestClass))
        let size = Self.size(ofClass: wanted)
        if let buffer = self.free[wanted].popLast() { return OutputChunk(buffer, capacity: size) }
        return OutputChunk(self.allocator.buffer(capacity: size), capacity: size)
    }

    /// Takes a buffer back that has been written to its socket.
    mutating func recycle(_ buffer: consuming ByteBuffer) {
        let capacity = buffer.storageCapacity
        guard let sizeClass = Self.sizeClass(for: capacity), Self.size(ofClass: sizeClass) == capacity else { return }
        guard (self.free[sizeClass].count + 1) * capacity <= Self.bytesKeptPerClass else { return }
        self.free[sizeClass].append(buffer)
    }
}
