import Logging
import NATSWebSocket
import NIOCore
import NIOEmbedded
import Testing

@testable import NATSServerCore

/// Nothing follows a close frame (RFC 6455 5.5.1).
@Suite("the last frame") struct WebSocketLastFrameTests {
    @Test(
        "what other loops had for a client is dropped once its close frame has been queued",
        arguments: [false, true]
    )
    func nothingFollows(isBrowser: Bool) throws {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let shared = ServerShared(options: ServerOptions(logger: logger))
        let channel = EmbeddedChannel()
        let loop = ServerLoop(eventLoop: channel.eventLoop, index: 0, shared: shared)
        var agreement = WebSocketHandshake.Agreement()
        agreement.isBrowser = isBrowser
        let handler = WebSocketHandler(service: WebSocketService(WebSocketOptions()), loop: loop, agreement)
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()

        try channel.writeOutbound(ByteBuffer(string: "before"))
        handler.sendClose(.serverShutdown)
        // A flush of nothing is what tells that everything before it has been written.
        try channel.writeOutbound(ByteBuffer())
        #expect(throws: ChannelError.outputClosed) { try channel.writeOutbound(ByteBuffer(string: "late")) }
        #expect(throws: ChannelError.outputClosed) {
            try channel.writeOutbound(ByteBuffer(repeating: 1, count: 10_000))
        }
        handler.writeFrames(WebSocketFrame.control(WebSocketFrame.pong, []), promise: nil)
        handler.sendClose(.serverShutdown)

        var written: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { written += buffer.readableBytesView }
        let close = WebSocketFrame.control(WebSocketFrame.close, WebSocketClosing(.serverShutdown).payload)
        #expect(written == [0x82, 6] + Array("before".utf8) + Array(close.readableBytesView))
        _ = try? channel.finish()
    }
}
