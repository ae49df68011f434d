/// Servers that all answer one request, and which of them have answered which round of requests.
///
/// Times are ours, since any beginning.
package struct SystemServers: Sendable {
    private struct Server {
        var name: String
        var page: Page
        /// The first round that it answered.
        var firstRound: Int
        /// The last round that it answered.
        var round: Int
        /// How long its last answer took.
        var took: Duration
        /// How many others of its cluster it has routes to.
        var remotes: UInt64
        var cluster: String
    }

    /// One round of so many looks for new servers; the others end when those that are known have answered.
    private static let searchInterval = 5
    /// A round that looks for servers ends no sooner than so long after an answer.
    private static let leastStall: Duration = .milliseconds(300)
    private static let leastPatience: Duration = .seconds(2)
    /// A server that has not answered so many rounds is forgotten.
    private static let keptRounds = 60
    private static let maximumServers = 1024

    private let timeout: Duration
    private var servers: [String: Server] = [:]
    private var round = 0
    /// When the last rounds began, oldest first: later answers are of no interest.
    private var begins: [Duration] = []
    private var lastAnswer: Duration?
    /// Nobody will answer this round.
    private var isHopeless = false
    /// Peers of which servers told that never answer: of another system account, say.
    private var silentPeers: UInt64 = 0

    /// - Parameter timeout: The limit for an answer.
    package init(timeout: Duration) {
        self.timeout = timeout
    }

    /// The name of a server that has answered.
    package func name(of id: String) -> String? { self.servers[id]?.name }

    /// Whether a server that is known has not answered the last round.
    package func isMissing(_ id: String) -> Bool { self.servers[id].map { $0.round != self.round } ?? false }

    /// The server of a name that has answered the last round.
    package func id(ofName name: String) -> String? {
        self.servers.first { $0.value.round == self.round && $0.value.name == name }?.key
    }

    /// Begins a round: all are asked now.
    ///
    /// - Returns: Its number.
    package mutating func begin(at now: Duration) -> Int {
        self.round += 1
        self.begins.append(now)
        if self.begins.count > Self.keptRounds { self.begins.removeFirst() }
        (self.lastAnswer, self.isHopeless) = (nil, false)
        let oldest = self.round - Self.keptRounds
        self.servers = self.servers.filter { $0.value.round >= oldest }
        return self.round
    }

    /// Takes an answer, which counts for its round however late it is.
    package mutating func take(_ answer: SystemAnswer, ofRound round: Int, at now: Duration) {
        let age = self.round - round
        guard age >= 0, age < self.begins.count, !answer.id.isEmpty, case .page(let page) = answer.content else {
            return
        }
        let old = self.servers[answer.id]
        guard old != nil || self.servers.count < Self.maximumServers, old.map({ $0.round <= round }) ?? true else {
            return
        }
        var sample = Sample()
        sample.add(page, for: .server)
        self.servers[answer.id] = Server(
            name: answer.name,
            page: page,
            firstRound: old?.firstRound ?? round,
            round: round,
            took: now - self.begins[self.begins.count - 1 - age],
            remotes: sample.server?.remotes ?? 0,
            cluster: sample.server?.cluster ?? ""
        )
        if age == 0 { self.lastAnswer = now }
    }

    /// There will be no more answers to a round.
    ///
    /// - Returns: Whether it is the one that is waited for.
    package mutating func end(ofRound round: Int) -> Bool {
        if round == self.round { self.isHopeless = true }
        return round == self.round
    }

    /// How long to wait for an answer before looking again; nil when the round is over.
    package func rest(at now: Duration) -> Duration? {
        guard !self.isHopeless, let begin = self.begins.last, now < begin + self.patience else { return nil }
        let rest = begin + self.patience - now
        if self.isAwaiting { return rest }
        guard self.isSearch else { return nil }
        guard let lastAnswer = self.lastAnswer, self.missingPeers <= self.silentPeers else { return rest }
        let stall = lastAnswer + max(Self.leastStall, self.slowest * 2) - now
        return stall > .zero ? min(stall, rest) : nil
    }

    /// Ends a round.
    ///
    /// - Returns: The servers, those that have not answered it among them.
    package mutating func page() -> ClusterPage {
        if self.isSearch { self.silentPeers = self.missingPeers }
        self.forgetRestarted()
        var page = ClusterPage()
        for (id, server) in self.servers.sorted(by: { $0.key < $1.key }) {
            let problem = server.round == self.round ? "" : "no answer"
            page.add(key: id, problem: problem, id: id, name: server.name, status: server.page)
        }
        return page
    }

    /// Forgets the ids that servers had before they were started anew; those without a name cannot be told apart.
    private mutating func forgetRestarted() {
        // By name, the round in which the youngest of those that answer appeared.
        var appearances: [String: Int] = [:]
        for (id, server) in self.servers where server.round == self.round && id != server.name {
            appearances[server.name] = max(appearances[server.name] ?? 0, server.firstRound)
        }
        // One that answered beside it is another server of that name.
        self.servers = self.servers.filter { $0.value.round >= appearances[$0.value.name] ?? 0 }
    }

    /// Whether a server that answered the round before has not answered this one.
    private var isAwaiting: Bool { self.servers.values.contains { $0.round == self.round - 1 } }

    private var isSearch: Bool {
        self.round % Self.searchInterval == 1 || !self.servers.values.contains { $0.round >= self.round - 1 }
    }

    /// Far servers are waited for longer.
    private var patience: Duration { min(self.timeout, max(Self.leastPatience, self.slowest * 4)) }

    private var slowest: Duration { self.servers.values.reduce(.zero) { max($0, $1.took) } }

    /// How many servers others have routes to that have not answered this round.
    private var missingPeers: UInt64 {
        var clusters: [String: (answers: UInt64, expected: UInt64)] = [:]
        for server in self.servers.values where server.round == self.round {
            let (answers, expected) = clusters[server.cluster] ?? (0, 0)
            clusters[server.cluster] = (
                answers + 1, max(expected, min(server.remotes, UInt64(Self.maximumServers)) + 1)
            )
        }
        return clusters.values.reduce(0) { $0 + ($1.expected > $1.answers ? $1.expected - $1.answers : 0) }
    }
}
