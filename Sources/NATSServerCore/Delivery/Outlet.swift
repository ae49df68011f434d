import NIOCore

/// The part of an ``Outlet`` that the delivery of a message touches: plain memory, no reference counting.
struct OutletState {
    /// Where the next byte goes.
    var write: UnsafeMutableRawPointer
    /// First byte that must not be written.
    ///
    /// Equal to `write` while nothing is staged, so that the first delivery of a
    /// tick, and the one that does not fit, take the slow path by the same comparison.
    var end: UnsafeMutableRawPointer
    /// Messages and payload bytes staged since the last flush.
    var messages = 0
    var payloadBytes = 0
    let owner: Unmanaged<Outlet>
}

/// The staging area between one producing event loop and one target connection.
///
/// Only the producing loop's thread touches it. Deliveries append to a chunk; once per loop tick ``takeStaged()`` hands
/// over all that has been staged, in order.
///
/// `@unchecked Sendable`: confined to the producing loop; the object itself crosses threads only to be torn down.
final class Outlet: @unchecked Sendable {
    /// What is handed over at a flush.
    struct Staged {
        /// All buffers but the last, which is mostly the only one.
        var earlier: [ByteBuffer]
        var last: ByteBuffer?
        var bytes: Int
        var messages: Int
        var payloadBytes: Int
    }

    let state: UnsafeMutablePointer<OutletState>
    /// `nil` once the connection is gone; whatever is still delivered here is dropped.
    private(set) var connection: ServerConnection?
    private unowned let loop: ServerLoop
    private var chunk: OutputChunk?
    private var full: [ByteBuffer] = []
    private var fullBytes = 0
    private var isTouched = false
    /// Follows the use: one size up when chunks overflow, one down when they stay mostly empty.
    private var sizeClass = 0

    /// More than this is not held back until the end of the tick.
    private static let stagedMaximum = 256 << 10

    init(loop: ServerLoop) {
        self.loop = loop
        self.state = .allocate(capacity: 1)
        self.state.initialize(
            to: OutletState(write: self.state, end: self.state, owner: Unmanaged.passUnretained(self))
        )
    }

    deinit {
        self.state.deinitialize(count: 1)
        self.state.deallocate()
    }

    func attach(_ connection: ServerConnection) { self.connection = connection }

    /// Makes room for a message of `count` bytes.
    ///
    /// - Returns: `false` if the message is not to be delivered: the connection is gone, or it has fallen behind and
    ///   producers are not to wait for it (nats-server client.go deliverMsg, NoFastProducerStall).
    @inline(never)
    func makeRoomForMessage(_ count: Int) -> Bool {
        if self.loop.dropsForCongested, self.connection?.backlog.isCongested == true { return false }
        return self.makeRoom(count)
    }

    /// Makes room for a message of `count` bytes that is appended piece by piece.
    ///
    /// Between two pieces a full chunk must not go out: the target's loop would write what other loops have for the
    /// connection behind the first half.
    ///
    /// - Returns: as ``makeRoomForMessage(_:)``.
    func reserve(_ count: Int) -> Bool {
        self.state.pointee.end - self.state.pointee.write >= count || self.makeRoomForMessage(count)
    }

    /// Makes room for `count` bytes, starting a chunk if needed.
    ///
    /// - Returns: `false` if the connection is gone or was given up as a slow consumer: nothing may be written.
    @inline(never)
    func makeRoom(_ count: Int) -> Bool {
        guard let connection = self.connection else { return false }
        if !self.isTouched {
            self.isTouched = true
            self.loop.touch(self)
        }
        if connection.backlog.isCongested, connection.backlog.shouldStallProducers(now: .now()) {
            self.loop.producersShouldStall = true
        }
        if self.chunk != nil {
            self.finishChunk()
            self.sizeClass = min(self.sizeClass + 1, OutputChunkPool.largestClass)
            // A tick may carry megabytes for one target: those go out now, not at its end, so that what waits here stays
            // small and a subscriber that keeps up is never taken for a slow one.
            if self.fullBytes >= min(Self.stagedMaximum, connection.backlog.maximum / 4) {
                self.loop.send(self.takeStaged(keepingTouched: true), to: connection)
                guard self.connection != nil else { return false }
            }
        }
        guard let chunk = self.loop.pool.take(sizeClass: self.sizeClass, minimum: count) else { return false }
        self.state.pointee.write = chunk.base
        self.state.pointee.end = chunk.base + chunk.capacity
        self.chunk = consume chunk
        return true
    }

    /// Appends protocol text that is not a message.
    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        if self.state.pointee.end - self.state.pointee.write < bytes.count {
            guard self.makeRoom(bytes.count) else { return }
        }
        self.state.pointee.write.copyMemory(from: source, byteCount: bytes.count)
        self.state.pointee.write += bytes.count
    }

    /// Appends the decimal digits of a number that is not negative.
    func append(number: Int) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = number.magnitude
            var start = digits.count
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            self.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[start...]))
        }
    }

    func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { self.append($0) } }

    func append(_ text: StaticString) {
        self.append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Takes all that has been staged.
    ///
    /// - Parameter keepingTouched: Whether the outlet stays on the loop's list for the end of the tick.
    /// - Returns: the chunks in order, and what they carry.
    func takeStaged(keepingTouched: Bool = false) -> Staged {
        self.isTouched = keepingTouched
        let last: ByteBuffer?
        if let chunk = self.chunk.take() {
            let count = self.state.pointee.write - chunk.base
            if self.full.isEmpty, self.sizeClass > 0, count < chunk.capacity / 8 { self.sizeClass -= 1 }
            self.fullBytes += count
            last = chunk.finish(count: count)
        } else {
            last = self.full.popLast()
        }
        self.clearWindow()
        let staged = Staged(
            earlier: self.full,
            last: last,
            bytes: self.fullBytes,
            messages: self.state.pointee.messages,
            payloadBytes: self.state.pointee.payloadBytes
        )
        if !self.full.isEmpty { self.full = [] }
        self.fullBytes = 0
        self.state.pointee.messages = 0
        self.state.pointee.payloadBytes = 0
        return staged
    }

    /// The connection is gone: drops what is staged, and lets go of it.
    func detach() {
        self.connection = nil
        self.chunk = nil
        self.full = []
        self.fullBytes = 0
        self.clearWindow()
    }

    private func finishChunk() {
        guard let chunk = self.chunk.take() else { return }
        let count = self.state.pointee.write - chunk.base
        self.fullBytes += count
        self.full.append(chunk.finish(count: count))
        self.clearWindow()
    }

    private func clearWindow() {
        // Any address will do, as long as there is no room behind it.
        self.state.pointee.write = UnsafeMutableRawPointer(self.state)
        self.state.pointee.end = UnsafeMutableRawPointer(self.state)
    }
}
