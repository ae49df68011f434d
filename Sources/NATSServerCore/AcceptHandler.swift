import NIOCore

/// Accepts one round of connections after the other, and goes on when accepting fails.
///
/// Running out of file descriptors must not end the listener: the official server waits and tries again
/// (nats-server server.go acceptConnections).
final class AcceptHandler: ChannelInboundHandler {
    typealias InboundIn = Channel

    private static let pause: TimeAmount = .milliseconds(10)

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        context.read()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.pause) { channel.read() }
    }
}
