import NATSTop
import NIOCore

/// One place where a server of the cluster is, or may be.
struct ClusterLane: Sendable {
    let client: MonitoringClient
    /// By the user, who wants to see what is wrong with it.
    let isNamed: Bool
    private(set) var isAsking = false
    /// When it was asked last.
    private var asked = NIODeadline.uptimeNanoseconds(0)
    /// How long its last answer took.
    private var took = TimeAmount.zero
    /// When to ask again if nobody was there.
    private(set) var retry = NIODeadline.uptimeNanoseconds(0)
    /// How often in a row nobody was there.
    private var failures = 0
    private(set) var status: Page?
    private(set) var id = ""
    /// Why it does not answer; nil before its first answer.
    private var problem: String?
    private(set) var peers: [Connection] = []
    private(set) var hosts: [String] = []

    init(client: MonitoringClient, isNamed: Bool) {
        self.client = client
        self.isNamed = isNamed
    }

    var key: String { self.client.target.title }
    var isUp: Bool { self.problem?.isEmpty ?? false }
    var isNew: Bool { self.problem == nil }

    /// It is asked now.
    mutating func begin(_ now: NIODeadline) {
        self.isAsking = true
        self.asked = now
    }

    /// Why it does not answer, for people; empty if it does.
    ///
    /// - Parameters:
    ///   - now: When.
    ///   - patience: A server that has been asked so long ago, and used to answer sooner, does not answer.
    /// - Returns: One line.
    func problem(_ now: NIODeadline, _ patience: TimeAmount) -> String {
        guard let problem = self.problem, !problem.isEmpty || !self.isLate(now, patience) else {
            return "no answer yet"
        }
        return problem
    }

    /// Whether it has been asked so long ago that it counts as one that does not answer: longer than it usually takes.
    ///
    /// - Parameters:
    ///   - now: When.
    ///   - patience: It never counts so before this.
    /// - Returns: Whether it is.
    func isLate(_ now: NIODeadline, _ patience: TimeAmount) -> Bool {
        self.isAsking && now - self.asked >= max(patience, self.took + self.took)
    }

    /// Whether somebody is there who does not have the pages, or nobody: silence may be either.
    var isRefused: Bool {
        ![nil, "", FetchError.timedOut.description].contains(self.problem)
    }

    /// A server that was found, and is gone so often, is forgotten: some minutes, as ``delay(afterFailures:)`` has it.
    static let keptFailures = 5

    /// A place where nothing was found is tried again after this, and after twice as long each time.
    static func delay(afterFailures count: Int) -> TimeAmount {
        .seconds(min(10 << Int64(min(max(count - 1, 0), 8)), 300))
    }

    /// What a server said of itself and of its routes.
    struct Answer: Sendable {
        var status: Page?
        var sample = Sample()
        var problem = ""

        init(asking client: MonitoringClient) async {
            do throws(FetchError) {
                let page = try await Self.page(of: .server, client)
                self.sample.add(page, for: .server)
                guard self.sample.server != nil else { throw .other("an empty answer") }
                self.status = page
                // Without it the server is up all the same.
                if let routes = try? await Self.page(of: .routes, client) { self.sample.add(routes, for: .routes) }
            } catch {
                self.problem = error.description
            }
        }

        private static func page(
            of request: Request,
            _ client: MonitoringClient
        ) async throws(FetchError) -> Page {
            let answer: nats_top.Answer
            do throws(FetchError) {
                answer = try await client.fetch(request, limit: ClusterPage.maximumServerBytes)
            } catch FetchError.tooLarge {
                throw .other("a page too large")
            }
            guard answer.status == 200 else { throw .other("status \(answer.status)") }
            guard let page = Page(reading: Array(answer.body.readableBytesView)) else { throw .other("no JSON") }
            return page
        }
    }

    /// Takes an answer.
    ///
    /// - Parameters:
    ///   - answer: The answer.
    ///   - wanted: Ids of servers that others have routes to. At a place that the user did not name any server may be, of
    ///     another cluster too: only these are taken in, and what they say of where others are.
    ///   - now: When it came.
    mutating func take(_ answer: Answer, wanted: Set<String>, now: NIODeadline) {
        self.isAsking = false
        self.took = now - self.asked
        self.problem = answer.problem
        defer {
            self.failures = self.isUp ? 0 : self.failures + 1
            self.retry = now + Self.delay(afterFailures: self.failures)
            // What was here once has gone elsewhere, or for good; the place stays one where a server may be.
            if !self.isNamed, self.failures >= Self.keptFailures { (self.status, self.id) = (nil, "") }
        }
        guard let server = answer.sample.server else { return }
        let isPeer = !server.id.isEmpty && (server.id == self.id || wanted.contains(server.id))
        guard self.isNamed || isPeer else {
            self.problem = "another server answers"
            return
        }
        self.status = answer.status
        self.id = server.id
        self.hosts = server.connectURLs.compactMap { Self.host(ofURL: $0) }
        if let routes = answer.sample.routes { self.peers = Array(routes.connections.prefix(Sample.maximumServers)) }
    }

    /// `127.0.0.1:4222`, `[::1]:4222`.
    private static func host(ofURL url: String) -> String? {
        guard let colon = url.lastIndex(of: ":") else { return nil }
        let host = url[..<colon]
        return host.first == "[" ? String(host.dropFirst().dropLast()) : String(host)
    }
}
