/// How a drill went.
package struct DrillReport: Sendable, Codable {
    /// Something that happened.
    package struct Moment: Sendable, Codable {
        /// Seconds since the beginning.
        package let time: Double
        package let what: String
    }

    /// What a client went through.
    package struct Client: Sendable, Codable {
        package let name: String
        package let family: DrillFamily
        package let migrations: Int
        package let reconnects: Int
        /// The longest time without a plain message, in seconds.
        package let longestGap: Double
    }

    /// What kind of messages.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// To every subscriber.
        case plain
        /// To one of a queue group.
        case job
        /// To one of a queue group, which answers.
        case request
    }

    /// Messages of the publishers of one family to the clients of another.
    package struct Stream: Sendable, Codable {
        package let kind: Kind
        package let from: DrillFamily
        package let to: DrillFamily
        /// How many had to arrive: of plain messages, one at each subscriber.
        package let expected: Int
        package let lost: Int
        package let duplicated: Int
        /// Behind a later one; nil where there is no order to keep.
        package let reordered: Int?
    }

    /// Requests of clients of one family to those of another.
    package struct Requests: Sendable, Codable {
        package let from: DrillFamily
        package let to: DrillFamily
        package let sent: Int
        package let failed: Int
        /// How often for which reason.
        package let reasons: [String: Int]
    }

    package let timeline: [Moment]
    package let clients: [Client]
    package let streams: [Stream]
    package let requests: [Requests]
    /// Which messages among clients that migrate were lost or came twice: a line for each publisher and receiver.
    package let details: [String]

    /// Says what must not happen to clients that migrate: a line each for messages among them that were lost or came
    /// twice, and for their requests to each other that failed.
    package var faults: [String] {
        let ours = DrillFamily.migrating
        let streams = self.streams.filter { $0.from == ours && $0.to == ours && $0.lost + $0.duplicated > 0 }
        let requests = self.requests.filter { $0.from == ours && $0.to == ours && $0.failed > 0 }
        return streams.map { "\($0.kind.rawValue): \($0.lost) lost, \($0.duplicated) twice, of \($0.expected)" }
            + requests.map { "\($0.failed) of \($0.sent) requests failed: \($0.reasons)" }
    }

    /// Whether there was anything that could have gone wrong.
    package var isEmpty: Bool {
        let ours = DrillFamily.migrating
        return !self.streams.contains { $0.from == ours && $0.to == ours && $0.expected > 0 }
            || self.clients.reduce(0) { $0 + $1.migrations } == 0
    }
}

extension DrillReport {
    /// Counts what the clients have recorded.
    init(_ records: [DrillRecord], timeline: [Moment]) {
        let families = DrillFamily.allCases.filter { family in records.contains { $0.family == family } }
        let pairs = families.flatMap { from in families.map { (from, $0) } }
        self.timeline = timeline
        self.clients = records.map { record in
            Client(
                name: record.name,
                family: record.family,
                migrations: record.migrations,
                reconnects: record.reconnects,
                longestGap: Double(record.longestGap) / 1_000_000
            )
        }
        self.streams = Kind.allCases.flatMap { kind in
            pairs.map { Self.stream(kind, records, from: $0, to: $1) }
        }
        self.details = Self.details(records.filter { $0.family == .migrating })
        self.requests = pairs.map { from, to in
            var sum = DrillRecord.Requests()
            for record in records where record.family == from {
                guard let requests = record.requests[to] else { continue }
                sum.sent += requests.sent
                sum.failed += requests.failed
                sum.reasons.merge(requests.reasons, uniquingKeysWith: +)
            }
            return Requests(from: from, to: to, sent: sum.sent, failed: sum.failed, reasons: sum.reasons)
        }
    }

    private static func details(_ records: [DrillRecord]) -> [String] {
        func line(_ what: String, _ tally: SequenceTally, of published: Int) -> String? {
            let missing = tally.missing(of: published)
            guard !missing.isEmpty || tally.duplicated > 0 else { return nil }
            return "\(what): of \(published) not \(missing.prefix(16)), twice \(tally.repeated)"
        }
        return records.flatMap { publisher in
            let plain = records.map { receiver in
                line(
                    "plain from \(publisher.name) to \(receiver.name)",
                    receiver.plain[publisher.name] ?? SequenceTally(),
                    of: publisher.published
                )
            }
            var (jobs, asked) = (SequenceTally(), SequenceTally())
            for receiver in records {
                jobs.merge(receiver.jobs[publisher.name] ?? SequenceTally())
                asked.merge(receiver.asked[publisher.name] ?? SequenceTally())
            }
            return
                (plain + [
                    line("jobs of \(publisher.name)", jobs, of: publisher.published),
                    line("requests of \(publisher.name)", asked, of: publisher.requests[.migrating]?.sent ?? 0),
                ]).compactMap { $0 }
        }
    }

    private static func stream(
        _ kind: Kind,
        _ records: [DrillRecord],
        from: DrillFamily,
        to: DrillFamily
    ) -> Stream {
        let receivers = records.filter { $0.family == to }
        var (expected, lost, duplicated, reordered) = (0, 0, 0, 0)
        for publisher in records where publisher.family == from {
            let published = kind == .request ? publisher.requests[to]?.sent ?? 0 : publisher.published
            var tallies = receivers.map { receiver -> SequenceTally in
                let all =
                    switch kind {
                    case .plain: receiver.plain
                    case .job: receiver.jobs
                    case .request: receiver.asked
                    }
                return all[publisher.name] ?? SequenceTally()
            }
            if kind != .plain {
                // A queue group as a whole gets each message once.
                var sum = SequenceTally()
                for tally in tallies { sum.merge(tally) }
                tallies = [sum]
            }
            for tally in tallies {
                expected += published
                lost += tally.lost(of: published)
                duplicated += tally.duplicated
                reordered += tally.reordered
            }
        }
        return Stream(
            kind: kind,
            from: from,
            to: to,
            expected: expected,
            lost: lost,
            duplicated: duplicated,
            reordered: kind == .plain ? reordered : nil
        )
    }
}
