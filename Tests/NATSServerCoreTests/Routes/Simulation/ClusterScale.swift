@testable import NATSServerCore

/// What a full mesh of some size costs, by simulation.
struct ClusterScale {
    /// How a number of servers is made to begin with.
    struct Load {
        /// Keys that each server's own requests and events are: `RS+ $SYS …`.
        var systemKeys = 60
        /// Keys of each server's clients.
        var clientKeys = 100
    }

    /// Messages of one kind of event, by what they are.
    struct Cost: CustomStringConvertible {
        let counters: RouteSimulation.Counters
        /// Seconds until every server knew everything.
        let seconds: Double

        /// CONNECT and INFO, PING and PONG of handshakes, and gossip.
        var handshakes: Int { self.counters.messages - self.interest }
        /// RS+ and RS-.
        var interest: Int { self.counters.interest + self.counters.noInterest }

        var description: String { "\(self.counters), \(self.seconds) s" }
    }

    let count: Int
    var simulation: RouteSimulation

    /// Servers that do not run yet: all know the first two.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - load: What is subscribed to.
    ///   - seed: For the delays.
    init(_ count: Int, _ load: Load = Load(), seed: UInt64 = 1) {
        self.count = count
        self.simulation = RouteSimulation(seed: seed)
        for _ in 0..<count { self.add(load) }
    }

    private mutating func add(_ load: Load) {
        let node = self.simulation.add { options in
            options.routes = [0, 1].compactMap(RouteSimulation.address(of:))
            options.poolSize = 3
            options.accounts = ["$SYS"]
        }
        guard let node else { return }
        self.simulation.subscribe((0..<load.systemKeys).map { "$SYS.\($0)" }, in: "$SYS", at: node)
        self.simulation.subscribe((0..<load.clientKeys).map { "client.\(node).\($0)" }, in: "$G", at: node)
    }

    /// Starts all of them within a second.
    mutating func start() -> Cost? {
        var times = (0..<self.count).map { (Double.random(in: 0...1, using: &self.simulation.random), $0) }
        times.sort { $0.0 < $1.0 }
        return self.measure { simulation in
            var passed = 0.0
            for (time, node) in times {
                simulation.run(seconds: time - passed)
                passed = time
                simulation.start(node)
            }
        }
    }

    /// One more server comes.
    mutating func join(_ load: Load = Load()) -> Cost? {
        self.add(load)
        let node = self.count
        return self.measure { $0.start(node) }
    }

    /// One server goes in good order and comes back a second later.
    mutating func restart() -> Cost? {
        let node = self.count - 1
        return self.measure { simulation in
            simulation.stop(node)
            simulation.run(seconds: 1)
            simulation.start(node)
        }
    }

    /// A client subscribes to something new.
    mutating func subscribe() -> Cost? {
        self.measure { $0.subscribe(["something.new"], in: "$G", at: 0) }
    }

    /// Nothing happens for a minute.
    mutating func rest() -> RouteSimulation.Counters {
        self.simulation.keepsAlive = true
        for node in self.simulation.nodes.indices {
            for connection in self.simulation.nodes[node].pipes.keys.sorted() {
                self.simulation.planPing(on: connection, at: node, first: false)
            }
        }
        self.simulation.counters = RouteSimulation.Counters()
        self.simulation.run(seconds: 60)
        return self.simulation.counters
    }

    /// Connections of one server.
    var connections: Int { self.simulation.nodes[0].pipes.count }

    /// Keys of others that one server knows.
    var knownKeys: Int { self.simulation.nodes[0].heard.values.reduce(0, +) }

    /// Bytes of what one server keeps of its own interest, and of whom it has told it.
    var ledgerBytes: Int { self.simulation.nodes[0].accounts.values.map(\.ledger.memory).reduce(0, +) }

    /// The time until everything is known, and the messages until nothing happens any more.
    private mutating func measure(_ change: (inout RouteSimulation) -> Void) -> Cost? {
        self.simulation.counters = RouteSimulation.Counters()
        let start = self.simulation.now
        change(&self.simulation)
        guard self.simulation.runUntilConverged() != nil else { return nil }
        let seconds = Double(self.simulation.now - start) / Double(RouteSimulation.second)
        // The second round of gossip, and what the connections of pools still have to say.
        self.simulation.run(seconds: 10)
        guard self.simulation.heardInAll == self.simulation.keysToHear else { return nil }
        return Cost(counters: self.simulation.counters, seconds: seconds)
    }
}
