import NATSClient
import NATSCommandSupport
import NATSTop
import NIOConcurrencyHelpers
import NIOCore

/// Pages by requests on `$SYS`, which the users of the system account may send.
final class SystemSource: PageSource {
    private struct State {
        var client: NATSClient?
        /// The server that the user chose; nil is the one that the client is connected to.
        var chosen: (id: String, name: String)?
        /// The server that this round asks, from its first page on.
        var asked: (id: String, name: String)?
        var round = 0
        /// The round of the last page of the cluster: one that was abandoned may bring its own late.
        var clusterRound: Int?
        var hasAnswered = false
    }

    private let configuration: NATSClientConfiguration
    private let timeout: Duration
    private let cluster: SystemCluster
    private let state = NIOLockedValueBox(State())

    /// Connects with the first request.
    ///
    /// - Throws: `ToolFailure` for credentials that cannot be used.
    init(settings: ConnectionSettings, eventLoop: any EventLoop, timeout: Duration) throws {
        var configuration = try ToolConnection.configuration(
            settings,
            eventLoop: eventLoop,
            reconnect: .everySecond(attempts: nil)
        )
        // What is asked without a connection is not wanted any longer when there is one.
        configuration.disconnectedPublish = .fail
        self.configuration = configuration
        self.timeout = timeout
        self.cluster = SystemCluster(eventLoop: eventLoop, timeout: timeout)
    }

    let introduction = "could not get stats from server: "

    var title: String {
        let (client, asked) = self.state.withLockedValue { ($0.client, $0.asked ?? $0.chosen) }
        guard let server = client?.serverInfo else { return "" }
        guard let asked, asked.id != server.id else { return server.url }
        return "\(HarmlessText.make(asked.name, limit: 80)) by \(server.url)"
    }

    func question(_ request: Request) -> String {
        let id = self.state.withLockedValue { $0.asked?.id } ?? ""
        return id.isEmpty ? "connect" : request.systemSubject(server: id)
    }

    func begin() {
        self.state.withLockedValue { state in
            state.asked = nil
            state.round += 1
        }
    }

    /// Whom this round asks: the server that the user chose, or the one that the client is connected to now.
    private func asked(_ client: NATSClient) -> (id: String, name: String) {
        let connected = client.serverInfo.map { ($0.id, $0.name) } ?? ("", "")
        return self.state.withLockedValue { state in
            let asked = state.asked ?? state.chosen ?? connected
            state.asked = asked
            return asked
        }
    }

    func fetch(_ request: Request) async throws(FetchError) -> PageAnswer {
        let client = try await self.connect()
        if request == .cluster {
            let round = self.state.withLockedValue { $0.round }
            let page = try await self.cluster.page(client)
            self.state.withLockedValue { state in
                if state.round == round { state.clusterRound = round }
            }
            return .page(page)
        }
        let (id, name) = self.asked(client)
        if self.state.withLockedValue({ $0.clusterRound == $0.round }), self.cluster.isMissing(id) { throw .timedOut }
        let reply: NATSMessage
        do throws(NATSError) {
            reply = try await client.request(
                request.systemOptions(serverName: name),
                to: request.systemSubject(server: id),
                timeout: self.timeout
            )
        } catch {
            // A chosen server that has restarted has another id.
            if error.code == .noResponders, self.isChosen(id), let found = await self.cluster.id(ofName: name, client) {
                self.state.withLockedValue { state in
                    // The user may have chosen another one meanwhile.
                    if state.chosen?.id == id { state.chosen = (found, name) }
                }
            }
            throw self.failure(error)
        }
        self.state.withLockedValue { $0.hasAnswered = true }
        return try Self.answer(reply, from: id)
    }

    func watch(_ server: String) {
        let name = self.cluster.name(of: server) ?? server
        self.state.withLockedValue { $0.chosen = (server, name) }
    }

    func watchNext() -> Bool { false }

    private func isChosen(_ id: String) -> Bool { self.state.withLockedValue { $0.chosen?.id == id } }

    private func connect() async throws(FetchError) -> NATSClient {
        // One that was refused twice, by credentials that have expired, say, has closed itself.
        if let client = self.state.withLockedValue({ $0.client }), !client.isClosed { return client }
        do throws(NATSError) {
            let client = try await NATSClient.connect(self.configuration)
            self.state.withLockedValue { $0.client = client }
            return client
        } catch {
            throw .other(ToolFailure(error).description)
        }
    }

    private static func answer(_ reply: NATSMessage, from id: String) throws(FetchError) -> PageAnswer {
        guard let answer = SystemAnswer(reply.withPayloadBytes { Array($0) }) else {
            throw .other("an answer of no server")
        }
        guard answer.id == id || answer.id.isEmpty else { throw .other("another server answered: \(answer.name)") }
        return switch answer.content {
        case .page(let page): .page(page)
        case .refusal(let code, let text): .refusal(status: code, Array(text.utf8))
        }
    }

    private func failure(_ error: NATSError) -> FetchError {
        switch error.code {
        case .timeout: return .timedOut
        case .disconnected: return .other("not connected")
        case .noResponders:
            let hasAnswered = self.state.withLockedValue { $0.hasAnswered }
            return .other(hasAnswered ? "the server is gone" : "nobody answers: the user is not of the system account")
        default: return .other(ToolFailure(error).description)
        }
    }
}
