import NATSClient
import NATSCommandSupport
import NATSTop
import NIOConcurrencyHelpers
import NIOCore

/// The servers of a cluster, and of all clusters that it is joined to: they all answer one request.
final class SystemCluster: Sendable {
    private struct State {
        var servers: SystemServers
        /// Why a round ended early.
        var failure: FetchError?
        /// Counts what has happened.
        var version = 0
        /// Waits for something to happen.
        var waiter: EventLoopPromise<Void>?
        /// Rounds of which late answers may come, oldest first.
        var listeners: [Task<Void, Never>] = []
    }

    /// No more rounds than this are listened to; each ends by itself when its time is over.
    private static let maximumListeners = 8

    private let eventLoop: any EventLoop
    private let timeout: Duration
    private let start = ContinuousClock.now
    private let state: NIOLockedValueBox<State>

    init(eventLoop: any EventLoop, timeout: Duration) {
        self.eventLoop = eventLoop
        self.timeout = timeout
        self.state = NIOLockedValueBox(State(servers: SystemServers(timeout: timeout)))
    }

    deinit {
        for listener in self.state.withLockedValue({ $0.listeners }) { listener.cancel() }
    }

    /// The name of a server that has answered.
    func name(of id: String) -> String? { self.state.withLockedValue { $0.servers.name(of: id) } }

    /// Whether a server that is known has not answered the last round.
    func isMissing(_ id: String) -> Bool { self.state.withLockedValue { $0.servers.isMissing(id) } }

    /// Asks for all pages.
    func page(_ client: NATSClient) async throws(FetchError) -> Page {
        try await self.ask(client)
        return self.state.withLockedValue { $0.servers.page().page }
    }

    /// The id of the server of a name, as it is now; nil if none of the name answers.
    func id(ofName name: String, _ client: NATSClient) async -> String? {
        guard (try? await self.ask(client)) != nil else { return nil }
        return self.state.withLockedValue { $0.servers.id(ofName: name) }
    }

    private var now: Duration { ContinuousClock.now - self.start }

    /// Asks all servers, and waits as long as ``SystemServers`` says; later answers count for this round too.
    private func ask(_ client: NATSClient) async throws(FetchError) {
        let round = self.state.withLockedValue { state in
            state.failure = nil
            return state.servers.begin(at: self.now)
        }
        let replies: NATSReplies
        do throws(NATSError) {
            replies = try await client.requestMany(
                Request.cluster.systemOptions(serverName: ""),
                to: Request.cluster.systemSubject(server: ""),
                timeout: self.timeout
            )
        } catch {
            throw .other(ToolFailure(error).description)
        }
        let listener = Task.detached(executorPreference: NATSTaskExecutor(eventLoop: self.eventLoop)) { [weak self] in
            do throws(NATSError) {
                for try await reply in replies { self?.take(reply, ofRound: round) }
                self?.end(ofRound: round, nil)
            } catch {
                self?.end(ofRound: round, .other(ToolFailure(error).description))
            }
        }
        let ended = self.state.withLockedValue { state in
            state.listeners.append(listener)
            return state.listeners.count > Self.maximumListeners ? state.listeners.removeFirst() : nil
        }
        ended?.cancel()
        while true {
            let (rest, version) = self.state.withLockedValue { ($0.servers.rest(at: self.now), $0.version) }
            guard let rest else { break }
            await self.wait(for: rest, unlessPast: version)
        }
        if let failure = self.state.withLockedValue({ $0.failure }) { throw failure }
    }

    private func take(_ reply: NATSMessage, ofRound round: Int) {
        guard reply.payload.readableBytes <= ClusterPage.maximumServerBytes,
            let answer = SystemAnswer(reply.withPayloadBytes { Array($0) })
        else { return }
        self.change { $0.servers.take(answer, ofRound: round, at: self.now) }
    }

    private func end(ofRound round: Int, _ failure: FetchError?) {
        self.change { state in
            if state.servers.end(ofRound: round) { state.failure = failure }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiter = self.state.withLockedValue { state in
            body(&state)
            state.version += 1
            return state.waiter.take()
        }
        waiter?.succeed()
    }

    /// Waits until something happens after `version`, but no longer than so.
    private func wait(for duration: Duration, unlessPast version: Int) async {
        let promise = self.eventLoop.makePromise(of: Void.self)
        let timer = self.eventLoop.scheduleTask(in: TimeAmount(duration)) { promise.succeed() }
        let isPast = self.state.withLockedValue { state in
            if state.version == version { state.waiter = promise }
            return state.version != version
        }
        if isPast { promise.succeed() }
        try? await promise.futureResult.get()
        timer.cancel()
    }
}
