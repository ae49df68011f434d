import NATSClient
import NATSCommandSupport
import NATSTop
import NIOConcurrencyHelpers
import NIOCore

/// The servers of a cluster, and of all clusters that it is joined to: they all answer one request.
final class SystemCluster: Sendable {
    private struct Server {
        var name: String
        var page: Page
        /// The last round that it answered.
        var round: Int
    }

    private struct State {
        var servers: [String: Server] = [:]
        var round = 0
    }

    /// So long after an answer the next one is waited for.
    private static let stall: Duration = .milliseconds(300)
    private static let patience: Duration = .seconds(2)
    /// One round of so many looks for new servers; the others end when those that are known have answered.
    private static let searchInterval = 5
    private static let maximumServers = 1024

    private let timeout: Duration
    private let state = NIOLockedValueBox(State())

    init(timeout: Duration) {
        self.timeout = min(timeout, Self.patience)
    }

    /// The name of a server that has answered.
    func name(of id: String) -> String? {
        self.state.withLockedValue { $0.servers[id]?.name }
    }

    /// Asks for all pages.
    func page(_ client: NATSClient) async throws(FetchError) -> Page {
        let (round, known) = self.state.withLockedValue { state in
            state.round += 1
            return (state.round, Set(state.servers.keys))
        }
        let searches = round % Self.searchInterval == 1 || known.isEmpty
        try await self.ask(client, round, untilAll: searches ? nil : known)
        return self.state.withLockedValue { state in
            // A server that has restarted has another id.
            let names = Set(state.servers.values.lazy.filter { $0.round == round }.map(\.name))
            state.servers = state.servers.filter { $0.value.round == round || !names.contains($0.value.name) }
            var page = ClusterPage()
            for (id, server) in state.servers.sorted(by: { $0.key < $1.key }) {
                let problem = server.round == round ? "" : "no answer"
                page.add(key: id, problem: problem, id: id, name: server.name, status: server.page)
            }
            return page.page
        }
    }

    /// The id of the server of a name, as it is now.
    func id(ofName name: String, _ client: NATSClient) async -> String? {
        let round = self.state.withLockedValue { state in
            state.round += 1
            return state.round
        }
        try? await self.ask(client, round, untilAll: nil)
        return self.state.withLockedValue { state in
            state.servers.first { $0.value.round == round && $0.value.name == name }?.key
        }
    }

    /// Asks until all of these servers have answered; nil: as long as answers come.
    private func ask(_ client: NATSClient, _ round: Int, untilAll known: Set<String>?) async throws(FetchError) {
        do throws(NATSError) {
            let replies = try await client.requestMany(
                Request.cluster.systemOptions(serverName: ""),
                to: Request.cluster.systemSubject(server: ""),
                timeout: self.timeout,
                stall: Self.stall
            )
            var awaited = known
            for try await reply in replies {
                guard reply.payload.readableBytes <= ClusterPage.maximumServerBytes,
                    let answer = SystemAnswer(reply.withPayloadBytes { Array($0) }), !answer.id.isEmpty,
                    case .page(let page) = answer.content
                else { continue }
                self.state.withLockedValue { state in
                    guard state.servers[answer.id] != nil || state.servers.count < Self.maximumServers else { return }
                    state.servers[answer.id] = Server(name: answer.name, page: page, round: round)
                }
                awaited?.remove(answer.id)
                if awaited?.isEmpty == true { break }
            }
        } catch {
            throw .other(ToolFailure(error).description)
        }
    }
}
