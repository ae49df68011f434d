import NATSCommandSupport
import NATSWire

/// The result of a benchmark as one JSON object.
package struct BenchDocument: Sendable {
    /// One of the servers that were measured.
    package struct Server: Sendable {
        package var url: String
        package var name: String
        package var version: String
        package var runs: [BenchRun]

        package init(url: String, name: String, version: String, runs: [BenchRun]) {
            self.url = url
            self.name = name
            self.version = version
            self.runs = runs
        }
    }

    package var runID: String
    package var options: BenchOptions
    package var plan: BenchPlan
    /// Of a payload.
    package var size: Int
    package var clockResolution: UInt64
    package var servers: [Server]

    package init(
        runID: String,
        options: BenchOptions,
        plan: BenchPlan,
        size: Int,
        clockResolution: UInt64,
        servers: [Server]
    ) {
        self.runID = runID
        self.options = options
        self.plan = plan
        self.size = size
        self.clockResolution = clockResolution
        self.servers = servers
    }

    /// The object on one line, with its end.
    package var bytes: [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { writer in
            writer.write("tool", "nats-bench")
            writer.write("version", ToolVersion.current)
            writer.write("run_id", self.runID)
            writer.object("config") { self.writeConfiguration(to: &$0) }
            writer.write("clock_resolution_ns", self.clockResolution)
            writer.array("servers") { writer in
                for server in self.servers { writer.object { Self.write(server, to: &$0) } }
            }
            let medians = self.servers.compactMap { BenchRun.median(of: $0.runs) }
            if medians.count == 2, let ratio = BenchReport.ratioValue(medians[0], medians[1]) {
                writer.write("ratio", number: ratio)
            }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    private func writeConfiguration(to writer: inout JSONDocumentWriter) {
        writer.write("subject", self.options.subject)
        writer.writeUnlessEmpty("mode", self.options.load.mode?.rawValue ?? "")
        if let messages = self.plan.messages { writer.write("msgs", messages) }
        writer.write("size", self.size)
        switch (self.plan.senderRole, self.plan.receiverRole) {
        case (.publisher, .subscriber):
            writer.write("pubs", self.plan.senders)
            writer.write("subs", self.plan.receivers)
        default:
            writer.write("clients", max(self.plan.senders, self.plan.receivers))
        }
        writer.writeUnlessEmpty("queue", self.plan.queue ?? "")
        writer.writeUnlessEmpty("payload", self.options.content.payload ?? "")
        writer.writeUnlessFalse("random", self.options.content.random)
        writer.writeUnlessZero("headers", self.options.content.header.count)
        writer.writeUnlessFalse("multisubject", self.options.content.multisubject)
        if let maximum = self.options.content.multisubjectmax { writer.write("multisubjectmax", maximum) }
        writer.writeUnlessFalse("multisubjectrandomize", self.options.content.multisubjectrandomize)
        if let sleep = self.options.load.sleep { writer.write("sleep_seconds", number: Self.seconds(sleep)) }
        writer.writeUnlessZero("throughput", self.options.load.throughput ?? 0)
        if let duration = self.options.load.duration {
            writer.write("duration_seconds", number: Self.seconds(duration))
        }
        writer.writeUnlessZero("warmup", self.plan.warmup)
        writer.write("runs", self.plan.runs)
    }

    private static func seconds(_ argument: DurationArgument) -> Double {
        let parts = argument.duration.components
        return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    }

    private static func write(_ server: Server, to writer: inout JSONDocumentWriter) {
        writer.write("url", server.url)
        writer.write("name", server.name)
        writer.write("server_version", server.version)
        writer.array("run_rates") { writer in
            for run in server.runs { writer.element(.number(String(run.total.rate))) }
        }
        guard let median = BenchRun.median(of: server.runs) else { return }
        writer.object("total") { Self.write(median.total, to: &$0) }
        for (key, group) in [("senders", median.senders), ("receivers", median.receivers)] where !group.isEmpty {
            writer.object(named: key) { writer in
                writer.write("kind", group.role.noun)
                Self.write(group.total, to: &writer)
                writer.write("min_rate", group.minimumRate)
                writer.write("avg_rate", group.averageRate)
                writer.write("max_rate", group.maximumRate)
                writer.write("stddev", group.deviation)
                writer.array("clients") { writer in
                    for sample in group.samples { writer.object { Self.write(sample, to: &$0) } }
                }
            }
        }
    }

    private static func write(_ sample: BenchSample, to writer: inout JSONDocumentWriter) {
        writer.write("msgs", sample.messages)
        if let expected = sample.expected { writer.write("expected_msgs", expected) }
        writer.write("bytes", sample.bytes)
        writer.write("seconds", number: sample.seconds)
        writer.write("rate", sample.rate)
        writer.write("bytes_per_second", number: sample.throughput)
        guard let latencies = sample.latencies, latencies.count > 0 else { return }
        writer.object("latency_us") { writer in
            func write(_ key: StaticString, _ nanoseconds: UInt64) {
                writer.write(key, number: Double(nanoseconds) / 1000)
            }
            write("min", latencies.minimum)
            write("avg", latencies.average)
            write("p50", latencies.percentile(50))
            write("p90", latencies.percentile(90))
            write("p99", latencies.percentile(99))
            write("p99.9", latencies.percentile(99.9))
            write("max", latencies.maximum)
        }
    }
}
