import NATSTop
import NIOCore

/// One place where a server of the cluster is, or may be.
struct ClusterLane: Sendable {
    let client: MonitoringClient
    /// By the user, who wants to see what is wrong with it.
    let isNamed: Bool
    var isAsking = false
    private(set) var retry = NIODeadline.uptimeNanoseconds(0)
    private var status: Page?
    private var id = ""
    /// Why it does not answer; nil before its first answer.
    private var problem: String?
    private var peers: [Connection] = []
    private var hosts: [String] = []

    init(client: MonitoringClient, isNamed: Bool, isAsking: Bool = false) {
        self.client = client
        self.isNamed = isNamed
        self.isAsking = isAsking
    }

    var key: String { self.client.target.title }
    var isUp: Bool { self.problem?.isEmpty ?? false }
    var isNew: Bool { self.problem == nil }

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
            let answer = try await client.fetch(request)
            guard answer.status == 200 else { throw .other("status \(answer.status)") }
            guard answer.body.readableBytes <= ClusterPage.maximumServerBytes else { throw .other("a page too large") }
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
    ///   - retry: When to ask again if nobody was there.
    mutating func take(_ answer: Answer, wanted: Set<String>, retry: NIODeadline) {
        self.isAsking = false
        self.retry = retry
        self.problem = answer.problem
        guard let server = answer.sample.server else { return }
        guard self.isNamed || server.id == self.id || wanted.contains(server.id) else {
            self.problem = "another server answers"
            return
        }
        self.status = answer.status
        self.id = server.id
        self.hosts = server.connectURLs.compactMap { Self.host(ofURL: $0) }
        if let routes = answer.sample.routes { self.peers = routes.connections }
    }

    /// `127.0.0.1:4222`, `[::1]:4222`.
    private static func host(ofURL url: String) -> String? {
        guard let colon = url.lastIndex(of: ":") else { return nil }
        let host = url[..<colon]
        return host.first == "[" ? String(host.dropFirst().dropLast()) : String(host)
    }

    // MARK: All of them

    /// Servers to which others have routes.
    static func peers(of lanes: [ClusterLane]) -> Set<String> {
        Set(lanes.filter(\.isUp).flatMap(\.peers).map(\.remoteID))
    }

    /// Servers to which the others have routes, and that have not answered themselves.
    private static func missing(_ lanes: [ClusterLane]) -> [Connection] {
        var seen = Set(lanes.map(\.id))
        return lanes.filter(\.isUp).flatMap(\.peers).filter {
            !$0.remoteID.isEmpty && seen.insert($0.remoteID).inserted
        }
    }

    /// Where the missing ones may be found.
    static func places(unknownTo lanes: [ClusterLane]) -> [Target] {
        let missing = self.missing(lanes)
        guard !missing.isEmpty, let first = lanes.first(where: \.isUp) else { return [] }
        var seen = Set(lanes.map(\.key))
        let hosts = missing.map(\.ip) + lanes.filter(\.isUp).flatMap(\.hosts)
        return hosts.compactMap { first.client.target.at(host: $0) }.filter { seen.insert($0.title).inserted }
    }

    /// What is shown.
    static func page(of lanes: [ClusterLane]) -> ClusterPage {
        var page = ClusterPage()
        var seen: Set<String> = []
        // One that answers at two addresses is one.
        for lane in lanes where lane.isNamed || lane.status != nil {
            guard lane.id.isEmpty || seen.insert(lane.id).inserted else { continue }
            page.add(
                key: lane.key,
                address: lane.key,
                problem: lane.problem ?? "no answer yet",
                status: lane.status
            )
        }
        let port = lanes.first.map { $0.client.target.port } ?? Target.standardPort
        for peer in self.missing(lanes) {
            page.add(
                key: peer.remoteID,
                problem: "no pages at \(peer.ip):\(port)",
                id: peer.remoteID,
                name: peer.name
            )
        }
        return page
    }
}
