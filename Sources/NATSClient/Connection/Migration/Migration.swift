import NATSWire
import NIOCore

/// What a migration has in hand: the connection beside the one in use, the messages held, who waits.
///
/// Lives on the event loop, and exists only from lame duck mode of a server to the end of the migration.
final class Migration {
    /// A message that only the new connection has brought so far.
    struct HeldMessage {
        let sid: UInt64
        let frame: MessageFrame
        let bytes: ByteBuffer
    }

    var machine: MigrationStateMachine
    var matcher = OverlapMatcher<HeldMessage>()
    /// Subscriptions that both connections have, and that each get all messages.
    var matchedSids: Set<UInt64> = []
    /// The number and the address of the attempt that is under way.
    var attempt: UInt64?
    var attemptAddress: ServerAddress?
    /// The connection that is to be the client's, until the switch.
    var successor: NATSChannelHandler?
    /// The connection that was the client's, from the switch on.
    var retiring: NATSChannelHandler?
    /// What subscriptions had received when the old, or the new, server was told of them.
    var receivedBeforeOld: [UInt64: UInt64] = [:]
    var receivedBeforeNew: [UInt64: UInt64] = [:]
    /// Subscriptions that the old server does not know: it had been given its last write when they were made.
    var newSids: Set<UInt64> = []
    /// Subscriptions made while the new server is asked to confirm the others: it is told of them at the switch.
    var lateSids: Set<UInt64> = []
    /// Changes of subscriptions that the connection beside the client's has not been told of.
    var unsent: [UInt8] = []
    /// Those that the old server is told of after its last write: subscriptions that end.
    var unsentOld: [UInt8] = []
    /// Operations in ``OutboundBuffer`` are for the new server.
    var oldHasLastWrite = false
    /// The successor has the subscriptions, and is told of changes.
    var isMirroring = false
    /// The write that is to be the last one to the old server waits for the one before it.
    var wantsLastWrite = false
    var timer: Scheduled<Void>?
    var deadline: Scheduled<Void>?
    /// Called at the end of the overlap.
    var afterwards: [OverlapWaiter] = []
    /// The retiring connection brought something since its deadline was set.
    var hasHeardOld = false

    var fromURL = ""
    var toURL = ""
    var overlapBegan = NIODeadline.uptimeNanoseconds(0)
    /// There is no room for more of the new connection's messages: it is not read.
    var isFull = false

    init(waits: MigrationStateMachine.Waits) {
        self.machine = MigrationStateMachine(waits: waits)
    }

    func key(_ frame: MessageFrame, sid: UInt64, in raw: UnsafeRawBufferPointer) -> OverlapMatcher<HeldMessage>.Key {
        var hasher = Hasher()
        func combine(_ start: UInt32, _ end: UInt32) {
            hasher.combine(end &- start)
            hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: raw[Int(start)..<Int(end)]))
        }
        combine(frame.subjectStart, frame.subjectEnd)
        combine(frame.replyStart, frame.replyEnd)
        combine(frame.bodyStart, frame.payloadStart)
        combine(frame.payloadStart, frame.payloadEnd)
        return .init(sid: sid, digest: hasher.finalize(), length: frame.bodyLength)
    }

    /// A copy that holds nothing but its own bytes.
    func held(_ frame: MessageFrame, sid: UInt64, in raw: UnsafeRawBufferPointer) -> HeldMessage {
        let span = frame.span
        var bytes = ByteBufferAllocator().buffer(capacity: span.count)
        bytes.writeBytes(UnsafeRawBufferPointer(rebasing: raw[span]))
        return HeldMessage(sid: sid, frame: frame.moved(from: span.lowerBound, to: 0), bytes: bytes)
    }
}
