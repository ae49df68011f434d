import NATSCommandSupport
import NATSTop

/// nats-top on a terminal: keys, sizes and rounds in, screens out.
struct ScreenProgram: ~Copyable {
    private var model: Model
    private let source: Source
    private let mailbox: Mailbox
    private let recording: OutputFile?
    /// Rounds after which it ends.
    private let limit: Int?
    private let start: ContinuousClock.Instant
    private let layout: Layout
    private var rounds = 0
    private var mustDraw = true
    /// Times that the terminal said that there is a key, and there was none.
    private var emptyReads = 0

    init(
        model: Model,
        source: Source,
        mailbox: Mailbox,
        recording: OutputFile?,
        limit: Int?,
        start: ContinuousClock.Instant,
        glyphs: Glyphs
    ) {
        self.model = model
        self.source = source
        self.mailbox = mailbox
        self.recording = recording
        self.limit = limit
        self.start = start
        self.layout = Layout(glyphs: glyphs)
    }

    private var now: Duration { ContinuousClock.now - self.start }

    /// Runs until something ends it, with the terminal taken.
    mutating func run(_ terminal: inout CursesTerminal) throws -> ToolStatus {
        self.model.resize(terminal.size())
        while true {
            var names: [(address: String, name: String?)] = []
            for event in self.mailbox.take() {
                if case .hostName(let name, let address) = event { names.append((address, name)) }
                if let status = try self.take(event) { return status }
            }
            self.model.take(hostNames: names)
            if let status = try self.play() { return status }
            let keys = terminal.keys()
            if !keys.isEmpty { self.emptyReads = 0 }
            for key in keys {
                if let status = self.take(key, terminal) { return status }
            }
            let size = terminal.size()
            if size != self.model.size {
                self.model.resize(size)
                self.mustDraw = true
            }
            self.lookUp()
            let isMoving = self.isMoving
            self.model.advance(to: self.now)
            if self.mustDraw || isMoving {
                self.mustDraw = false
                terminal.draw(self.layout.screen(of: self.model, size: size))
            }
            if let status = self.wait() { return status }
        }
    }

    // MARK: What comes

    private mutating func take(_ event: Event) throws -> ToolStatus? {
        switch event {
        case .signal(let number): return .signal(number)
        case .resized, .hostName: self.mustDraw = true
        case .round(let round):
            // Of a server that is shown no longer.
            if case .server(let poller, _) = self.source, round.turn != poller.turn { return nil }
            if let recording = round.recording { try self.recording?.write(recording.line) }
            self.model.rename(target: round.title)
            return self.take(round.sample, at: round.time, took: round.took, nextPoll: round.nextPoll)
        }
        return nil
    }

    private mutating func take(
        _ sample: Sample,
        at time: Duration,
        took: Duration?,
        nextPoll: Duration?,
        from target: String? = nil
    ) -> ToolStatus? {
        self.model.take(sample, at: time, took: took, nextPoll: nextPoll, from: target)
        self.mustDraw = true
        self.rounds += 1
        if let limit = self.limit, self.rounds >= limit { return .success }
        return nil
    }

    private mutating func take(_ input: KeyDecoder.Input, _ terminal: borrowing CursesTerminal) -> ToolStatus? {
        self.mustDraw = true
        guard case .key(let key) = input else {
            terminal.refresh()
            return nil
        }
        switch self.model.handle(key) {
        case .none: break
        case .quit: return .success
        case .poll:
            if case .server(let poller, _) = self.source { poller.want(self.model.requests, atOnce: true) }
        case .watch(let server):
            if case .server(let poller, _) = self.source { poller.watch(server, self.model.requests) }
        }
        return nil
    }

    /// Shows what a recording has for now.
    private mutating func play() throws -> ToolStatus? {
        guard case .recording(let replay) = self.source else { return nil }
        while let time = replay.nextTime, time <= self.now, let recording = try replay.take() {
            let status = self.take(
                recording.sample,
                at: time,
                took: recording.took,
                nextPoll: replay.nextTime,
                from: recording.target
            )
            if let status { return status }
        }
        return nil
    }

    private func lookUp() {
        if case .server(_, let names) = self.source { names.want(self.model.unknownAddresses) }
    }

    // MARK: Waiting

    /// Whether the screen changes by time alone: a message that ends, a count of seconds.
    private var isMoving: Bool {
        if case .lost = self.model.snapshot.link { return true }
        return self.model.notice != nil
    }

    private mutating func wait() -> ToolStatus? {
        var timeout: Duration? = self.isMoving ? .milliseconds(500) : nil
        if case .recording(let replay) = self.source, let next = replay.nextTime {
            let rest = max(.zero, next - self.now)
            timeout = min(timeout ?? rest, rest)
        }
        let wake = self.mailbox.wait(input: 0, timeout: timeout)
        // A terminal that is gone has input without end, and none.
        self.emptyReads = wake.hasInput ? self.emptyReads + 1 : 0
        return wake.isHungUp || self.emptyReads > 1000 ? .failure : nil
    }
}
