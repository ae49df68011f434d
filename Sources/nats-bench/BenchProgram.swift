import NATSBenchSupport
import NATSClient
import NATSCommandSupport
import NATSWire
import NIOCore
import NIOPosix

/// nats-bench: connections, runs, a report.
struct BenchProgram: Sendable {
    let options: BenchOptions
    let context: ToolContext

    /// A server, its connections, and what was measured there.
    private struct Side {
        var connections: BenchConnections
        var runs: [BenchRun] = []
    }

    func run() async throws -> ToolStatus {
        let deadline = self.options.load.maxTime.map { ContinuousClock.now + $0.duration }
        let plan = try BenchPlan(self.options)
        if let messages = plan.messages, messages < 1 {
            self.context.diagnostics.report("Number of messages should be greater than zero.")
            return .failure
        }
        let servers = try self.servers()
        let work = try BenchWork(self.options, plan)
        let writer = try OutputWriter(descriptor: 1)
        guard plan.senders + plan.receivers > 0 else {
            try await self.print(BenchReport.text(BenchRun(senders: .none, receivers: .none)), writer)
            return .success
        }
        let loops = MultiThreadedEventLoopGroup(
            numberOfThreads: max(1, min(System.coreCount, plan.senders + plan.receivers))
        )
        guard let connections = try await self.connect(to: servers, plan, loops, deadline) else {
            self.context.diagnostics.report("nats: timeout: not everybody was connected within --max-time")
            return .timeout
        }
        var sides = connections.map { Side(connections: $0) }
        let limit = sides.first?.connections.any?.maximumPayload ?? 0
        guard work.payload.size + work.headers.encodedSize <= limit || !(plan.sends || plan.receiverRole == .responder)
        else {
            throw ToolFailure("a message of \(work.payload.size) bytes exceeds the server's max_payload \(limit)")
        }
        let end = try await self.measure(plan, work, &sides, deadline)
        let runID = {
            var nuid = NUID(); return nuid.next()
        }()
        try await self.report(sides, plan, work, runID: runID, writer)
        return try await self.finish(sides, end)
    }

    private func servers() throws -> [ConnectionSettings] {
        guard let url = self.options.load.versus else { return [self.context.settings] }
        guard !self.context.settings.isFromSelectedContext else {
            throw UsageError("the selected context is for its own servers: with --versus name it, or use --server")
        }
        var connection = self.options.connection
        connection.server = url
        let other = try ConnectionSettings(
            options: connection,
            environment: POSIX.environmentVariable,
            defaultName: "NATS Benchmark"
        )
        return [self.context.settings, other]
    }

    /// Connects all clients to all servers; nil if the deadline passed first.
    private func connect(
        to servers: [ConnectionSettings],
        _ plan: BenchPlan,
        _ loops: any EventLoopGroup,
        _ deadline: ContinuousClock.Instant?
    ) async throws -> [BenchConnections]? {
        let context = self.context
        return try await withThrowingTaskGroup(of: [BenchConnections]?.self) { group in
            group.addTask {
                var connections: [BenchConnections] = []
                for settings in servers {
                    connections.append(try await .connect(plan, context, settings, loops))
                }
                return connections
            }
            if let deadline {
                group.addTask {
                    try await Task.sleep(until: deadline, clock: .continuous)
                    return nil
                }
            }
            defer { group.cancelAll() }
            do {
                return try await group.next() ?? nil
            } catch {
                // An attempt that the deadline has cut short.
                if let deadline, deadline <= .now { return nil }
                throw error
            }
        }
    }

    // MARK: Runs

    private func measure(
        _ plan: BenchPlan,
        _ work: BenchWork,
        _ sides: inout [Side],
        _ deadline: ContinuousClock.Instant?
    ) async throws -> BenchRunner.End {
        var isAnnounced = false
        func announce() {
            if !isAnnounced { self.context.diagnostics.say(plan.announcement(size: work.payload.size)) }
            isAnnounced = true
        }
        func runner(_ side: Side) -> BenchRunner {
            BenchRunner(
                plan: plan,
                work: work,
                context: self.context,
                connections: side.connections,
                options: self.options,
                deadline: deadline
            )
        }
        if plan.warmup > 0, plan.sends {
            for side in sides {
                let progress = self.progress("Warming up")
                let (_, end) = try await runner(side)
                    .run(messages: plan.warmup, isWarmup: true, progress: progress, onReady: announce)
                switch end {
                case .complete:
                    continue
                case .signalled, .timePassed:
                    self.context.diagnostics.report("Ended in the warm-up: nothing was measured.")
                    return end
                case .failed:
                    return end
                }
            }
        }
        for round in 1...plan.runs {
            for index in sides.indices {
                let number = sides.count > 1 ? "\(round).\(index + 1)" : "\(round)"
                let progress = self.progress(plan.runs * sides.count > 1 ? "Run \(number)" : "Running")
                let (run, end) = try await runner(sides[index])
                    .run(messages: plan.messages, isWarmup: false, progress: progress, onReady: announce)
                sides[index].runs.append(run)
                if plan.runs * sides.count > 1 {
                    let rate = FixedDecimal.grouped(run.total.rate)
                    self.context.diagnostics.say("Run \(number): \(rate) msgs/sec")
                }
                guard case .complete = end, run.shortfalls.isEmpty else { return end }
            }
        }
        return .complete
    }

    private func progress(_ label: String) -> ProgressBar? {
        guard !self.options.output.noProgress, !self.options.output.quiet, POSIX.isTerminal(2) else { return nil }
        return ProgressBar(label: label)
    }

    private func finish(_ sides: [Side], _ end: BenchRunner.End) async throws -> ToolStatus {
        let shortfalls = sides.flatMap { $0.runs.last?.shortfalls ?? [] }
        switch end {
        case .signalled:
            return .success
        case .failed(let error):
            throw error
        case .timePassed:
            for line in shortfalls { self.context.diagnostics.report(line) }
            return .timeout
        case .complete:
            for line in shortfalls { self.context.diagnostics.report(line) }
        }
        for side in sides { await side.connections.close() }
        return shortfalls.isEmpty ? .success : .failure
    }

    // MARK: Report

    private func report(
        _ sides: [Side],
        _ plan: BenchPlan,
        _ work: BenchWork,
        runID: String,
        _ writer: OutputWriter
    ) async throws {
        let medians = sides.compactMap { BenchRun.median(of: $0.runs) }
        guard let first = medians.first else { return }
        if self.options.output.json {
            let document = BenchDocument(
                runID: runID,
                options: self.options,
                plan: plan,
                size: work.payload.size,
                clockResolution: BenchClock.resolution,
                servers: sides.map(Self.server)
            )
            try await self.print(String(decoding: document.bytes, as: UTF8.self), writer)
        } else {
            try await self.print(self.text(sides, medians), writer)
        }
        guard let path = self.options.output.csv else { return }
        let text = medians.count == 1 ? BenchCSV.text(first, runID: runID) : Self.csv(medians, runID)
        try ToolFile.write(text, to: path)
        let line = "Saved metric data in csv file \(path)"
        if self.options.output.json {
            self.context.diagnostics.say(line)
        } else {
            try await self.print(line + "\n", writer)
        }
    }

    private func text(_ sides: [Side], _ medians: [BenchRun]) -> String {
        guard sides.count > 1 else { return BenchReport.text(medians[0]) }
        var text = ""
        for (side, median) in zip(sides, medians) {
            let server = Self.server(side)
            // A server may call itself anything.
            let (name, version) = (PeerText.harmless(server.name), PeerText.harmless(server.version))
            text += "\(PeerText.harmless(server.url)) (\(name), \(version)), median of \(side.runs.count):\n"
            text += BenchReport.text(median)
        }
        if medians.count == 2 { text += BenchReport.ratio(medians[0], medians[1]) }
        return text
    }

    /// Both servers in one table: the second one's lines have another identifier.
    private static func csv(_ medians: [BenchRun], _ runID: String) -> String {
        medians.enumerated()
            .map { index, run in
                let text = BenchCSV.text(run, runID: "\(runID)-\(index + 1)")
                return index == 0 ? text : text.split(separator: "\n").dropFirst().map { $0 + "\n" }.joined()
            }
            .joined()
    }

    private static func server(_ side: Side) -> BenchDocument.Server {
        let info = side.connections.any?.serverInfo
        return BenchDocument.Server(
            url: ConnectionSettings.redacted(info?.url ?? ""),
            name: info?.name ?? "",
            version: info?.version ?? "",
            runs: side.runs
        )
    }

    private func print(_ text: String, _ writer: OutputWriter) async throws {
        var buffer = ByteBuffer(string: text)
        try writer.submit(&buffer)
        try await writer.flush()
    }
}

extension BenchGroup {
    fileprivate static let none = BenchGroup(role: .publisher, samples: [])
}
