import NATSTop
import NIOConcurrencyHelpers
import NIOCore

/// Pages from monitoring ports.
final class HTTPSource: PageSource {
    private struct State {
        var client: MonitoringClient
        /// Whom this round asks.
        var asked: MonitoringClient
        /// Whether the cluster's page is of this round.
        var hasCluster = false
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
            let page = await self.cluster.page()
            self.state.withLockedValue { $0.hasCluster = true }
            return .page(page)
        }
        if self.state.withLockedValue({ $0.hasCluster }), self.cluster.isAwaiting(self.asked.target.title) {
            throw .other("no answer yet")
        }
        let answer = try await self.asked.fetch(request)
        let body = Array(answer.body.readableBytesView)
        return answer.status == 200 ? .body(body) : .refusal(status: answer.status, body)
    }

    func begin() {
        self.state.withLockedValue { state in
            state.asked = state.client
            state.hasCluster = false
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
