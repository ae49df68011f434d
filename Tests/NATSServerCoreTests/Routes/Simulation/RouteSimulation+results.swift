@testable import NATSServerCore

/// Who is connected with whom, and who should be.
extension RouteSimulation {
    /// Connections between two servers, of which both ends are open.
    func openConnections(between first: Int, and second: Int) -> Int {
        self.nodes[first].pipes.values.count { pipe in
            let ends = self.pipes[pipe].ends
            return ends.allSatisfy(\.isOpen) && ends.map(\.node).sorted() == [first, second].sorted()
        }
    }

    /// Whether both sides of a pair have the same connections for the same links.
    func agree(_ first: Int, _ second: Int, on links: Set<RouteLink>) -> Bool {
        let ours = self.links(from: first, to: second)
        return ours == self.links(from: second, to: first) && Set(ours.keys) == links
            && self.openConnections(between: first, and: second) == links.count
    }

    /// Which pipe carries each link.
    func links(from node: Int, to other: Int) -> [RouteLink: Int] {
        self.nodes[node].book.links(to: self.nodes[other].book.options.id)
            .compactMapValues { self.nodes[node].pipes[$0] }
    }

    /// What is not as it should be, of all servers that run.
    func complaints() -> [String] {
        var complaints: [String] = []
        let running = self.nodes.indices.filter { self.nodes[$0].isUp }
        for first in running {
            if self.openConnections(between: first, and: first) > 0 { complaints.append("\(first) keeps itself") }
            for second in running where second > first {
                let wanted = self.wantedLinks(between: first, and: second)
                guard !self.agree(first, second, on: wanted) else { continue }
                let (there, back) = (self.links(from: first, to: second), self.links(from: second, to: first))
                let open = self.openConnections(between: first, and: second)
                complaints.append("\(first)–\(second): \(there) and \(back), \(open) open")
            }
        }
        return complaints
    }

    private func wantedLinks(between first: Int, and second: Int) -> Set<RouteLink> {
        let (ours, theirs) = (self.nodes[first].book.options, self.nodes[second].book.options)
        let size = RoutePool.size(own: ours.poolSize, peer: theirs.poolSize, most: ours.limits.poolSize)
        guard size > 0 else { return [.slot(0)] }
        let accounts = ours.accounts.filter(theirs.accounts.contains)
        return Set((0..<size).map(RouteLink.slot) + accounts.map(RouteLink.account))
    }
}
