/// All clients of one kind in one run.
package struct BenchGroup: Sendable {
    package var role: BenchRole
    package var samples: [BenchSample]

    package init(role: BenchRole, samples: [BenchSample]) {
        self.role = role
        self.samples = samples
    }

    package var isEmpty: Bool { self.samples.isEmpty }

    /// All of them as one.
    package var total: BenchSample {
        guard let first = self.samples.first else { return BenchSample() }
        return self.samples.dropFirst().reduce(first) { $0.joined(with: $1) }
    }

    package var minimumRate: Int { self.samples.map(\.rate).min() ?? 0 }
    package var maximumRate: Int { self.samples.map(\.rate).max() ?? 0 }

    /// Without fraction, as the Go tools do it.
    package var averageRate: Int {
        guard !self.samples.isEmpty else { return 0 }
        return Int(self.samples.reduce(0.0) { $0 + Double($1.rate) } / Double(self.samples.count))
    }

    /// Standard deviation of the rates, without fraction.
    package var deviation: Int {
        guard !self.samples.isEmpty else { return 0 }
        let average = Double(self.averageRate)
        let squares = self.samples.reduce(0.0) { sum, sample in
            let difference = Double(sample.rate) - average
            return sum + difference * difference
        }
        return Int((squares / Double(self.samples.count)).squareRoot())
    }
}
