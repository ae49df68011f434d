import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A thread on which the pages that are asked for over NATS are put together, from the first of them on: the clients' event
/// loops are only asked for numbers.
final class PageThread: Sendable {
    private enum State {
        case idle
        case running(MultiThreadedEventLoopGroup)
        case ended
    }

    private let state = NIOLockedValueBox(State.idle)

    /// Where to work; `nil` at the end of the server.
    var eventLoop: (any EventLoop)? {
        self.state.withLockedValue { state in
            switch state {
            case .idle:
                let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
                state = .running(group)
                return group.next()
            case .running(let group): return group.next()
            case .ended: return nil
            }
        }
    }

    /// Ends the thread; when nobody waits for it any more.
    func end() async {
        let group: MultiThreadedEventLoopGroup? = self.state.withLockedValue { state in
            defer { state = .ended }
            guard case .running(let group) = state else { return nil }
            return group
        }
        try? await group?.shutdownGracefully()
    }
}
