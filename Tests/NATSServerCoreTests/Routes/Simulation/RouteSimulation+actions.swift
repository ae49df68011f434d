import Logging
import NIOCore

@testable import NATSServerCore

/// What the books want done.
extension RouteSimulation {
    func info(of node: Int, link: RouteLink, gossipMode: GossipMode) -> RoutePeer {
        let options = self.nodes[node].book.options
        let address = self.nodes[node].address
        var info = RoutePeer(
            id: options.id,
            name: options.name,
            host: "0.0.0.0",
            port: address.port,
            cluster: options.cluster
        )
        info.isDynamic = options.isDynamic
        info.poolSize = max(0, options.poolSize)
        info.gossipMode = gossipMode
        if !options.noAdvertise { info.clientURLs = ["\(address.host):4222"] }
        switch link {
        case .slot(let slot): info.poolIndex = slot
        case .account(let account): info.account = account
        }
        return info
    }

    mutating func perform(_ actions: [RouteAction], at node: Int) {
        for action in actions {
            switch action {
            case .dial(let number, let address, _): self.dial(address, number: number, from: node)
            case .sendConnect(let id):
                let options = self.nodes[node].book.options
                self.counters.connects += 1
                let greeting = RouteGreeting(id: options.id, cluster: options.cluster, isDynamic: options.isDynamic)
                self.send(.connect(greeting), from: id, at: node)
            case .sendInfo(let id, let link, let gossipMode):
                self.counters.infos += 1
                self.send(.info(self.info(of: node, link: link, gossipMode: gossipMode)), from: id, at: node)
            case .sendPing(let id):
                self.counters.pings += 1
                self.send(.ping, from: id, at: node)
            case .gossip(let info, let id):
                self.counters.gossip += 1
                self.send(.info(info), from: id, at: node)
            case .close(let id, let reason, let text):
                self.counters.closed[reason, default: 0] += 1
                if text != nil {
                    self.counters.errors += 1
                    self.send(.error, from: id, at: node)
                }
                self.send(.end, from: id, at: node)
                if let pipe = self.nodes[node].pipes[id] { self.shut(pipe, self.side(of: id, pipe)) }
            case .register(let id, let peer, _):
                self.counters.registered += 1
                self.planPing(on: id, at: node, first: true)
                self.assignAccounts(to: peer.id, at: node)
            case .announce(let clientURLs, _): self.nodes[node].clientURLs = clientURLs
            case .adoptCluster, .assignAccounts: break
            case .log(let level, _, _): if level == .error { self.counters.errorLines += 1 }
            }
        }
        self.setTimer(of: node)
    }

    mutating func send(_ message: Message, from id: UInt64, at node: Int) {
        guard let pipe = self.nodes[node].pipes[id] else { return }
        self.send(message, over: pipe, from: self.side(of: id, pipe))
    }

    mutating func setTimer(of node: Int) {
        guard let deadline = self.nodes[node].book.nextDeadline?.uptimeNanoseconds else { return }
        let time = max(deadline, self.now)
        if let timer = self.nodes[node].timer, timer <= time { return }
        self.nodes[node].timer = time
        self.queue.add(.timer(node: node, life: self.nodes[node].life, time), at: time)
    }
}
