/// The result of one run.
package struct BenchRun: Sendable {
    package var senders: BenchGroup
    package var receivers: BenchGroup
    /// All receivers share the messages; nil: each gets all.
    package var sharedTarget: Int?

    package init(senders: BenchGroup, receivers: BenchGroup, sharedTarget: Int? = nil) {
        self.senders = senders
        self.receivers = receivers
        self.sharedTarget = sharedTarget
    }

    /// Everything together, by which runs are compared.
    package var total: BenchSample {
        if self.receivers.isEmpty { return self.senders.total }
        if self.senders.isEmpty { return self.receivers.total }
        return self.senders.total.joined(with: self.receivers.total)
    }

    /// Who has not got or sent all: `sub 1: 999987 of 1000000`.
    package var shortfalls: [String] {
        var lines: [String] = []
        for group in [self.receivers, self.senders] {
            for (index, sample) in group.samples.enumerated() {
                guard let expected = sample.expected, sample.messages < expected else { continue }
                lines.append("\(group.role.noun) \(index + 1): \(sample.messages) of \(expected)")
            }
        }
        let received = self.receivers.total.messages
        if let target = self.sharedTarget, received < target {
            lines.append("\(self.receivers.role.noun)s together: \(received) of \(target)")
        }
        return lines
    }

    /// The run in the middle by rate; of an even number the slower one of the two in the middle.
    package static func median(of runs: [BenchRun]) -> BenchRun? {
        let sorted = runs.sorted { $0.total.exactRate < $1.total.exactRate }
        return sorted.isEmpty ? nil : sorted[(sorted.count - 1) / 2]
    }
}
