import NIOCore

/// One relayed connection; both its sockets are on one event loop.
///
/// `@unchecked Sendable`: the queues are only touched on that loop.
final class RelayPassage: @unchecked Sendable {
    /// Bytes on their way; or the end, if there are none.
    private struct Waiting {
        let due: NIODeadline
        let bytes: ByteBuffer?
    }

    /// One way through.
    private struct Direction {
        /// Nodes.
        let from: Int
        let to: Int
        let target: any Channel
        /// What is delayed.
        var queue: [Waiting] = []
    }

    let dialler: Int
    let acceptor: Int
    private let near: any Channel
    private let far: any Channel
    private let links: RelayLinks
    private var there: Direction
    private var back: Direction

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
        self.there = Direction(from: dialler, to: acceptor, target: far)
        self.back = Direction(from: acceptor, to: dialler, target: near)
    }

    /// Passes bytes on from now on, first those that have come already; on the event loop.
    func begin(with received: ByteBuffer) {
        guard self.near.isActive, self.far.isActive, self.links.add(self) else { return self.close() }
        do {
            try self.near.pipeline.syncOperations.addHandler(RelayHandler { self.pass($0, \.there) })
            try self.far.pipeline.syncOperations.addHandler(RelayHandler { self.pass($0, \.back) })
        } catch {
            return self.close()
        }
        self.pass(received, \.there)
    }

    /// Ends both sockets; from anywhere.
    func close() {
        self.links.remove(self)
        self.near.close(promise: nil)
        self.far.close(promise: nil)
    }

    /// Ends the socket of one node; the other one learns of it as of anything that is sent; from anywhere.
    func end(from node: Int) { (node == self.dialler ? self.near : self.far).close(promise: nil) }

    /// Bytes have come from one side, or their end.
    private func pass(_ bytes: ByteBuffer?, _ way: ReferenceWritableKeyPath<RelayPassage, Direction>) {
        let direction = self[keyPath: way]
        if let bytes { self.links.observe(bytes, from: direction.from, to: direction.to, on: self) }
        var wait = TimeAmount.zero
        switch self.links.fault(from: direction.from, to: direction.to) {
        case .cut: return self.close()
        // Not even that there is nobody any more.
        case .blackHole, .halfOpen: return
        case .delay(let time): wait = TimeAmount(time)
        case nil: break
        }
        // What was sent before comes before, also when the delay ends.
        guard wait > .zero || !direction.queue.isEmpty else { return self.write(bytes, to: direction.target) }
        let last = direction.queue.last?.due ?? .now()
        self[keyPath: way].queue.append(Waiting(due: max(last, .now() + wait), bytes: bytes))
        if direction.queue.isEmpty { self.schedule(way) }
    }

    private func schedule(_ way: ReferenceWritableKeyPath<RelayPassage, Direction>) {
        guard let next = self[keyPath: way].queue.first else { return }
        let isThere = way == \.there
        self.near.eventLoop.scheduleTask(deadline: next.due) {
            let way: ReferenceWritableKeyPath<RelayPassage, Direction> = isThere ? \.there : \.back
            guard !self[keyPath: way].queue.isEmpty else { return }
            let next = self[keyPath: way].queue.removeFirst()
            self.write(next.bytes, to: self[keyPath: way].target)
            self.schedule(way)
        }
    }

    private func write(_ bytes: ByteBuffer?, to target: any Channel) {
        if let bytes { target.writeAndFlush(bytes, promise: nil) } else { self.close() }
    }
}

private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let received: (ByteBuffer?) -> Void

    init(_ received: @escaping (ByteBuffer?) -> Void) { self.received = received }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { self.received(self.unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) { self.received(nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
