/// A run as text, line by line as Go's nats-bench writes it.
package enum BenchReport {
    package static func text(_ run: BenchRun) -> String {
        let groups = [run.senders, run.receivers].filter { !$0.isEmpty }
        guard !groups.isEmpty else { return "No publisher or subscribers. Nothing to report.\n" }
        var lines: [String] = []
        var indentation = ""
        if groups.count > 1 {
            lines.append("NATS Pub/Sub stats: \(Self.text(run.total))")
            indentation = " "
        }
        for group in groups {
            lines.append("\(indentation)\(group.role.title) stats: \(Self.text(group.total))")
            guard group.samples.count > 1 else { continue }
            for (index, sample) in group.samples.enumerated() {
                lines.append("\(indentation) [\(index + 1)] \(Self.text(sample, showsCount: true))")
            }
            lines.append("\(indentation) \(Self.statistics(group))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(_ sample: BenchSample, showsCount: Bool = false) -> String {
        var text = "\(FixedDecimal.grouped(sample.rate)) msgs/sec ~ \(FixedDecimal.bytes(sample.throughput))/sec"
        if showsCount { text += " (\(sample.messages) msgs)" }
        if let latencies = sample.latencies, latencies.count > 0 { text += Self.latencies(latencies) }
        return text
    }

    private static func statistics(_ group: BenchGroup) -> String {
        """
        min \(FixedDecimal.grouped(group.minimumRate)) | avg \(FixedDecimal.grouped(group.averageRate)) \
        | max \(FixedDecimal.grouped(group.maximumRate)) | stddev \(FixedDecimal.grouped(group.deviation)) msgs
        """
    }

    private static func latencies(_ latencies: LatencyHistogram) -> String {
        let parts: [(String, UInt64)] = [
            ("min", latencies.minimum), ("avg", latencies.average), ("max", latencies.maximum),
            ("P50", latencies.percentile(50)), ("P90", latencies.percentile(90)), ("P99", latencies.percentile(99)),
            ("P99.9", latencies.percentile(99.9)),
        ]
        return parts.map { " ~ \($0.0): \(($0.1 + 500) / 1000)us" }.joined()
    }

    /// What the comparison of two servers ends with.
    package static func ratio(_ first: BenchRun, _ second: BenchRun) -> String {
        guard let ratio = Self.ratioValue(first, second) else { return "Ratio: none\n" }
        return "Ratio: \(FixedDecimal.text(ratio, digits: 2)) (first server's rate to the second's)\n"
    }

    /// The first run's rate to the second's; nil if there is none.
    package static func ratioValue(_ first: BenchRun, _ second: BenchRun) -> Double? {
        // Whole messages per second would make nothing of what takes longer.
        second.total.exactRate > 0 ? first.total.exactRate / second.total.exactRate : nil
    }
}
