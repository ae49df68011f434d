import NIOCore
import NIOEmbedded
import Testing

@testable import NATSClient

@Suite struct OutboundFramesTests {
    private func kept(_ text: String) -> String {
        String(decoding: Array(text.utf8).withUnsafeBytes { OutboundFrames.publishes(in: $0) }, as: UTF8.self)
    }

    @Test("only whole publishes survive a lost connection, payloads that look like operations included")
    func publishes() {
        let publishes =
            "PUB a 5\r\nPING\n\r\nHPUB b r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPUB c 0\r\n\r\nPUB d 12\r\nSUB x 1\r\nUNS\r\n"
        #expect(self.kept(publishes) == publishes)
        #expect(
            self.kept("SUB a 1\r\nPUB a 2\r\nhi\r\nPING\r\nUNSUB 1 2\r\nSUB b q 3\r\nPUB b 1\r\nx\r\nPING\r\n")
                == "PUB a 2\r\nhi\r\nPUB b 1\r\nx\r\n"
        )
        #expect(self.kept("") == "")
        #expect(self.kept("PING\r\n") == "")
    }

    private func buffer(
        highWaterMark: Int = 1 << 20,
        reconnectBufferSize: Int = 8 << 20,
        writeBufferSize: Int = 1 << 20
    ) -> OutboundBuffer {
        OutboundBuffer(
            eventLoop: EmbeddedEventLoop(),
            highWaterMark: highWaterMark,
            reconnectBufferSize: reconnectBufferSize,
            writeBufferSize: writeBufferSize
        )
    }

    @Test("a stream of publishes gathers, unless as much waits as the write buffer holds")
    func writeBufferSize() throws {
        for (size, expected) in [(1000, OutboundBuffer.NextFlush.now), (1 << 20, .delayed)] {
            let buffer = self.buffer(writeBufferSize: size)
            _ = buffer.connected(maxPayload: 1 << 20, headersSupported: true) { _ in .init() }
            var next = OutboundBuffer.NextFlush.none
            // Flushes in close succession make a stream.
            for _ in 0..<10 {
                #expect(self.publish(buffer, String(repeating: "x", count: 2000), to: "a") == .accepted)
                let bytes = try #require(buffer.takeWork(canWrite: true, now: 10).bytes)
                #expect(self.publish(buffer, String(repeating: "x", count: 2000), to: "a") == .accepted)
                next = buffer.writeCompleted(bytes, now: 10)
            }
            #expect(next == expected)
        }
    }

    @Test("slices of a buffer are published as by themselves, until one is not accepted")
    func slices() {
        func connected(highWaterMark: Int = 1 << 20, maxPayload: Int = 5) -> OutboundBuffer {
            let buffer = self.buffer(highWaterMark: highWaterMark)
            _ = buffer.connected(maxPayload: maxPayload, headersSupported: true) { _ in .init() }
            return buffer
        }
        func publish(
            _ slices: [Range<Int>],
            _ buffer: OutboundBuffer,
            to subject: String = "a",
            reply: String? = nil,
            headers: NATSHeaders = [:]
        ) -> Int {
            buffer.enqueue(
                slices[...],
                of: ByteBuffer(string: "0123456789"),
                to: subject,
                reply: reply,
                headers: headers
            )
        }
        let all = connected()
        #expect(publish([0..<3, 3..<3, 5..<10], all) == 3)
        #expect(publish([9..<10], all, reply: "r", headers: ["A": "b"]) == 0, "headers count for the limit")
        #expect(
            self.text(all.takeWork(canWrite: true, now: 1).bytes)
                == "PUB a 3\r\n012\r\nPUB a 0\r\n\r\nPUB a 5\r\n56789\r\n"
        )

        let lengths = connected(maxPayload: 100)
        #expect(publish([0..<3, 4..<7, 0..<10, 9..<10, 0..<3], lengths, reply: "r", headers: ["A": "b"]) == 5)
        let head = "HPUB a r 18 "
        let body = "\r\nNATS/1.0\r\nA: b\r\n\r\n"
        #expect(
            self.text(lengths.takeWork(canWrite: true, now: 1).bytes)
                == ["21\(body)012", "21\(body)456", "28\(body)0123456789", "19\(body)9", "21\(body)012"]
                .map { head + $0 + "\r\n" }.joined()
        )

        let some = connected()
        #expect(publish([0..<1, 1..<7, 7..<8], some) == 1, "too large")
        #expect(publish([0..<1, 9..<11], some, reply: "r") == 1, "beyond the buffer")
        #expect(publish([0..<1], some, to: "a b") == 0)
        #expect(publish([0..<1], some, reply: "") == 0)
        #expect(publish([0..<1], some, headers: ["A": "b\r\n"]) == 0)
        #expect(publish([], some) == 0)
        #expect(self.text(some.takeWork(canWrite: true, now: 1).bytes) == "PUB a 1\r\n0\r\nPUB a r 1\r\n0\r\n")

        let full = connected(highWaterMark: 15)
        #expect(publish([0..<1, 1..<2, 2..<3], full) == 2)
        #expect(self.text(full.takeWork(canWrite: true, now: 1).bytes) == "PUB a 1\r\n0\r\nPUB a 1\r\n1\r\n")
    }

    private func publish(_ buffer: OutboundBuffer, _ payload: String, to subject: String) -> PublishOutcome {
        buffer.enqueue(payload, to: subject, reply: nil, headers: [:])
    }

    private func text(_ bytes: ByteBuffer?) -> String? {
        bytes.map { String(buffer: $0) }
    }

    @Test("frames are written in full, with reply and headers")
    func frames() {
        let buffer = self.buffer()
        _ = buffer.connected(maxPayload: 1 << 20, headersSupported: true) { _ in .init() }
        #expect(self.publish(buffer, "hello", to: "foo") == .accepted)
        #expect(buffer.enqueue("", to: "a.b", reply: "r", headers: [:]) == .accepted)
        #expect(buffer.enqueue("hi", to: "a", reply: nil, headers: ["X": "y"]) == .accepted)
        #expect(buffer.enqueue("hi", to: "a", reply: "r", headers: ["X": "y"]) == .accepted)
        let long = String(repeating: "x", count: 100_000)
        #expect(self.publish(buffer, long, to: "long") == .accepted)
        let expected =
            "PUB foo 5\r\nhello\r\nPUB a.b r 0\r\n\r\nHPUB a 18 20\r\nNATS/1.0\r\nX: y\r\n\r\nhi\r\n"
            + "HPUB a r 18 20\r\nNATS/1.0\r\nX: y\r\n\r\nhi\r\nPUB long 100000\r\n\(long)\r\n"
        #expect(self.text(buffer.takeWork(canWrite: true, now: 0).bytes) == expected)
    }

    @Test("publishes are refused above the mark, with bad subjects and headers, and beyond the server's limits")
    func refusals() {
        let buffer = self.buffer(highWaterMark: 20)
        _ = buffer.connected(maxPayload: 10, headersSupported: false) { _ in .init() }
        #expect(self.publish(buffer, "01234567890", to: "a") == .payloadTooLarge)
        #expect(buffer.enqueue("", to: "a", reply: nil, headers: ["a": "b"]) == .headersNotSupported)
        #expect(buffer.enqueue("", to: "a", reply: nil, headers: ["a": "b\n"]) == .badHeader)
        for subject in ["", " ", "a b", "a\r\nb", "a..b", ".a", "a.", "*", "a.*", "a.>", ">", "a\tb"] {
            #expect(self.publish(buffer, "", to: subject) == .badSubject, "\(subject)")
            #expect(buffer.enqueue("", to: "a", reply: subject, headers: [:]) == .badReply, "\(subject)")
        }
        #expect(self.publish(buffer, "0123456789", to: "a") == .accepted)
        #expect(self.publish(buffer, "", to: "a") == .full)
        _ = buffer.takeWork(canWrite: true, now: 0)
        #expect(self.publish(buffer, "", to: "a") == .accepted)
        _ = buffer.close(error: nil)
        #expect(self.publish(buffer, "", to: "a") == .refused)
    }

    @Test("while disconnected publishes are kept up to the limit, then sent behind the replay")
    func buffering() throws {
        let buffer = self.buffer(reconnectBufferSize: 25)
        #expect(self.publish(buffer, "one", to: "a") == .accepted)
        #expect(self.publish(buffer, "two", to: "a") == .accepted)
        #expect(self.publish(buffer, "three", to: "a") == .reconnectBufferExceeded)
        _ = try buffer.subscribe(subject: "s", queueGroup: nil, limits: .init())
        var operations = 0
        let start = buffer.connected(maxPayload: 1 << 20, headersSupported: true) { pending in
            operations = pending.count
            return .init(bytes: Array("SUB s 1\r\n".utf8))
        }
        #expect(operations == 1)
        #expect(self.text(start.bytes) == "SUB s 1\r\nPUB a 3\r\none\r\nPUB a 3\r\ntwo\r\n")
    }

    @Test("a lost connection leaves publishes that were not handed over, and PINGs that were not")
    func loss() throws {
        let buffer = self.buffer()
        _ = buffer.connected(maxPayload: 1 << 20, headersSupported: true) { _ in .init() }
        #expect(buffer.ping(.init { _ in }))
        #expect(self.publish(buffer, "gone", to: "a") == .accepted)
        _ = buffer.takeWork(canWrite: true, now: 0)
        #expect(self.publish(buffer, "kept", to: "a") == .accepted)
        _ = try buffer.subscribe(subject: "s", queueGroup: nil, limits: .init())
        #expect(buffer.ping(.init { _ in }))
        let loss = buffer.disconnected(isFinal: false)
        #expect(loss.pings.count == 1)
        #expect(loss.messagesHandedOver == 1)
        let start = buffer.connected(maxPayload: 1 << 20, headersSupported: true) { _ in .init() }
        #expect(self.text(start.bytes) == "PUB a 4\r\nkept\r\nPING\r\n")
        #expect(buffer.receivedPong() != nil)
        #expect(buffer.receivedPong() == nil)
    }

    @Test("a subscription that another thread makes at the last moment is among what is left at the close")
    func subscribedAtTheEnd() throws {
        let buffer = self.buffer()
        _ = buffer.connected(maxPayload: 1 << 20, headersSupported: true) { _ in .init() }
        #expect(buffer.takeWork(canWrite: false, now: 0).operations.isEmpty)
        let state = try buffer.subscribe(subject: "s", queueGroup: nil, limits: .init())
        let remainder = buffer.close(error: nil)
        guard case .add(state.sid, "s", nil, .subscription(let left)) = remainder.operations.first else {
            Issue.record("\(remainder.operations)")
            return
        }
        #expect(left === state)
        #expect(buffer.close(error: nil).operations.isEmpty)
        #expect(throws: NATSError.self) { try buffer.subscribe(subject: "s", queueGroup: nil, limits: .init()) }
        // Nothing piles up in a closed buffer.
        buffer.unsubscribe(sid: state.sid, maximum: nil)
        #expect(buffer.takeWork(canWrite: false, now: 0).operations.isEmpty)
    }

    @Test("a maximum set after a reconnect is sent less what the connections before brought")
    func maximumAfterReconnect() throws {
        let buffer = self.buffer()
        _ = buffer.connected(maxPayload: 1 << 20, headersSupported: true) { _ in .init(received: [7: 40]) }
        buffer.unsubscribe(sid: 7, maximum: 100)
        buffer.unsubscribe(sid: 8, maximum: 100)
        buffer.unsubscribe(sid: 7, maximum: 40)
        let work = buffer.takeWork(canWrite: true, now: 0)
        #expect(self.text(work.bytes) == "UNSUB 7 60\r\nUNSUB 8 100\r\nUNSUB 7\r\n")
        // The registry counts over the whole life.
        guard case .limit(7, 100) = work.operations.first else {
            Issue.record("\(work.operations)")
            return
        }
    }

    @Test("the memory of a completed write is written again")
    func reuse() {
        let buffer = self.buffer()
        _ = buffer.connected(maxPayload: 1 << 20, headersSupported: true) { _ in .init() }
        func address() -> Int? {
            _ = self.publish(buffer, "x", to: "a")
            var bytes = buffer.takeWork(canWrite: true, now: 0).bytes
            let address = bytes?.withUnsafeReadableBytes { $0.baseAddress.map { Int(bitPattern: $0) } }
            if let written = bytes.take() {
                _ = buffer.writeCompleted(written, now: 0)
            }
            return address ?? nil
        }
        let addresses = (0..<6).map { _ in address() }
        #expect(Set(addresses).count == 2, "\(addresses)")
        #expect(!addresses.contains(nil))
    }

    @Test("a publish into a connection that was the last, or was draining, is refused rather than forgotten")
    func noOtherConnection() {
        let last = self.buffer()
        _ = last.connected(maxPayload: 1 << 20, headersSupported: true) { _ in .init() }
        _ = last.disconnected(isFinal: true)
        #expect(self.publish(last, "x", to: "a") == .refused)
        #expect(!last.ping(.init { _ in }))
        let draining = self.buffer()
        _ = draining.connected(maxPayload: 1 << 20, headersSupported: true) { _ in .init() }
        draining.drainSubscriptions()
        #expect(self.publish(draining, "x", to: "a") == .accepted)
        draining.drainPublishes()
        #expect(self.publish(draining, "x", to: "a") == .refused)
        _ = draining.disconnected(isFinal: false)
        #expect(self.publish(draining, "x", to: "a") == .refused)
    }
}
