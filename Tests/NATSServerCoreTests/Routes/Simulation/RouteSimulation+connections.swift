import NIOCore

@testable import NATSServerCore

/// What goes between servers, and when it arrives.
extension RouteSimulation {
    mutating func dial(_ address: RouteAddress, number: UInt64, from node: Int) {
        self.counters.dials += 1
        let life = self.nodes[node].life
        guard let target = self.nodes.firstIndex(where: { $0.address == address }) else {
            return self.queue.add(.refused(node: node, life: life, dial: number), at: self.now + Self.dialTimeout)
        }
        self.pipes.append(Pipe(ends: [End(node: node, life: life), End(node: target, life: 0)], dial: number))
        self.queue.add(.arrives(pipe: self.pipes.count - 1), at: self.now + self.delay())
    }

    mutating func arrives(_ number: Int) {
        let pipe = self.pipes[number]
        let (dialler, target) = (pipe.ends[0], pipe.ends[1].node)
        let isCut = self.isolated.contains([dialler.node, target])
        guard self.nodes[target].isUp, !isCut, self.nodes[dialler.node].life == dialler.life else {
            let wait = isCut ? Self.dialTimeout : self.delay()
            let event = Event.refused(node: dialler.node, life: dialler.life, dial: pipe.dial)
            return self.queue.add(event, at: self.now + wait)
        }
        self.pipes[number].ends[1] = self.openEnd(at: target, number)
        let established = self.now + self.delay()
        self.pipes[number].ends[0].lastArrival = established
        self.queue.add(.established(pipe: number), at: established)
        let host = self.nodes[dialler.node].address.host
        let id = self.pipes[number].ends[1].connection
        self.perform(self.nodes[target].book.accepted(id, from: host, now: self.deadline), at: target)
    }

    mutating func established(_ number: Int) {
        let (node, life) = (self.pipes[number].ends[0].node, self.pipes[number].ends[0].life)
        guard self.nodes[node].life == life else { return self.send(.end, over: number, from: 0) }
        let lastArrival = self.pipes[number].ends[0].lastArrival
        self.pipes[number].ends[0] = self.openEnd(at: node, number)
        self.pipes[number].ends[0].lastArrival = lastArrival
        let host = self.nodes[self.pipes[number].ends[1].node].address.host
        let (dial, id) = (self.pipes[number].dial, self.pipes[number].ends[0].connection)
        self.perform(self.nodes[node].book.dialled(dial, as: id, at: host, now: self.deadline), at: node)
    }

    mutating func openEnd(at node: Int, _ pipe: Int) -> End {
        self.lastConnection += 1
        self.nodes[node].pipes[self.lastConnection] = pipe
        return End(node: node, life: self.nodes[node].life, connection: self.lastConnection, isOpen: true)
    }

    func side(of connection: UInt64, _ pipe: Int) -> Int {
        self.pipes[pipe].ends[0].connection == connection ? 0 : 1
    }

    mutating func delay() -> UInt64 { UInt64.random(in: self.delays, using: &self.random) }

    mutating func send(_ message: Message, over pipe: Int, from side: Int) {
        let other = 1 - side
        guard !self.isolated.contains(Set(self.pipes[pipe].ends.map(\.node))) else { return }
        let arrival = max(self.now + self.delay(), self.pipes[pipe].ends[other].lastArrival + 1)
        self.pipes[pipe].ends[other].lastArrival = arrival
        self.queue.add(.message(message, pipe: pipe, to: other), at: arrival)
    }

    mutating func received(_ message: Message, _ pipe: Int, _ side: Int) {
        let end = self.pipes[pipe].ends[side]
        guard end.isOpen, self.nodes[end.node].life == end.life else { return }
        let (node, id) = (end.node, end.connection)
        switch message {
        case .connect(let greeting):
            self.perform(self.nodes[node].book.greeted(id, greeting, now: self.deadline), at: node)
        case .info(let info): self.perform(self.nodes[node].book.informed(id, info, now: self.deadline), at: node)
        case .ping: self.send(.pong, over: pipe, from: side)
        case .pong: self.perform(self.nodes[node].book.ponged(id, now: self.deadline), at: node)
        case .error: self.nodes[node].book.errorReceived(id)
        case .interest(let change): self.heard(change, on: id, at: node)
        case .end:
            self.shut(pipe, side)
            self.perform(self.nodes[node].book.closed(id, now: self.deadline), at: node)
        }
    }

    mutating func shut(_ pipe: Int, _ side: Int) {
        self.pipes[pipe].ends[side].isOpen = false
        let end = self.pipes[pipe].ends[side]
        self.nodes[end.node].pipes[end.connection] = nil
        self.forgetInterest(on: end.connection, at: end.node)
        // The other side learns of it, unless it is cut off; then it notices by itself.
        self.queue.add(.stale(pipe: pipe), at: self.now + self.staleAfter)
    }
}
