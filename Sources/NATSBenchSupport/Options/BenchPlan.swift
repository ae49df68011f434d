package import NATSCommandSupport

/// What a command line asks for, with all defaults filled in and what contradicts itself refused.
package struct BenchPlan: Sendable, Equatable {
    /// More clients than this are no benchmark but a mistake.
    package static let maximumClients = 100_000
    /// The largest payload that the client sends.
    package static let maximumSize = 64 << 20
    /// Queue group of responders that are given none, as of the Go tools.
    package static let respondersQueue = "NATS-RPLY-22"

    package var senderRole = BenchRole.publisher
    package var senders = 0
    package var receiverRole = BenchRole.subscriber
    package var receivers = 0
    /// Messages of a run; nil: until the time passed, or for ever.
    package var messages: Int?
    /// More would take years, and sums of them overflow.
    private static let maximumMessages = 1_000_000_000_000
    package var queue: String?
    package var warmup = 0
    package var runs = 1

    /// Whether anybody sends at all: otherwise others do, and nobody here knows when they are done.
    package var sends: Bool { self.senders > 0 }

    /// Reads the flags.
    ///
    /// - Throws: `UsageError` for what cannot be meant.
    package init(_ options: BenchOptions) throws(UsageError) {
        let load = options.load
        switch load.mode {
        case nil:
            if load.clients != nil { throw UsageError("--clients needs --mode; or use --pubs and --subs") }
            self.senders = load.pubs ?? 1
            self.receivers = load.subs ?? 0
        case .publish:
            try Self.refuse(load.subs, "--subs", .publish)
            self.senders = load.clients ?? load.pubs ?? 1
        case .subscribe:
            try Self.refuse(load.pubs, "--pubs", .subscribe)
            self.receivers = load.clients ?? load.subs ?? 1
        case .publishAndSubscribe:
            self.senders = load.pubs ?? load.clients ?? 1
            self.receivers = load.subs ?? load.clients ?? 1
        case .request, .publishToStream:
            try Self.refuse(load.pubs, "--pubs", load.mode)
            try Self.refuse(load.subs, "--subs", load.mode)
            self.senderRole = load.mode == .request ? .requestor : .streamPublisher
            self.senders = load.clients ?? 1
        case .respond:
            try Self.refuse(load.pubs, "--pubs", .respond)
            try Self.refuse(load.subs, "--subs", .respond)
            self.receiverRole = .responder
            self.receivers = load.clients ?? 1
        }
        try Self.check(self.senders, "publishers")
        try Self.check(self.receivers, "subscribers")
        if let clients = load.clients, clients < 1 { throw UsageError("--clients must be at least 1") }

        let isEndless = load.duration != nil || load.mode == .respond
        self.messages = load.msgs ?? (isEndless ? nil : 100_000)
        self.queue = load.queue ?? (self.receiverRole == .responder ? Self.respondersQueue : nil)
        self.warmup = load.warmup ?? 0
        self.runs = load.runs ?? (load.versus == nil ? 1 : 5)
        try self.checkLoad(load)
        try self.checkContent(options.content)
    }

    private static func refuse(_ value: Int?, _ flag: String, _ mode: BenchMode?) throws(UsageError) {
        guard value == nil else { throw UsageError("\(flag) does not go with --mode \(mode?.rawValue ?? "")") }
    }

    private static func check(_ clients: Int, _ noun: String) throws(UsageError) {
        guard (0...Self.maximumClients).contains(clients) else {
            throw UsageError("the number of \(noun) must be between 0 and \(Self.maximumClients)")
        }
    }

    private func checkLoad(_ load: BenchLoadOptions) throws(UsageError) {
        if self.receivers == 0, load.queue != nil { throw UsageError("--queue needs subscribers or responders") }
        if !self.sends {
            if load.throughput != nil { throw UsageError("--throughput needs publishers or requestors") }
            if load.sleep != nil, self.receiverRole != .responder {
                throw UsageError("--sleep needs publishers, requestors or responders")
            }
            if self.runs != 1 {
                throw UsageError("--runs needs publishers or requestors: others do not tell runs apart")
            }
            if load.versus != nil { throw UsageError("--versus needs publishers or requestors") }
        }
        if load.sleep != nil, load.throughput != nil { throw UsageError("--sleep and --throughput exclude each other") }
        if let throughput = load.throughput, throughput < 1 { throw UsageError("--throughput must be at least 1") }
        if let duration = load.duration, duration.duration <= .zero {
            throw UsageError("--duration must be greater than zero")
        }
        if max(self.messages ?? 0, self.warmup) > Self.maximumMessages {
            throw UsageError("more than \(Self.maximumMessages) messages")
        }
        if self.warmup < 0 { throw UsageError("--warmup must not be negative") }
        if self.warmup > 0, self.receiverRole == .responder {
            throw UsageError("--warmup does not go with --mode rply")
        }
        if self.warmup > 0, !self.sends, self.queue != nil {
            throw UsageError("--warmup of a queue group needs publishers: its members do not see each other's messages")
        }
        guard (1...10_000).contains(self.runs) else { throw UsageError("--runs must be between 1 and 10000") }
    }

    private func checkContent(_ content: BenchContentOptions) throws(UsageError) {
        if let size = content.size, size.bytes > Self.maximumSize {
            throw UsageError("--size must not be above \(Self.maximumSize)")
        }
        if content.payload != nil, content.size != nil { throw UsageError("--payload and --size exclude each other") }
        if content.payload != nil, content.random { throw UsageError("--payload and --random exclude each other") }
        if !self.sends, self.receiverRole == .subscriber {
            if content.payload != nil { throw UsageError("--payload needs publishers") }
            if content.random { throw UsageError("--random needs publishers") }
            if !content.header.isEmpty { throw UsageError("--header needs publishers") }
        }
        if !content.multisubject {
            if content.multisubjectmax != nil { throw UsageError("--multisubjectmax needs --multisubject") }
            if content.multisubjectrandomize { throw UsageError("--multisubjectrandomize needs --multisubject") }
        }
        if let maximum = content.multisubjectmax {
            if maximum < 0 { throw UsageError("--multisubjectmax must not be negative") }
            if maximum == 0, content.multisubjectrandomize {
                throw UsageError("--multisubjectrandomize needs a --multisubjectmax above 0")
            }
        }
        if !self.sends, content.multisubjectrandomize { throw UsageError("--multisubjectrandomize needs publishers") }
        if !self.sends, content.multisubjectmax != nil { throw UsageError("--multisubjectmax needs publishers") }
    }

    /// The shares of `messages` of the senders; the first ones have one more where it does not divide.
    package static func shares(of messages: Int, over clients: Int) -> [Int] {
        guard clients > 0 else { return [] }
        let (share, rest) = messages.quotientAndRemainder(dividingBy: clients)
        return (0..<clients).map { share + ($0 < rest ? 1 : 0) }
    }

    /// Said when everybody is connected.
    package func announcement(size: Int) -> String {
        var parts = ["msgs=\(self.messages.map(String.init) ?? "unlimited")", "msgsize=\(size)"]
        switch (self.senderRole, self.receiverRole) {
        case (.publisher, .subscriber):
            parts += ["pubs=\(self.senders)", "subs=\(self.receivers)"]
        case (let role, .subscriber):
            parts.append("\(role.noun)s=\(self.senders)")
        case (_, let role):
            parts.append("\(role.noun)s=\(self.receivers)")
        }
        return "Starting benchmark [\(parts.joined(separator: ", "))]"
    }
}
