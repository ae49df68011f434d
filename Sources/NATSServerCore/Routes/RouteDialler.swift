internal import NIOCore

/// Whom a server dials, when, and when it gives up.
///
/// nats-server route.go connectToRoute, reConnectToRoute: a configured server is dialled for ever, one heard of by gossip
/// once and as often again as `connect_retries` says; a second lies between attempts, or up to 30 with `connect_backoff`.
///
/// Beyond that, a server that was connected and is lost is looked for every 30 seconds for an hour: nobody else would bring
/// the two sides of a healed partition together again if neither has the other in its configuration.
struct RouteDialler {
    /// What a dial is for; there is one at a time for each.
    enum Purpose: Hashable {
        /// A route of the configuration, by its index.
        case explicit(Int)
        /// A server that gossip told of.
        case implicit(RouteAddress)
        /// A further connection to a peer, or one that was lost while others are left.
        case link(peer: String, RouteLink)
    }

    struct Plan {
        let purpose: Purpose
        let address: RouteAddress
        /// The server is configured.
        var isExplicit: Bool
        var link = RouteLink.slot(0)
        var credentials: RouteCredentials
        /// The server that is expected there.
        var peerID: String?
        /// The peer that told of it.
        var introducer: String?
        var gossipMode = GossipMode.normal
        /// There was a connection before.
        var isReconnect = false
        /// Attempts that may fail; `nil`: any number.
        var mostFailures: Int?
        /// How long it is looked for afterwards.
        var searchEnd: NIODeadline?
        /// Attempts that have failed.
        fileprivate(set) var failures = 0
        /// The next attempt has to wait, whoever tells of the server meanwhile.
        fileprivate var mustWait = false
        fileprivate var due: NIODeadline = .distantPast
        fileprivate var wait = RouteDialler.firstWait
        fileprivate var serial: UInt64 = 0
        fileprivate var dial: UInt64?

        init(_ purpose: Purpose, _ address: RouteAddress) {
            self.purpose = purpose
            self.address = address
            if case .explicit(let index) = purpose {
                self.isExplicit = true
                self.credentials = .route(index)
            } else {
                self.isExplicit = false
                self.credentials = .none
            }
        }

        /// Whether `connect_retries` are used up and it is only looked for now and then.
        var isSearching: Bool { self.mostFailures.map { self.failures >= $0 } ?? false }
    }

    private static let firstWait: TimeAmount = .seconds(1)
    private static let longestWait: TimeAmount = .seconds(30)
    private static let searchInterval: TimeAmount = .seconds(30)

    private let limits: RouteBookOptions.Limits
    /// `connect_backoff`.
    var hasBackoff: Bool
    private var plans: [Purpose: Plan] = [:]
    private var dials: [UInt64: Purpose] = [:]
    private var lastSerial: UInt64 = 0
    /// Plans for servers heard of by gossip, and dials of these under way; by who told of them.
    private var candidates: [String: Int] = [:]
    private var candidateCount = 0
    private var candidateDials: [String: Int] = [:]
    private var candidateDialCount = 0
    /// Servers heard of by gossip that are connected and have not said who they are: dials that have not ended yet.
    var newcomers = 0

    init(_ options: RouteBookOptions) {
        self.limits = options.limits
        self.hasBackoff = options.connectBackoff
    }

    /// Plans and dials under way.
    var count: Int { self.plans.count }

    /// Dials under way.
    var dialCount: Int { self.dials.count }

    func contains(_ purpose: Purpose) -> Bool { self.plans[purpose] != nil }

    /// When the next dial is due; `nil` if none is, or none before another one ends.
    var nextDeadline: NIODeadline? {
        self.plans.values.lazy.filter { $0.dial == nil && self.hasRoom(for: $0) }.map(\.due).min()
    }

    /// Plans a dial; one that is planned for the same purpose comes no later.
    ///
    /// - Returns: `false` if too much is planned already.
    mutating func plan(_ plan: Plan, at time: NIODeadline) -> Bool {
        if let known = self.plans[plan.purpose] {
            // One under way gets all its attempts again.
            var plan = plan
            plan.dial = known.dial
            plan.serial = known.serial
            // What is told again and again is not dialled more often for that.
            plan.mustWait = known.mustWait && !known.isSearching
            plan.due = plan.mustWait ? known.due : min(known.due, time)
            plan.introducer = known.introducer
            self.plans[plan.purpose] = plan
            return true
        }
        if case .implicit = plan.purpose, let introducer = plan.introducer {
            guard self.candidateCount < self.limits.candidates,
                self.candidates[introducer, default: 0] < self.limits.candidatesPerPeer
            else { return false }
        }
        self.lastSerial += 1
        var plan = plan
        plan.serial = self.lastSerial
        plan.due = time
        plan.dial = nil
        self.insert(plan)
        return true
    }

    /// What is due, in order.
    func due(now: NIODeadline) -> [Plan] {
        self.plans.values.filter { $0.dial == nil && $0.due <= now }
            .sorted { ($0.due, $0.serial) < ($1.due, $1.serial) }
    }

    /// Starts what is due.
    ///
    /// - Returns: the number of the dial; `nil` if there are too many under way.
    mutating func start(_ plan: Plan) -> UInt64? {
        guard self.plans[plan.purpose] != nil, self.hasRoom(for: plan) else { return nil }
        self.lastSerial += 1
        self.plans[plan.purpose]?.dial = self.lastSerial
        self.dials[self.lastSerial] = plan.purpose
        self.countDial(of: plan, by: 1)
        return self.lastSerial
    }

    /// Forgets what is not needed any more.
    mutating func cancel(_ plan: Plan) {
        if let plan = self.plans[plan.purpose] { self.remove(plan) }
    }

    /// A dial has led to a connection, or to nothing.
    ///
    /// - Returns: what it was for; `nil` if nobody wants it any more.
    mutating func ended(_ number: UInt64) -> Plan? {
        guard let purpose = self.dials.removeValue(forKey: number), var plan = self.plans[purpose] else { return nil }
        self.remove(plan)
        plan.dial = nil
        return plan
    }

    /// Plans the next attempt after one that failed.
    ///
    /// - Returns: the plan with one more failure, and whether there is another attempt.
    mutating func failed(_ failed: Plan, now: NIODeadline) -> (plan: Plan, isPlanned: Bool) {
        var plan = failed
        plan.failures += 1
        plan.mustWait = true
        if plan.isSearching {
            guard let end = plan.searchEnd, now < end else { return (plan, false) }
            return (plan, self.plan(plan, at: now + Self.searchInterval))
        }
        let wait = plan.wait
        if self.hasBackoff || !plan.isMain { plan.wait = min(wait * 2, Self.longestWait) }
        return (plan, self.plan(plan, at: now + wait))
    }

    /// Forgets what was planned; of a dial under way nobody will want to know.
    mutating func cancel(where isMeant: (Plan) -> Bool) {
        for plan in self.plans.values.filter(isMeant) { self.remove(plan) }
    }

    private func hasRoom(for plan: Plan) -> Bool {
        guard let introducer = plan.candidateOf else { return true }
        return self.candidateDialCount + self.newcomers < self.limits.dials
            && self.candidateDials[introducer, default: 0] < self.limits.dialsPerPeer
    }

    private mutating func insert(_ plan: Plan) {
        self.plans[plan.purpose] = plan
        guard let introducer = plan.candidateOf else { return }
        self.candidateCount += 1
        self.candidates[introducer, default: 0] += 1
    }

    private mutating func remove(_ plan: Plan) {
        self.plans[plan.purpose] = nil
        if let dial = plan.dial {
            self.dials[dial] = nil
            self.countDial(of: plan, by: -1)
        }
        guard let introducer = plan.candidateOf else { return }
        self.candidateCount -= 1
        let count = self.candidates[introducer, default: 0] - 1
        self.candidates[introducer] = count > 0 ? count : nil
    }

    private mutating func countDial(of plan: Plan, by change: Int) {
        guard let introducer = plan.candidateOf else { return }
        self.candidateDialCount += change
        let count = self.candidateDials[introducer, default: 0] + change
        self.candidateDials[introducer] = count > 0 ? count : nil
    }
}

extension RouteDialler.Plan {
    /// Whether it is for the first connection to a server.
    var isMain: Bool {
        switch self.purpose {
        case .explicit, .implicit: true
        case .link: false
        }
    }

    /// Who told of a server that is not known otherwise.
    fileprivate var candidateOf: String? {
        if case .implicit = self.purpose { self.introducer ?? "" } else { nil }
    }
}
