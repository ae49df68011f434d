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
    /// Taken from the mailbox, and not done yet.
    private var waiting: [Event] = []

    /// A snapshot waits so long for names of hosts; those that come later are in the next one.
    private static let lookUpLimit: Duration = .seconds(2)

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
            self.waiting += self.mailbox.take()
            while !self.waiting.isEmpty {
                switch self.waiting.removeFirst() {
                case .signal(let number): return .signal(number)
                case .resized: break
                case .hostName(let name, let address): self.model.take(hostNames: [(address, name)])
                case .round(let round):
                    if let recording = round.recording { try self.recording?.write(recording.line) }
                    let time = UTCTimestamp.text(nanoseconds: POSIX.nanosecondsSinceEpoch)
                    self.model.rename(target: round.title)
                    self.model.take(round.sample, at: round.time, took: round.took)
                    if let status = self.lookUp() { return status }
                    if try self.write(time) { return .success }
                }
            }
            let wake = self.mailbox.wait(output: self.output.isStandardOutput ? 1 : nil, timeout: nil)
            if wake.isHungUp { return .brokenPipe }
        }
    }

    /// All rounds at once: nobody watches.
    private mutating func play(_ replay: Replay) throws -> ToolStatus {
        while let time = replay.nextTime, let recording = try replay.take() {
            for case .signal(let number) in self.mailbox.take() { return .signal(number) }
            let sample = recording.sample
            self.model.take(sample, at: time, took: recording.took)
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

    /// Waits for the names of the hosts of this round, but not for ever.
    ///
    /// - Returns: How to end, if a signal came meanwhile.
    private mutating func lookUp() -> ToolStatus? {
        guard case .server(_, let names) = self.source else { return nil }
        let deadline = ContinuousClock.now + Self.lookUpLimit
        while true {
            let unknown = self.model.allUnknownAddresses
            let rest = deadline - ContinuousClock.now
            guard !unknown.isEmpty, rest > .zero else { return nil }
            names.want(unknown)
            var found: [(address: String, name: String?)] = []
            for event in self.mailbox.take() {
                switch event {
                case .hostName(let name, let address): found.append((address, name))
                case .signal(let number): return .signal(number)
                case .round, .resized: self.waiting.append(event)
                }
            }
            if found.isEmpty {
                let wake = self.mailbox.wait(output: self.output.isStandardOutput ? 1 : nil, timeout: rest)
                if wake.isHungUp { return .brokenPipe }
            } else {
                self.model.take(hostNames: found)
            }
        }
    }
}
