import NATSClient
import NATSCommandSupport
import NATSTop
import NIOCore
import NIOPosix
import NIOSSL

/// nats-top's whole life.
enum TopProgram {
    /// Reads the command line, runs, ends the process.
    static func main() -> Never {
        ToolProcess.reopenClosedStandardDescriptors()
        let request = TopOptions.request(ToolArguments.current.texts, flags: CommandFlag.top, speaker: "nats-top")
        switch request {
        case .print(let text):
            let error = Array(text.utf8).withUnsafeBytes { POSIX.writeAll($0, to: 1) }
            ToolProcess.end(error == 0 ? .success : .failure)
        case .refuse(let text):
            Diagnostics().write(text)
            ToolProcess.end(.usage)
        case .run(let options):
            do {
                ToolProcess.end(try Self.run(options))
            } catch let error as UsageError {
                Diagnostics().write(TopOptions.refusal(error.description, speaker: "nats-top"))
                ToolProcess.end(.usage)
            } catch let error as ToolFailure {
                if error.status != .brokenPipe { Diagnostics().write("nats-top: \(error.description)\n") }
                ToolProcess.end(error.status)
            } catch {
                Diagnostics().write("nats-top: \(error)\n")
                ToolProcess.end(.failure)
            }
        }
    }

    private static func run(_ options: TopOptions) throws -> ToolStatus {
        let setup = try TopSetup(options, flags: try Self.givenFlags())
        if !options.isBatch, !POSIX.isTerminal(0) || !POSIX.isTerminal(1) {
            throw UsageError("no terminal: use --batch, --json or -o")
        }
        if options.record == "-", options.output == nil || options.output == "-" {
            throw UsageError("--record wants a file: standard output is taken")
        }
        Signals.block()
        let mailbox = try Mailbox()
        try Signals.deliver(to: mailbox)
        var model = setup.model
        let start = ContinuousClock.now
        let source: Source
        if let file = options.replay {
            source = .recording(try Replay(file: file))
        } else {
            let poller = try Self.startPolling(options, setup, model.requests, mailbox, start)
            // Who mistypes an address learns it before the screen begins.
            if let status = try Self.waitForFirstRound(mailbox, poller) { return status }
            source = .server(poller, HostNames(mailbox: mailbox))
        }
        // Not before there is something to keep: the file may hold what was recorded before.
        let recording = try options.record.map { try OutputFile($0, isPrivate: true) }
        if let formatter = setup.formatter {
            Signals.allowStops()
            var program = BatchProgram(
                model: model,
                source: source,
                mailbox: mailbox,
                formatter: formatter,
                output: try OutputFile(options.output ?? "-"),
                recording: recording,
                limit: setup.limit
            )
            return try program.run()
        }
        let glyphs: Glyphs = CursesTerminal.adoptsUTF8() ? .unicode : .ascii
        Signals.allowStops()
        let type = POSIX.environmentVariable("TERM") ?? ""
        guard !["", "dumb"].contains(type), var terminal = CursesTerminal(usesColors: setup.usesColors) else {
            throw ToolFailure("the terminal's type (TERM) is not known here: use --batch")
        }
        model.resize(terminal.size())
        var program = ScreenProgram(
            model: model,
            source: source,
            mailbox: mailbox,
            recording: recording,
            limit: setup.limit,
            start: start,
            glyphs: glyphs
        )
        do {
            let status = try program.run(&terminal)
            terminal.close()
            return status
        } catch {
            terminal.close()
            throw error
        }
    }

    /// The flags of the command line, by their first names.
    private static func givenFlags() throws -> [String] {
        let canonicalizer = ArgumentCanonicalizer(flags: CommandFlag.top)
        return try canonicalizer.canonicalize(ToolArguments.current.texts).flags.map(\.name)
    }

    private static func startPolling(
        _ options: TopOptions,
        _ setup: TopSetup,
        _ requests: [Request],
        _ mailbox: Mailbox,
        _ start: ContinuousClock.Instant
    ) throws -> Poller {
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let poller = Poller(
            source: try Self.source(options, setup.origin, loop),
            eventLoop: loop,
            mailbox: mailbox,
            delay: options.delay.duration,
            records: options.record != nil,
            start: start,
            requests: requests
        )
        Task.detached(executorPreference: NATSTaskExecutor(eventLoop: loop)) { await poller.run() }
        return poller
    }

    private static func source(
        _ options: TopOptions,
        _ origin: TopSetup.Origin,
        _ eventLoop: any EventLoop
    ) throws -> any PageSource {
        switch origin {
        case .system(let settings):
            return try SystemSource(settings: settings, eventLoop: eventLoop, timeout: options.timeout.duration)
        case .pages(let target, let others):
            let isSecure = ([target] + others).contains(where: \.isSecure)
            let factory = MonitoringClientFactory(
                eventLoop: eventLoop,
                timeout: options.timeout.duration,
                secureContexts: isSecure ? try SecureContexts(options) : nil
            )
            return HTTPSource(target: target, others: others, factory: factory)
        }
    }

    /// Waits for the first answers, and leaves them where they are found again.
    ///
    /// - Returns: How to end, if a signal came first.
    private static func waitForFirstRound(_ mailbox: Mailbox, _ poller: Poller) throws -> ToolStatus? {
        var failure: ToolFailure?
        while true {
            let events = mailbox.take()
            for case .signal(let number) in events { return .signal(number) }
            for case .round(let round) in events where round.turn == poller.turn {
                if round.sample.server != nil {
                    mailbox.putBack(events)
                    return nil
                }
                let problem = round.sample.problems.first ?? "no answer"
                // What is wrong with the first one is what the user wants to know.
                failure = failure ?? ToolFailure(poller.introduction + problem)
                if let failure, !poller.watchNext() { throw failure }
            }
            _ = mailbox.wait(timeout: nil)
        }
    }
}
