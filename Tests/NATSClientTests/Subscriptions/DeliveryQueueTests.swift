import NATSTestSupport
import NATSWire
import NIOCore
import Testing

@testable import NATSClient

@Suite struct DeliveryQueueTests {
    private typealias Queue = DeliveryQueue<String>

    /// Messages with payloads of the given lengths.
    private func frames(_ lengths: [Int]) -> [MessageFrame] {
        lengths.map { length in
            MessageFrame(
                subjectStart: 0,
                subjectEnd: 1,
                replyStart: 1,
                replyEnd: 1,
                bodyStart: 2,
                payloadStart: 2,
                payloadEnd: 2 + UInt32(length)
            )
        }
    }

    private func push(_ queue: inout Queue, _ lengths: [Int], consumed: Queue.Consumed = .init()) -> Queue.PushAction {
        queue.push(self.frames(lengths), consumed: consumed) { frames, payloadBytes in
            MessageBatch(bytes: ByteBuffer(), frames: frames, bodyBytes: payloadBytes, outbound: nil)
        }
    }

    private func count(_ next: Queue.Next) -> Int? {
        guard case .messages(let batch, let index) = next else {
            return nil
        }
        return batch.frames.count - index
    }

    @Test("batches come out in order, from where the consumer stopped")
    func order() {
        var queue = Queue(limits: .init())
        _ = self.push(&queue, [1, 1, 1])
        _ = self.push(&queue, [1, 1])
        #expect(self.count(queue.next(consumed: .init())) == 3)
        #expect(self.count(queue.next(consumed: .init(messages: 2, bytes: 2))) == 1)
        #expect(self.count(queue.next(consumed: .init(messages: 3, bytes: 3))) == 2)
        #expect(queue.pendingMessages(.init(messages: 4, bytes: 4)) == 1)
        guard case .empty = queue.next(consumed: .init(messages: 5, bytes: 5)) else {
            Issue.record("not empty")
            return
        }
    }

    @Test("whoever waits is given back once, by the first push or the end")
    func waiters() {
        var queue = Queue(limits: .init())
        #expect(queue.addWaiter("a", consumed: .init()) != nil)
        let second = queue.addWaiter("b", consumed: .init())
        #expect(second.flatMap { queue.removeWaiter($0) } == "b")
        #expect(second.flatMap { queue.removeWaiter($0) } == nil)
        #expect(self.push(&queue, [1]).waiters == ["a"])
        #expect(self.push(&queue, [1]).waiters.isEmpty)
        // Something to take: no waiting.
        #expect(queue.addWaiter("c", consumed: .init()) == nil)
        #expect(queue.addWaiter("d", consumed: .init(messages: 2, bytes: 2)) != nil)
        #expect(queue.finish(nil) == ["d"])
        #expect(queue.finish(nil) == [])
        #expect(queue.addWaiter("e", consumed: .init(messages: 2, bytes: 2)) == nil)
    }

    @Test("messages beyond the limit are dropped, one event per episode, a new one only after the queue fell to 80 %")
    func slowConsumer() {
        var queue = Queue(limits: .init(messages: 10, bytes: nil))
        #expect(self.push(&queue, Array(repeating: 1, count: 10)).slowConsumer == nil)
        #expect(self.push(&queue, [1, 1]).slowConsumer == .began(dropped: 2))
        #expect(self.push(&queue, [1]).slowConsumer == nil)
        // One place became free: accepted, but the episode goes on.
        #expect(self.push(&queue, [1, 1], consumed: .init(messages: 1, bytes: 1)).slowConsumer == nil)
        #expect(queue.dropped == 4)
        // Below 80 %: over, with the drops of the whole episode.
        #expect(self.push(&queue, [1], consumed: .init(messages: 4, bytes: 4)).slowConsumer == .ended(dropped: 4))
        let action = self.push(&queue, Array(repeating: 1, count: 5), consumed: .init(messages: 4, bytes: 4))
        #expect(action.slowConsumer == .began(dropped: 3))
        #expect(queue.maxPendingMessages == 10)
    }

    @Test("the byte limit drops what does not fit and takes a smaller message behind it")
    func byteLimit() {
        var queue = Queue(limits: .init(messages: nil, bytes: 100))
        #expect(self.push(&queue, [60, 60, 40, 1]).slowConsumer == .began(dropped: 2))
        #expect(queue.pendingBytes(.init()) == 100)
        #expect(queue.pendingMessages(.init()) == 2)
        #expect(queue.dropped == 2)
    }

    @Test("the end comes after what is queued, with its error")
    func end() {
        var queue = Queue(limits: .init())
        _ = self.push(&queue, [1])
        _ = queue.finish(NATSError(.permissionViolation, "x"))
        #expect(self.count(queue.next(consumed: .init())) == 1)
        guard case .ended(let error) = queue.next(consumed: .init(messages: 1, bytes: 1)) else {
            Issue.record("not ended")
            return
        }
        #expect(error?.code == .permissionViolation)
        #expect(self.push(&queue, [1]).waiters.isEmpty)
        #expect(queue.pendingMessages(.init(messages: 1, bytes: 1)) == 0)
    }

    @Test("discarded messages are not pending and not delivered")
    func discard() {
        var queue = Queue(limits: .init())
        _ = self.push(&queue, [1, 1])
        queue.discard()
        _ = queue.finish(nil)
        guard case .ended(nil) = queue.next(consumed: .init()) else {
            Issue.record("not ended")
            return
        }
        #expect(queue.pendingMessages(.init()) == 0 && queue.pendingBytes(.init()) == 0)
    }

    @Test("a consumer whose count lags behind what is gone goes on with what is there")
    func lagging() {
        var queue = Queue(limits: .init())
        _ = self.push(&queue, [1, 1, 1])
        _ = self.push(&queue, [5, 5])
        #expect(self.count(queue.next(consumed: .init(messages: 3, bytes: 3))) == 2)
        #expect(self.count(queue.next(consumed: .init(messages: 1, bytes: 1))) == 2)
    }

    @Test("an episode that would end with a push that drops again goes on, and its end is told")
    func episodeGoesOn() {
        var queue = Queue(limits: .init(messages: 10, bytes: nil))
        let many = Array(repeating: 1, count: 12)
        #expect(self.push(&queue, many).slowConsumer == .began(dropped: 2))
        #expect(self.push(&queue, many, consumed: .init(messages: 5, bytes: 5)).slowConsumer == nil)
        #expect(queue.dropped == 9)
        #expect(self.push(&queue, [1], consumed: .init(messages: 15, bytes: 15)).slowConsumer == .ended(dropped: 9))
        #expect(self.push(&queue, many, consumed: .init(messages: 16, bytes: 16)).slowConsumer == .began(dropped: 2))
    }

    @Test("messages that are a small part of a large read are copied, however many they are")
    func smallPart() {
        var bytes = ByteBufferAllocator().buffer(capacity: 256 * 1024)
        bytes.writeRepeatingByte(UInt8(ascii: "x"), count: 200 * 1024)
        let few = MessageBatch.make(frames: self.frames([16]), in: bytes, bodyBytes: 16, outbound: nil)
        #expect(few.bytes.storageCapacity < 1024)
        let many = MessageBatch.make(
            frames: self.frames(Array(repeating: 16, count: 65)),
            in: bytes,
            bodyBytes: 65 * 16,
            outbound: nil
        )
        #expect(many.frames.count == 65 && many.bytes.storageCapacity < 8 * 1024)
        let large = MessageBatch.make(frames: self.frames([150_000]), in: bytes, bodyBytes: 150_000, outbound: nil)
        #expect(large.bytes.storageCapacity >= 256 * 1024)
    }

    @Test("the oldest messages go, but not those of the batch that the consumer has")
    func dropOldest() {
        var queue = Queue(limits: .init(messages: 4, bytes: 100, policy: .dropOldest))
        _ = self.push(&queue, [1, 2])
        _ = self.push(&queue, [3, 4])
        // Nobody has begun: the very first goes, then the rest of its batch and more.
        #expect(self.push(&queue, [5]).slowConsumer == .began(dropped: 1))
        #expect(self.lengths(&queue, from: .init()) == [2])
        _ = self.push(&queue, [6, 7])
        #expect(queue.dropped == 3 && queue.pendingMessages(.init()) == 4 && queue.pendingBytes(.init()) == 22)
        #expect(self.lengths(&queue, from: .init()) == [4])

        // The consumer has the head, and has finished nothing of it.
        guard case .messages = queue.next(consumed: .init(), takingBatch: true) else {
            Issue.record("no messages")
            return
        }
        _ = self.push(&queue, [8, 9])
        #expect(queue.dropped == 5 && queue.pendingMessages(.init()) == 4)
        var consumed = Queue.Consumed(messages: 1, bytes: 4)
        #expect(self.lengths(&queue, from: consumed) == [7])
        consumed = .init(messages: 2, bytes: 11)
        #expect(self.lengths(&queue, from: consumed) == [8, 9])
        consumed = .init(messages: 4, bytes: 28)
        guard case .empty = queue.next(consumed: consumed) else {
            Issue.record("not empty")
            return
        }
        #expect(queue.pendingMessages(consumed) == 0 && queue.pendingBytes(consumed) == 0)

        // More than there is room for at once: the last ones stay.
        _ = self.push(&queue, [1, 2, 3, 4, 5, 6], consumed: consumed)
        #expect(self.lengths(&queue, from: consumed) == [3, 4, 5, 6])
        // One message that is larger than everything.
        _ = self.push(&queue, [101], consumed: consumed)
        #expect(queue.pendingMessages(consumed) == 4 && queue.dropped == 8)
    }

    @Test("the oldest go whatever the consumer does meanwhile, and every message is delivered or counted")
    func dropOldestAtRandom() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<200 {
            var queue = Queue(limits: .init(messages: 7, bytes: 40, policy: .dropOldest))
            var consumed = Queue.Consumed()
            var sent = 0
            var taken: [Int] = []
            var held: ArraySlice<Int> = []
            for _ in 0..<60 {
                if Bool.random(using: &random) {
                    let count = Int.random(in: 1...5, using: &random)
                    // The length tells the message, and orders them.
                    _ = self.push(
                        &queue,
                        (0..<count).map { _ in Int.random(in: 0...8, using: &random) },
                        consumed: consumed
                    )
                    sent += count
                } else {
                    if held.isEmpty,
                        case .messages(let batch, let index) = queue.next(consumed: consumed, takingBatch: true)
                    {
                        held = batch.frames.map(\.bodyLength)[index...]
                    }
                    if let first = held.popFirst() {
                        taken.append(first)
                        consumed = .init(messages: consumed.messages + 1, bytes: consumed.bytes + first)
                    }
                }
                #expect(queue.pendingMessages(consumed) >= held.count)
                #expect(sent == taken.count + queue.pendingMessages(consumed) + Int(queue.dropped))
                #expect(queue.pendingBytes(consumed) >= held.reduce(0, +))
            }
        }
    }

    @Test("a consumer that finishes messages which were dropped meanwhile is owed nothing, and nothing overflows")
    func dropOldestBehindTheConsumer() {
        var random = SeededGenerator(seed: 12)
        for limits in [(2, nil), (nil, 20), (3, 20)] as [(Int?, Int?)] {
            var queue = Queue(limits: .init(messages: limits.0, bytes: limits.1, policy: .dropOldest))
            var consumed = Queue.Consumed()
            var held: [Int] = []
            for _ in 0..<500 {
                if Bool.random(using: &random) {
                    let count = Int.random(in: 1...4, using: &random)
                    _ = self.push(
                        &queue,
                        (0..<count).map { _ in Int.random(in: 0...8, using: &random) },
                        consumed: consumed
                    )
                } else if held.isEmpty {
                    // A look that takes nothing: all of it may be dropped before it is finished.
                    held = self.lengths(&queue, from: consumed)
                } else {
                    let length = held.removeFirst()
                    consumed = .init(messages: consumed.messages + 1, bytes: consumed.bytes + length)
                }
                #expect(queue.pendingMessages(consumed) >= 0 && queue.pendingBytes(consumed) >= 0)
            }
        }
    }

    @Test("the end by a full queue comes behind what waits")
    func fail() {
        var queue = Queue(limits: .init(messages: 2, policy: .fail))
        #expect(queue.addWaiter("a", consumed: .init()) != nil)
        let action = self.push(&queue, [1, 1, 1])
        #expect(action.slowConsumer == .failed(dropped: 1))
        #expect(queue.endError?.code == .slowConsumer && action.waiters == ["a"] && !queue.isOpen)
        #expect(self.count(queue.next(consumed: .init())) == 2)
        guard case .ended(.some) = queue.next(consumed: .init(messages: 2, bytes: 2)) else {
            Issue.record("not ended")
            return
        }
    }

    @Test("a loss is told once for each episode")
    func loss() {
        var queue = Queue(limits: .init(messages: 5))
        #expect(!queue.takeLoss(consumed: .init()) && !queue.isSlow)
        _ = self.push(&queue, [1, 1, 1, 1, 1, 1])
        _ = self.push(&queue, [1])
        #expect(queue.takeLoss(consumed: .init()) && !queue.takeLoss(consumed: .init()) && queue.isSlow)
        let consumed = Queue.Consumed(messages: 5, bytes: 5)
        _ = self.push(&queue, [1], consumed: consumed)
        #expect(!queue.takeLoss(consumed: .init()) && !queue.isSlow)
        _ = self.push(&queue, [1, 1, 1, 1, 1, 1], consumed: consumed)
        #expect(queue.takeLoss(consumed: .init()) == true)
    }

    private func lengths(_ queue: inout Queue, from consumed: Queue.Consumed) -> [Int] {
        guard case .messages(let batch, let index) = queue.next(consumed: consumed) else {
            return []
        }
        return batch.frames[index...].map(\.bodyLength)
    }

    @Test("a queue that pauses reads keeps all, and says when to stop and to go on")
    func pauseReads() {
        var queue = Queue(limits: .init(messages: 5, bytes: nil, policy: .pauseReads))
        #expect(self.push(&queue, [1, 1]).reads == nil)
        let over = self.push(&queue, [1, 1, 1, 1])
        #expect(over.reads == .pause(1) && over.slowConsumer == .began(dropped: 0))
        // What had been read already comes all the same, and says nothing new.
        let more = self.push(&queue, [1])
        #expect(more.reads == nil && more.slowConsumer == nil)
        #expect(queue.pendingMessages(.init()) == 7 && queue.dropped == 0 && queue.isSlow)
        #expect(queue.takeResume(consumed: .init(messages: 3, bytes: 3)) == nil)
        let resume = queue.takeResume(consumed: .init(messages: 4, bytes: 4))
        #expect(resume?.number == 1 && resume?.dropped == 0 && !queue.isSlow)
        #expect(queue.takeResume(consumed: .init(messages: 4, bytes: 4)) == nil)
        // Again, and this time a read that was under way finds that the consumer has caught up.
        #expect(self.push(&queue, [1, 1], consumed: .init(messages: 4, bytes: 4)).reads == .pause(2))
        let late = self.push(&queue, [1], consumed: .init(messages: 9, bytes: 9))
        #expect(late.reads == .resume(2) && late.slowConsumer == .ended(dropped: 0))
    }

    @Test("nobody waits for a queue whose consumer is gone, that drains, or that has ended")
    func pauseEnds() {
        for way in 0..<3 {
            var queue = Queue(limits: .init(messages: 2, bytes: nil, policy: .pauseReads))
            #expect(self.push(&queue, [1, 1]).reads == .pause(1))
            #expect(queue.takeResume(consumed: .init()) == nil)
            switch way {
            case 0: queue.isUnattended = true
            case 1: queue.isDraining = true
            default: _ = queue.finish(nil)
            }
            #expect(queue.takeResume(consumed: .init())?.number == 1)
            let action = self.push(&queue, [1, 1])
            #expect(action.reads == nil)
            // Only what is still on its way to a consumer is taken beyond the limits.
            #expect(queue.pendingMessages(.init()) == (way == 1 ? 4 : 2))
            #expect(queue.dropped == (way == 0 ? 2 : 0))
        }
    }
}
