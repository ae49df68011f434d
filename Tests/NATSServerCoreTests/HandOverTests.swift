import Logging
import NATSTestSupport
import NIOCore
import NIOEmbedded
import Testing

@testable import NATSServerCore

/// What one event loop has for a connection of another is handed over in whole messages: between two pieces the other
/// loop may write what somebody else has for it.
@Suite("hand-over between event loops")
struct HandOverTests {
    @Test(
        "a batch too large for one piece is cut between messages",
        arguments: [
            ("1", true, "PUB a 60000"), ("a-sid-of-more-than-15-bytes", true, "PUB a 60000"),
            ("1", false, "HPUB a 12 60000"),
        ]
    )
    func wholeMessages(sid: String, hasHeaders: Bool, line: String) throws {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let shared = ServerShared(options: ServerOptions(logger: logger))
        let loops = (0..<2).map { ServerLoop(eventLoop: EmbeddedEventLoop(), index: $0, shared: shared) }
        for loop in loops { loop.siblings = loops }
        let publisher = ClientConnection(id: 5, loop: loops[0])
        let subscriber = ClientConnection(id: 6, loop: loops[1])
        defer {
            for connection in [publisher, subscriber] { connection.outlet.detach() }
            for loop in loops { loop.siblings = [] }
        }
        let subscription = Subscription(
            subject: Array("a".utf8),
            queue: [],
            sid: Array(sid.utf8),
            connection: subscriber,
            index: shared.accounts.global.index,
            echo: true,
            headers: hasHeaders,
            loopCount: 2
        )
        #expect(shared.accounts.global.index.insert(subscription))
        Array("{\"headers\":true}".utf8).withUnsafeBytes { publisher.connect($0) }

        let payload = "NATS/1.0\r\n\r\n" + String(repeating: "x", count: 60_000 - 12)
        let count = 100
        let input = Array(String(repeating: "\(line)\r\n\(payload)\r\n", count: count).utf8)
        input.withUnsafeBytes { publisher.received($0) }

        let size = hasHeaders ? 60_000 : 60_000 - 12
        let frame = "MSG a \(sid) \(size)\r\n".utf8.count + size + 2
        let handedOver = loops[1].mailbox.take().map { $0.1 }
        // What came last waits for the end of the tick.
        #expect(handedOver.count > 5)
        for staged in handedOver {
            let buffers = staged.earlier + [staged.last].compactMap { $0 }
            #expect(buffers.reduce(0) { $0 + $1.readableBytes } % frame == 0)
            #expect(buffers.reduce(0) { $0 + $1.readableBytes } == staged.messages * frame)
        }
    }
}
