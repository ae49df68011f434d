import NATSCommandSupport
import NATSTop

/// nats-top without a screen: a text for each round.
struct BatchProgram {
    private var model: Model
    private let source: Source
    private let mailbox: Mailbox
    private let formatter: BatchFormatter
    private let output: OutputFile
    private let recording: OutputFile?
    /// Rounds after which it ends.
    private let limit: Int?
    private var rounds = 0
    /// The round that the model has taken and that is not printed yet: it waits for names of hosts.
    private var held: (time: String, wait: NameWait)?
    /// Addresses whose names a round has waited for: the next ones do not.
    private var waitedFor: Set<String> = []

    init(
        model: Model,
        source: Source,
        mailbox: Mailbox,
        formatter: BatchFormatter,
        output: OutputFile,
        recording: OutputFile?,
        limit: Int?
    ) {
        self.model = model
        self.source = source
        self.mailbox = mailbox
        self.formatter = formatter
        self.output = output
        self.recording = recording
        self.limit = limit
    }

    mutating func run() throws -> ToolStatus {
        if case .recording(let replay) = self.source { return try self.play(replay) }
        while true {
            var found: [(address: String, name: String?)] = []
            for event in self.mailbox.take() {
                switch event {
                case .signal(let number):
                    _ = try self.printHeld()
                    return .signal(number)
                case .resized: break
                case .hostName(let name, let address): found.append((address, name))
                case .round(let round):
                    self.model.take(hostNames: found)
                    found = []
                    // The one before waits no longer than until the next one is there.
                    if try self.printHeld() { return .success }
                    try self.take(round)
                }
            }
            self.model.take(hostNames: found)
            if try self.printHeldIfComplete() { return .success }
            let rest = self.held.map { max(.zero, $0.wait.deadline - ContinuousClock.now) }
            let wake = self.mailbox.wait(output: self.output.isStandardOutput ? 1 : nil, timeout: rest)
            if wake.isHungUp { return .brokenPipe }
        }
    }

    private mutating func take(_ round: Round) throws {
        // Of a server that did not answer at the start.
        if case .server(let poller, _) = self.source, round.turn != poller.turn { return }
        if let recording = round.recording { try self.recording?.write(recording.line) }
        self.model.rename(target: round.title)
        self.model.take(round.sample, at: round.time, took: round.took)
        let wait = NameWait(for: self.model.allUnknownAddresses, but: &self.waitedFor)
        self.held = (UTCTimestamp.text(nanoseconds: round.date), wait)
    }

    /// - Returns: Whether it was the last round that is wanted.
    private mutating func printHeldIfComplete() throws -> Bool {
        guard let held = self.held, case .server(_, let names) = self.source else { return false }
        let unknown = self.model.allUnknownAddresses
        // Those that had no place in the queue have one now.
        names.want(unknown)
        return try held.wait.isOver(unknown: unknown, now: .now) && self.printHeld()
    }

    /// - Returns: Whether it was the last round that is wanted.
    private mutating func printHeld() throws -> Bool {
        guard let held = self.held else { return false }
        self.held = nil
        return try self.write(held.time)
    }

    /// All rounds at once: nobody watches.
    private mutating func play(_ replay: Replay) throws -> ToolStatus {
        while let time = replay.nextTime, let recording = try replay.take() {
            for case .signal(let number) in self.mailbox.take() { return .signal(number) }
            let sample = recording.sample
            self.model.take(sample, at: time, took: recording.took, from: recording.target)
            if try self.write(sample.server?.now ?? "") { return .success }
        }
        return .success
    }

    /// - Returns: Whether it was the last round that is wanted.
    private mutating func write(_ time: String) throws -> Bool {
        try self.output.write(Array(self.formatter.text(self.model, time: time).utf8))
        self.rounds += 1
        return self.limit.map { self.rounds >= $0 } ?? false
    }
}

/// How long a snapshot waits for names of hosts.
///
/// A name is waited for once: where the name server is silent, only the first snapshot is late.
struct NameWait {
    /// Names that come later are in the next snapshot.
    private static let limit: Duration = .seconds(2)
    private static let maximumWaitedFor = 65_536

    let deadline: ContinuousClock.Instant
    private let addresses: Set<String>

    init(for unknown: [String], but waitedFor: inout Set<String>, now: ContinuousClock.Instant = .now) {
        self.addresses = Set(unknown).subtracting(waitedFor)
        self.deadline = now + Self.limit
        if waitedFor.count + self.addresses.count > Self.maximumWaitedFor { waitedFor = [] }
        waitedFor.formUnion(self.addresses)
    }

    func isOver(unknown: [String], now: ContinuousClock.Instant) -> Bool {
        now >= self.deadline || self.addresses.isDisjoint(with: unknown)
    }
}
