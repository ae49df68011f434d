import Logging
import NATSTestSupport
import NIOCore

@testable import NATSServerCore

/// Servers without sockets: their ``RouteBook``s, joined by queues of messages with random delays from a seed.
///
/// Time is simulated, so a run is the same every time. Counts what was sent; knows who is connected with whom.
struct RouteSimulation {
    enum Message: Equatable {
        case connect(RouteGreeting)
        case info(RoutePeer)
        case ping
        case pong
        case error
        /// The sender has closed the connection.
        case end
    }

    /// What has happened since the beginning, or since it was last set to nothing.
    struct Counters: Equatable {
        var dials = 0
        var failedDials = 0
        var connects = 0
        var infos = 0
        var gossip = 0
        var pings = 0
        var errors = 0
        var registered = 0
        var closed: [ClosedReason: Int] = [:]
        var errorLines = 0

        /// What went over connections.
        var messages: Int { self.connects + self.infos + self.gossip + 2 * self.pings + self.errors }
    }

    struct Node {
        var book: RouteBook
        let address: RouteAddress
        /// Changes at each start, so that what was meant for an earlier life is lost.
        var life = 0
        var isUp = false
        var clientURLs: [String] = []
        /// The pipe behind each connection.
        var pipes: [UInt64: Int] = [:]
        fileprivate var timer: UInt64?
    }

    private struct End {
        let node: Int
        let life: Int
        var connection: UInt64 = 0
        var isOpen = false
        /// When the last message so far arrives: none overtakes another.
        var lastArrival: UInt64 = 0
    }

    /// A connection with both of its ends, the dialler's first.
    private struct Pipe {
        var ends: [End]
        let dial: UInt64
    }

    private enum Event {
        case arrives(pipe: Int)
        case established(pipe: Int)
        case refused(node: Int, life: Int, dial: UInt64)
        case message(Message, pipe: Int, to: Int)
        case timer(node: Int, life: Int, UInt64)
        case stale(pipe: Int)
    }

    private static let second: UInt64 = 1_000_000_000
    private static let dialTimeout = Self.second

    var random: SeededGenerator
    private(set) var now: UInt64 = Self.second
    private(set) var nodes: [Node] = []
    var counters = Counters()
    /// Delay of a message, in nanoseconds.
    var delays: ClosedRange<UInt64> = 100_000...5_000_000
    /// After this long without an answer a connection is given up.
    var staleAfter = 5 * Self.second
    private var queue = EventQueue<Event>()
    private var pipes: [Pipe] = []
    private var lastConnection: UInt64 = 0
    private var isolated: Set<Set<Int>> = []

    init(seed: UInt64) { self.random = SeededGenerator(seed: seed) }

    static func address(of node: Int) -> RouteAddress? { RouteAddress(host: "10.0.0.\(node + 1)", port: 6222) }

    // MARK: Servers

    /// Adds a server that does not run yet; `nil` once there are too many.
    mutating func add(_ change: (inout RouteBookOptions) -> Void = { _ in }) -> Int? {
        guard let address = Self.address(of: self.nodes.count) else { return nil }
        var options = RouteBookOptions(id: "", name: "server-\(self.nodes.count)", cluster: "C1")
        change(&options)
        self.nodes.append(Node(book: RouteBook(options, seed: 0), address: address))
        return self.nodes.count - 1
    }

    /// Starts a server, with an id that it never had.
    mutating func start(_ index: Int) {
        var options = self.nodes[index].book.options
        self.nodes[index].life += 1
        // Which of two ids is the greater one is as random as it is among real ones.
        options.id = "N\(self.random.next() % 1_000_000)-\(index)-\(self.nodes[index].life)"
        self.nodes[index].isUp = true
        self.nodes[index].timer = nil
        self.nodes[index].book = RouteBook(options, seed: self.random.next())
        self.perform(self.nodes[index].book.started(now: self.deadline), at: index)
    }

    /// Ends a server; with a goodbye its connections end, without it peers find out by themselves.
    mutating func stop(_ index: Int, withGoodbye: Bool = true) {
        for pipe in self.nodes[index].pipes.values.sorted() {
            for side in 0...1 where self.pipes[pipe].ends[side].node == index {
                if withGoodbye { self.send(.end, over: pipe, from: side) }
                self.pipes[pipe].ends[side].isOpen = false
            }
            self.queue.add(.stale(pipe: pipe), at: self.now + self.staleAfter)
        }
        self.nodes[index].pipes = [:]
        self.nodes[index].isUp = false
        self.nodes[index].life += 1
    }

    /// Says that a server goes into lame duck mode.
    mutating func retire(_ index: Int) {
        for (connection, pipe) in self.nodes[index].pipes.sorted(by: { $0.key < $1.key }) {
            var info = self.info(of: index, link: .slot(0), gossipMode: .normal)
            info.isLameDuck = true
            self.send(.info(info), over: pipe, from: self.side(of: connection, pipe))
        }
    }

    /// Nothing gets from one of two servers to the other any more.
    mutating func isolate(_ first: Int, _ second: Int) {
        self.isolated.insert([first, second])
        for (number, pipe) in self.pipes.enumerated() where Set(pipe.ends.map(\.node)) == [first, second] {
            self.queue.add(.stale(pipe: number), at: self.now + self.staleAfter)
        }
    }

    mutating func heal() { self.isolated = [] }

    // MARK: Time

    private var deadline: NIODeadline { .uptimeNanoseconds(self.now) }

    /// Lets so many seconds pass.
    mutating func run(seconds: Double) {
        let end = self.now + UInt64(seconds * Double(Self.second))
        while let next = self.queue.nextTime, next <= end, let (time, event) = self.queue.pop() {
            self.now = max(self.now, time)
            self.handle(event)
        }
        self.now = end
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .arrives(let pipe): self.arrives(pipe)
        case .established(let pipe): self.established(pipe)
        case .refused(let node, let life, let dial):
            guard self.nodes[node].life == life else { return }
            self.counters.failedDials += 1
            self.perform(self.nodes[node].book.dialFailed(dial, "connection refused", now: self.deadline), at: node)
        case .message(let message, let pipe, let side): self.received(message, pipe, side)
        case .timer(let node, let life, let time):
            guard self.nodes[node].life == life, self.nodes[node].timer == time else { return }
            self.nodes[node].timer = nil
            self.perform(self.nodes[node].book.timePassed(now: self.deadline), at: node)
        case .stale(let pipe):
            let ends = self.pipes[pipe].ends
            let isCut = self.isolated.contains(Set(ends.map(\.node))) || ends.contains { !$0.isOpen }
            guard isCut else { return }
            for side in 0...1 { self.received(.end, pipe, side) }
        }
    }

    // MARK: Connections

    private mutating func dial(_ address: RouteAddress, number: UInt64, from node: Int) {
        self.counters.dials += 1
        let life = self.nodes[node].life
        guard let target = self.nodes.firstIndex(where: { $0.address == address }) else {
            return self.queue.add(.refused(node: node, life: life, dial: number), at: self.now + Self.dialTimeout)
        }
        self.pipes.append(Pipe(ends: [End(node: node, life: life), End(node: target, life: 0)], dial: number))
        self.queue.add(.arrives(pipe: self.pipes.count - 1), at: self.now + self.delay())
    }

    private mutating func arrives(_ number: Int) {
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

    private mutating func established(_ number: Int) {
        let (node, life) = (self.pipes[number].ends[0].node, self.pipes[number].ends[0].life)
        guard self.nodes[node].life == life else { return self.send(.end, over: number, from: 0) }
        let lastArrival = self.pipes[number].ends[0].lastArrival
        self.pipes[number].ends[0] = self.openEnd(at: node, number)
        self.pipes[number].ends[0].lastArrival = lastArrival
        let host = self.nodes[self.pipes[number].ends[1].node].address.host
        let (dial, id) = (self.pipes[number].dial, self.pipes[number].ends[0].connection)
        self.perform(self.nodes[node].book.dialled(dial, as: id, at: host, now: self.deadline), at: node)
    }

    private mutating func openEnd(at node: Int, _ pipe: Int) -> End {
        self.lastConnection += 1
        self.nodes[node].pipes[self.lastConnection] = pipe
        return End(node: node, life: self.nodes[node].life, connection: self.lastConnection, isOpen: true)
    }

    private func side(of connection: UInt64, _ pipe: Int) -> Int {
        self.pipes[pipe].ends[0].connection == connection ? 0 : 1
    }

    private mutating func delay() -> UInt64 { UInt64.random(in: self.delays, using: &self.random) }

    private mutating func send(_ message: Message, over pipe: Int, from side: Int) {
        let other = 1 - side
        guard !self.isolated.contains(Set(self.pipes[pipe].ends.map(\.node))) else { return }
        let arrival = max(self.now + self.delay(), self.pipes[pipe].ends[other].lastArrival + 1)
        self.pipes[pipe].ends[other].lastArrival = arrival
        self.queue.add(.message(message, pipe: pipe, to: other), at: arrival)
    }

    private mutating func received(_ message: Message, _ pipe: Int, _ side: Int) {
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
        case .end:
            self.shut(pipe, side)
            self.perform(self.nodes[node].book.closed(id, now: self.deadline), at: node)
        }
    }

    private mutating func shut(_ pipe: Int, _ side: Int) {
        self.pipes[pipe].ends[side].isOpen = false
        let end = self.pipes[pipe].ends[side]
        self.nodes[end.node].pipes[end.connection] = nil
        // The other side learns of it, unless it is cut off; then it notices by itself.
        self.queue.add(.stale(pipe: pipe), at: self.now + self.staleAfter)
    }

    // MARK: Actions

    private func info(of node: Int, link: RouteLink, gossipMode: GossipMode) -> RoutePeer {
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

    private mutating func perform(_ actions: [RouteAction], at node: Int) {
        for action in actions {
            switch action {
            case .dial(let number, let address): self.dial(address, number: number, from: node)
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
            case .register: self.counters.registered += 1
            case .announce(let clientURLs, _): self.nodes[node].clientURLs = clientURLs
            case .adoptCluster: break
            case .log(let level, _, _): if level == .error { self.counters.errorLines += 1 }
            }
        }
        self.setTimer(of: node)
    }

    private mutating func send(_ message: Message, from id: UInt64, at node: Int) {
        guard let pipe = self.nodes[node].pipes[id] else { return }
        self.send(message, over: pipe, from: self.side(of: id, pipe))
    }

    private mutating func setTimer(of node: Int) {
        guard let deadline = self.nodes[node].book.nextDeadline?.uptimeNanoseconds else { return }
        let time = max(deadline, self.now)
        if let timer = self.nodes[node].timer, timer <= time { return }
        self.nodes[node].timer = time
        self.queue.add(.timer(node: node, life: self.nodes[node].life, time), at: time)
    }

    // MARK: What came of it

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
        let book = self.nodes[node].book
        guard let peer = book.peers[self.nodes[other].book.options.id] else { return [:] }
        return peer.links.compactMapValues { self.nodes[node].pipes[$0] }
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
