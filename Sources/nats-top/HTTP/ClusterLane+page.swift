import NATSTop
import NIOCore

/// All places together.
extension ClusterLane {
    /// Servers to which others have routes.
    static func peers(of lanes: [ClusterLane]) -> Set<String> {
        Set(lanes.filter(\.isUp).flatMap(\.peers).map(\.remoteID))
    }

    /// Servers to which the others have routes, and that have not answered themselves.
    private static func missing(_ lanes: [ClusterLane]) -> [Connection] {
        var seen = Set(lanes.map(\.id))
        let missing = lanes.filter(\.isUp).flatMap(\.peers).filter {
            !$0.remoteID.isEmpty && seen.insert($0.remoteID).inserted
        }
        return Array(missing.prefix(Sample.maximumServers))
    }

    /// How to come to a host that a server told of; nil if no server answers.
    private static func template(_ lanes: [ClusterLane]) -> Target? {
        lanes.first(where: \.isUp)?.client.target
    }

    /// Where the missing ones may be found: addresses before names, which have to be looked up.
    private static func places(_ lanes: [ClusterLane]) -> [Target] {
        let missing = self.missing(lanes)
        guard !missing.isEmpty, let template = self.template(lanes) else { return [] }
        let hosts = missing.map(\.ip) + lanes.filter(\.isUp).flatMap(\.hosts)
        let places = hosts.compactMap { template.at(host: $0) }
        return places.filter { self.isAddress($0) } + places.filter { !self.isAddress($0) }
    }

    /// Looks again where the missing ones may be.
    ///
    /// - Parameter lanes: All; those where nobody is, and of which nobody tells any more, make room.
    /// - Returns: The places that are not among them.
    static func newPlaces(_ lanes: inout [ClusterLane]) -> [Target] {
        let places = self.places(lanes)
        let told = Set(places.map(\.title))
        lanes.removeAll { lane in
            !lane.isNamed && !lane.isAsking && lane.status == nil && !lane.isNew && !told.contains(lane.key)
        }
        var seen = Set(lanes.map(\.key))
        return places.filter { seen.insert($0.title).inserted }
    }

    /// What is shown.
    ///
    /// - Parameters:
    ///   - lanes: All.
    ///   - now: When.
    ///   - patience: As ``problem(_:_:)`` takes it.
    /// - Returns: A row for each server.
    static func page(of lanes: [ClusterLane], now: NIODeadline, patience: TimeAmount) -> ClusterPage {
        var page = ClusterPage()
        var missing = self.missing(lanes)
        let template = self.template(lanes)
        let problems = lanes.map { $0.problem(now, patience) }
        let shown = self.shown(lanes, problems)
        let peers = self.peers(of: lanes)
        for (index, lane) in lanes.enumerated() where lane.isNamed || lane.status != nil {
            let problem = problems[index]
            guard lane.id.isEmpty else {
                if shown[lane.id] == index {
                    let hasPages = !lane.isRefused || !peers.contains(lane.id)
                    page.add(
                        key: lane.key,
                        address: lane.key,
                        problem: hasPages ? problem : "no pages: \(problem)",
                        hasPages: hasPages,
                        status: lane.status
                    )
                }
                continue
            }
            // Others know who should be here, if only one of them should.
            let here = missing.filter { template?.at(host: $0.ip)?.title == lane.key }
            if let peer = here.first, here.count == 1 {
                missing.removeAll { $0.remoteID == peer.remoteID }
                page.add(
                    key: lane.key,
                    address: lane.key,
                    problem: "no pages: \(problem)",
                    hasPages: false,
                    id: peer.remoteID,
                    name: peer.name
                )
            } else {
                page.add(key: lane.key, address: lane.key, problem: problem)
            }
        }
        for peer in missing {
            page.add(
                key: peer.remoteID,
                problem: "no pages" + (template?.at(host: peer.ip).map { " at \($0.title)" } ?? ""),
                hasPages: false,
                id: peer.remoteID,
                name: peer.name
            )
        }
        return page
    }

    /// The place by which each server is shown: one that answers at two addresses is one, where it answers.
    private static func shown(_ lanes: [ClusterLane], _ problems: [String]) -> [String: Int] {
        var shown: [String: Int] = [:]
        for (index, lane) in lanes.enumerated() where lane.isNamed || lane.status != nil {
            if let other = shown[lane.id], problems[other].isEmpty || !problems[index].isEmpty { continue }
            shown[lane.id] = index
        }
        return shown
    }

    private static func isAddress(_ target: Target) -> Bool {
        (try? SocketAddress(ipAddress: target.host, port: target.port)) != nil
    }
}
