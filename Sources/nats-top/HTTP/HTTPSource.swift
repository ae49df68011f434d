import NATSTop
import NIOConcurrencyHelpers
import NIOCore

/// Pages from monitoring ports.
final class HTTPSource: PageSource {
    private struct State {
        var client: MonitoringClient
        /// Whom this round asks.
        var asked: MonitoringClient
        var round = 0
        /// The round of the last page of the cluster: one that was abandoned may bring its own late.
        var clusterRound: Int?
        /// Named by the user, and not tried yet.
        var others: ArraySlice<Target>
    }

    private let factory: MonitoringClientFactory
    private let cluster: HTTPCluster
    private let state: NIOLockedValueBox<State>

    /// - Parameters:
    ///   - target: The server that is shown at first.
    ///   - others: Further servers that the user named.
    ///   - factory: Makes their clients.
    init(target: Target, others: [Target], factory: MonitoringClientFactory) {
        self.factory = factory
        self.cluster = HTTPCluster(targets: [target] + others, factory: factory)
        let client = factory.client(target, isNamed: true)
        self.state = NIOLockedValueBox(State(client: client, asked: client, others: others[...]))
    }

    private var asked: MonitoringClient { self.state.withLockedValue { $0.asked } }

    var title: String { self.asked.target.title }

    var introduction: String { "/varz smoke test failed: could not get stats from server: " }

    func question(_ request: Request) -> String { "Get \"\(self.asked.target.url(of: request))\"" }

    func fetch(_ request: Request) async throws(FetchError) -> PageAnswer {
        if request == .cluster {
            let round = self.state.withLockedValue { $0.round }
            let page = await self.cluster.page()
            self.state.withLockedValue { state in
                if state.round == round { state.clusterRound = round }
            }
            return .page(page)
        }
        if self.state.withLockedValue({ $0.clusterRound == $0.round }), self.cluster.isAwaiting(self.asked.target.title)
        {
            throw .other("no answer yet")
        }
        let answer = try await self.asked.fetch(request)
        let body = Array(answer.body.readableBytesView)
        return answer.status == 200 ? .body(body) : .refusal(status: answer.status, body)
    }

    func begin() {
        self.state.withLockedValue { state in
            state.asked = state.client
            state.round += 1
        }
    }

    func watch(_ server: String) {
        guard let place = self.cluster.place(of: server) else { return }
        let client = self.factory.client(place.target, isNamed: place.isNamed)
        self.state.withLockedValue { $0.client = client }
    }

    func watchNext() -> Bool {
        guard let target = self.state.withLockedValue({ $0.others.popFirst() }) else { return false }
        let client = self.factory.client(target, isNamed: true)
        self.state.withLockedValue { $0.client = client }
        return true
    }
}
