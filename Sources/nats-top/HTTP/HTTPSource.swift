import NATSTop
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// Pages from monitoring ports.
final class HTTPSource: PageSource {
    /// How a client for a monitoring port is made.
    struct ClientFactory: Sendable {
        var eventLoop: any EventLoop
        var timeout: Duration
        var secureContext: NIOSSLContext?

        func client(_ target: Target) -> MonitoringClient {
            MonitoringClient(
                target: target,
                eventLoop: self.eventLoop,
                timeout: self.timeout,
                secureContext: target.isSecure ? self.secureContext : nil
            )
        }
    }

    private struct State {
        var client: MonitoringClient
        /// Named by the user, and not tried yet.
        var others: ArraySlice<Target>
    }

    private let factory: ClientFactory
    private let cluster: HTTPCluster
    private let state: NIOLockedValueBox<State>

    /// - Parameters:
    ///   - target: The server that is shown at first.
    ///   - others: Further servers that the user named.
    ///   - factory: Makes their clients.
    init(target: Target, others: [Target], factory: ClientFactory) {
        self.factory = factory
        self.cluster = HTTPCluster(targets: [target] + others, factory: factory)
        self.state = NIOLockedValueBox(State(client: factory.client(target), others: others[...]))
    }

    private var client: MonitoringClient { self.state.withLockedValue { $0.client } }

    var title: String { self.client.target.title }

    var introduction: String { "/varz smoke test failed: could not get stats from server: " }

    func question(_ request: Request) -> String { "Get \"\(self.client.target.url(of: request))\"" }

    func fetch(_ request: Request) async throws(FetchError) -> PageAnswer {
        if request == .cluster { return .page(await self.cluster.page()) }
        let answer = try await self.client.fetch(request)
        let body = Array(answer.body.readableBytesView)
        return answer.status == 200 ? .body(body) : .refusal(status: answer.status, body)
    }

    func watch(_ server: String) {
        guard let target = self.cluster.target(of: server) else { return }
        let client = self.factory.client(target)
        self.state.withLockedValue { $0.client = client }
    }

    func watchNext() -> Bool {
        guard let target = self.state.withLockedValue({ $0.others.popFirst() }) else { return false }
        let client = self.factory.client(target)
        self.state.withLockedValue { $0.client = client }
        return true
    }
}
