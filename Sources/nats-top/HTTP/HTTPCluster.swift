import NATSClient
import NATSTop
import NIOConcurrencyHelpers
import NIOCore

/// The servers of a cluster, each asked at a monitoring port of its own.
///
/// Servers know the routes and the client ports of each other, not where their pages are: those that the user did not name
/// are looked for at the hosts that the others know, at the same port.
final class HTTPCluster: Sendable {
    private typealias Lane = ClusterLane

    /// A round waits so long for the servers that answered last time; others may answer the next one.
    private static let patience: TimeAmount = .seconds(1)
    private static let maximumLanes = 256

    private let factory: MonitoringClientFactory
    /// In the order in which they were found.
    private let lanes: NIOLockedValueBox<[Lane]>

    init(targets: [Target], factory: MonitoringClientFactory) {
        self.factory = factory
        self.lanes = NIOLockedValueBox(targets.map { Lane(client: factory.client($0, isNamed: true), isNamed: true) })
    }

    /// Where the pages of a server are, by its key, and whether the user named the place.
    func place(of key: String) -> (target: Target, isNamed: Bool)? {
        self.lanes.withLockedValue { lanes in
            lanes.first { $0.key == key }.map { ($0.client.target, $0.isNamed) }
        }
    }

    /// Whether a server that was asked before, by its key, has not answered for longer than it usually takes.
    func isAwaiting(_ key: String) -> Bool {
        let now = NIODeadline.now()
        return self.lanes.withLockedValue { lanes in
            lanes.contains { $0.key == key && !$0.isNew && $0.isLate(now, Self.patience) }
        }
    }

    /// Asks all of them.
    func page() async -> Page {
        await self.ask(self.begin())
        let found = self.discover()
        if !found.isEmpty { await self.ask(found) }
        return self.lanes.withLockedValue { ClusterLane.page(of: $0, now: .now(), patience: Self.patience).page }
    }

    // MARK: Questions

    /// Marks who is asked now.
    private func begin() -> [(client: MonitoringClient, mayWait: Bool)] {
        let now = NIODeadline.now()
        return self.lanes.withLockedValue { lanes in
            lanes.indices.compactMap { index in
                guard !lanes[index].isAsking, lanes[index].isNamed || lanes[index].isUp || lanes[index].retry <= now
                else { return nil }
                lanes[index].begin(now)
                return (lanes[index].client, lanes[index].isUp || lanes[index].isNew)
            }
        }
    }

    private func ask(_ questions: [(client: MonitoringClient, mayWait: Bool)]) async {
        let eventLoop = self.factory.eventLoop
        let promise = eventLoop.makePromise(of: Void.self)
        let rest = NIOLockedValueBox(questions.count { $0.mayWait })
        let timer = eventLoop.scheduleTask(in: Self.patience) { promise.succeed() }
        for (client, mayWait) in questions {
            // Goes on when the round does not wait any longer.
            Task.detached(executorPreference: NATSTaskExecutor(eventLoop: eventLoop)) {
                await self.ask(client)
                let isLast = rest.withLockedValue { rest in
                    if mayWait { rest -= 1 }
                    return rest == 0
                }
                if isLast { promise.succeed() }
            }
        }
        if rest.withLockedValue({ $0 == 0 }) { promise.succeed() }
        try? await promise.futureResult.get()
        timer.cancel()
    }

    private func ask(_ client: MonitoringClient) async {
        let answer = await ClusterLane.Answer(asking: client)
        self.lanes.withLockedValue { lanes in
            guard let index = lanes.firstIndex(where: { $0.client === client }) else { return }
            lanes[index].take(answer, wanted: ClusterLane.peers(of: lanes), now: .now())
        }
    }

    // MARK: Discovery

    /// Adds the places where servers may be that nobody has found, and marks them as asked.
    private func discover() -> [(client: MonitoringClient, mayWait: Bool)] {
        self.lanes.withLockedValue { lanes in
            let places = ClusterLane.newPlaces(&lanes)
            let targets = places.prefix(max(0, Self.maximumLanes - lanes.count))
            let now = NIODeadline.now()
            let found = targets.map { target in
                var lane = Lane(client: self.factory.client(target, isNamed: false), isNamed: false)
                lane.begin(now)
                return lane
            }
            lanes += found
            return found.map { ($0.client, true) }
        }
    }
}
