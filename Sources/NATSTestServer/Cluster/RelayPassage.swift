import NIOCore

/// One relayed connection; both its sockets are on one event loop.
///
/// `@unchecked Sendable`: the queues are only touched on that loop.
final class RelayPassage: @unchecked Sendable {
    /// Bytes on their way.
    private struct Waiting {
        let due: NIODeadline
        let bytes: ByteBuffer
    }

    let dialler: Int
    let acceptor: Int
    private let near: any Channel
    private let far: any Channel
    private let links: RelayLinks
    /// What is delayed, to the acceptor and to the dialler.
    private var there: [Waiting] = []
    private var back: [Waiting] = []

    /// - Parameters:
    ///   - near: The socket of who has dialled.
    ///   - far: The one to whom he wants.
    ///   - dialler: His node.
    ///   - acceptor: The other node.
    ///   - links: What lies between them.
    init(near: any Channel, far: any Channel, from dialler: Int, to acceptor: Int, links: RelayLinks) {
        self.near = near
        self.far = far
        self.dialler = dialler
        self.acceptor = acceptor
        self.links = links
    }

    /// Passes bytes on from now on, first those that have come already; on the event loop.
    func begin(with received: ByteBuffer) {
        guard self.near.isActive, self.far.isActive, self.links.add(self) else { return self.close() }
        do {
            try self.near.pipeline.syncOperations.addHandler(
                RelayHandler {
                    self.pass($0, isBack: false)
                } ended: {
                    self.close()
                }
            )
            try self.far.pipeline.syncOperations.addHandler(
                RelayHandler {
                    self.pass($0, isBack: true)
                } ended: {
                    self.close()
                }
            )
        } catch {
            return self.close()
        }
        self.pass(received, isBack: false)
    }

    /// Ends both sockets; from anywhere.
    func close() {
        self.links.remove(self)
        self.near.close(promise: nil)
        self.far.close(promise: nil)
    }

    private func pass(_ bytes: ByteBuffer, isBack: Bool) {
        let fault =
            isBack
            ? self.links.fault(from: self.acceptor, to: self.dialler)
            : self.links.fault(from: self.dialler, to: self.acceptor)
        var wait = TimeAmount.zero
        switch fault {
        case .cut: return self.close()
        case .blackHole, .halfOpen: return
        case .delay(let time): wait = TimeAmount(time)
        case nil: break
        }
        let isFirst = isBack ? self.back.isEmpty : self.there.isEmpty
        // What was sent before comes before, also when the delay ends.
        guard wait > .zero || !isFirst else { return self.write(bytes, isBack: isBack) }
        let last = (isBack ? self.back.last : self.there.last)?.due ?? .now()
        let waiting = Waiting(due: max(last, .now() + wait), bytes: bytes)
        if isBack { self.back.append(waiting) } else { self.there.append(waiting) }
        if isFirst { self.schedule(isBack: isBack) }
    }

    private func schedule(isBack: Bool) {
        guard let next = isBack ? self.back.first : self.there.first else { return }
        self.near.eventLoop.scheduleTask(deadline: next.due) {
            guard let next = isBack ? self.back.first : self.there.first else { return }
            if isBack { self.back.removeFirst() } else { self.there.removeFirst() }
            self.write(next.bytes, isBack: isBack)
            self.schedule(isBack: isBack)
        }
    }

    private func write(_ bytes: ByteBuffer, isBack: Bool) {
        (isBack ? self.near : self.far).writeAndFlush(bytes, promise: nil)
    }
}

private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let received: (ByteBuffer) -> Void
    private let ended: () -> Void

    init(_ received: @escaping (ByteBuffer) -> Void, ended: @escaping () -> Void) {
        self.received = received
        self.ended = ended
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { self.received(self.unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) { self.ended() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { self.ended() }
}
