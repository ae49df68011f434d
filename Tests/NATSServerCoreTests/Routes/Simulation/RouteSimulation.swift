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
        /// So many lines RS+ less so many RS-.
        case interest(Int)
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
        /// RS+ and RS-.
        var interest = 0
        var noInterest = 0
        /// PINGs that were sent by the clock.
        var keepAlives = 0

        /// What went over connections.
        var messages: Int {
            self.connects + self.infos + self.gossip + 2 * (self.pings + self.keepAlives) + self.errors
                + self.interest + self.noInterest
        }
    }

    enum Kind {
        case ours
        case official(isOld: Bool)
    }

    struct Node {
        var book: any SimulatedServer
        let kind: Kind
        let address: RouteAddress
        /// Changes at each start, so that what was meant for an earlier life is lost.
        var life = 0
        var isUp = false
        var clientURLs: [String] = []
        /// The pipe behind each connection.
        var pipes: [UInt64: Int] = [:]
        var timer: UInt64?
        var accounts: [String: SimulatedAccount] = [:]
        /// Keys that the other side of each connection has told of.
        var heard: [UInt64: Int] = [:]
    }

    struct End {
        let node: Int
        let life: Int
        var connection: UInt64 = 0
        var isOpen = false
        /// When the last message so far arrives: none overtakes another.
        var lastArrival: UInt64 = 0
    }

    /// A connection with both of its ends, the dialler's first.
    struct Pipe {
        var ends: [End]
        let dial: UInt64
    }

    enum Event {
        case arrives(pipe: Int)
        case established(pipe: Int)
        case refused(node: Int, life: Int, dial: UInt64)
        case message(Message, pipe: Int, to: Int)
        case timer(node: Int, life: Int, UInt64)
        case stale(pipe: Int)
        /// It is time for a PING of one side.
        case ping(pipe: Int, side: Int)
    }

    static let second: UInt64 = 1_000_000_000
    static let dialTimeout = Self.second

    var random: SeededGenerator
    var now: UInt64 = Self.second
    var nodes: [Node] = []
    var counters = Counters()
    /// Delay of a message, in nanoseconds.
    var delays: ClosedRange<UInt64> = 100_000...5_000_000
    /// After this long without an answer a connection is given up.
    var staleAfter = 5 * Self.second
    var queue = EventQueue<Event>()
    var pipes: [Pipe] = []
    var lastConnection: UInt64 = 0
    var isolated: Set<Set<Int>> = []
    /// Keys that servers know of others, in all.
    var heardInAll = 0
    /// Whether servers send PINGs by the clock.
    var keepsAlive = false

    init(seed: UInt64) { self.random = SeededGenerator(seed: seed) }

    static func address(of node: Int) -> RouteAddress? { RouteAddress(host: "10.0.0.\(node + 1)", port: 6222) }

    // MARK: Servers

    /// Adds a server that does not run yet; `nil` once there are too many.
    mutating func add(as kind: Kind = .ours, _ change: (inout RouteBookOptions) -> Void = { _ in }) -> Int? {
        guard let address = Self.address(of: self.nodes.count) else { return nil }
        var options = RouteBookOptions(id: "", name: "server-\(self.nodes.count)", cluster: "C1")
        change(&options)
        self.nodes.append(Node(book: self.makeServer(kind, options), kind: kind, address: address))
        return self.nodes.count - 1
    }

    private mutating func makeServer(_ kind: Kind, _ options: RouteBookOptions) -> any SimulatedServer {
        let seed = self.random.next()
        switch kind {
        case .ours: return RouteBook(options, seed: seed)
        case .official(let isOld): return OfficialServerModel(options, isOld: isOld, seed: seed)
        }
    }

    /// Starts a server, with an id that it never had.
    mutating func start(_ index: Int) {
        var options = self.nodes[index].book.options
        self.nodes[index].life += 1
        // Which of two ids is the greater one is as random as it is among real ones.
        options.id = "N\(self.random.next() % 1_000_000)-\(index)-\(self.nodes[index].life)"
        self.nodes[index].isUp = true
        self.nodes[index].timer = nil
        self.nodes[index].book = self.makeServer(self.nodes[index].kind, options)
        self.perform(self.nodes[index].book.started(now: self.deadline), at: index)
    }

    /// Ends a server; with a goodbye its connections end, without it peers find out by themselves.
    mutating func stop(_ index: Int, withGoodbye: Bool = true) {
        for connection in self.nodes[index].pipes.keys { self.forgetInterest(on: connection, at: index) }
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

    var deadline: NIODeadline { .uptimeNanoseconds(self.now) }

    /// Lets so many seconds pass.
    mutating func run(seconds: Double) {
        let end = self.now + UInt64(seconds * Double(Self.second))
        while let next = self.queue.nextTime, next <= end, self.step() {}
        self.now = end
    }

    /// Lets happen what comes next.
    ///
    /// - Returns: `false` if nothing will.
    mutating func step() -> Bool {
        guard let (time, event) = self.queue.pop() else { return false }
        self.now = max(self.now, time)
        self.handle(event)
        return true
    }

    mutating func handle(_ event: Event) {
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
        case .ping(let pipe, let side): self.ping(pipe, side)
        }
    }
}
