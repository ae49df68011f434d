import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import NATSServerCore

/// Input of a client that is paused again and again.
@Suite("held input")
struct HeldInputTests {
    @Test("what waits is not copied at each pause, and nothing of it is lost")
    func pauses() throws {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let shared = ServerShared(options: ServerOptions(logger: logger))
        let eventLoop = EmbeddedEventLoop()
        let loop = ServerLoop(eventLoop: eventLoop, index: 0, shared: shared)
        loop.siblings = [loop]
        let connection = ClientConnection(id: 5, loop: loop)
        defer {
            connection.outlet.detach()
            loop.siblings = []
        }
        nonisolated(unsafe) var payloads: [String] = []
        let subscription = shared.internalClient.subscribe(
            "slow",
            in: shared.accounts.global,
            .inline { message, _ in
                payloads.append(String(decoding: message.payload, as: UTF8.self))
                return .congested
            }
        )
        #expect(subscription != nil)
        Array("{}".utf8).withUnsafeBytes { connection.connect($0) }
        let input = Array((100..<200).map { "PUB slow 3\r\n\($0)\r\n" }.joined().utf8)
        input.withUnsafeBytes { connection.received($0) }

        /// Where the bytes that wait end.
        func end() -> UnsafeRawPointer? {
            connection.heldInput?.withUnsafeReadableBytes { bytes in bytes.baseAddress.map { $0 + bytes.count } }
        }
        let first = end()
        #expect(payloads == ["100"])
        for index in 1..<99 {
            connection.resumeInput()
            #expect(payloads.count == index + 1)
            #expect(end() == first)
        }
        connection.resumeInput()
        #expect(payloads == (100..<200).map { "\($0)" })
        #expect(connection.heldInput?.readableBytes == 0)
        subscription?.cancel()
    }
}
