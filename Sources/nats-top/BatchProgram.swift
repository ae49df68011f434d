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
            for event in self.mailbox.take() {
                switch event {
                case .signal(let number): return .signal(number)
                case .resized, .hostName: break
                case .round(let round):
                    if let recording = round.recording { try self.recording?.write(recording.line) }
                    let time = UTCTimestamp.text(nanoseconds: POSIX.nanosecondsSinceEpoch)
                    if try self.take(round.sample, at: round.time, time) { return .success }
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
            if try self.take(sample, at: time, sample.server?.now ?? "") { return .success }
        }
        return .success
    }

    /// - Returns: Whether it was the last round that is wanted.
    private mutating func take(_ sample: Sample, at now: Duration, _ time: String) throws -> Bool {
        self.model.take(sample, at: now)
        if self.model.settings.looksUpNames { self.lookUp() }
        try self.output.write(Array(self.formatter.text(self.model, time: time).utf8))
        self.rounds += 1
        return self.limit.map { self.rounds >= $0 } ?? false
    }

    /// Nothing else is to be done meanwhile, so it blocks.
    private mutating func lookUp() {
        for row in self.model.rows {
            guard case .connection(let connection) = row.content, !connection.ip.isEmpty,
                self.model.hostNames[connection.ip] == nil
            else { continue }
            self.model.take(hostName: HostNames.name(of: connection.ip), of: connection.ip)
        }
    }
}
