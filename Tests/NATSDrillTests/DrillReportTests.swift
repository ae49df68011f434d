import Testing

@testable import NATSDrill

@Suite("The report of a drill") struct DrillReportTests {
    /// Two clients of ours and one of nats-py; each has published ten messages and asked ours ten times.
    private func records(_ change: (inout [DrillRecord]) -> Void = { _ in }) -> [DrillRecord] {
        var records = [("a", DrillFamily.migrating), ("b", .migrating), ("p", .python)].map {
            DrillRecord(name: $0, family: $1)
        }
        let names = records.map(\.name)
        for index in records.indices {
            records[index].published = 10
            for name in names {
                for number in 0..<10 { records[index].arrived(from: name, number, at: number * 1000) }
            }
            for _ in 0..<10 { records[index].answered(by: .migrating, failure: nil) }
        }
        for name in names {
            for number in 0..<10 {
                records[number % 2].jobs[name, default: SequenceTally()].record(number)
                records[2].jobs[name, default: SequenceTally()].record(number)
                records[number % 2].asked[name, default: SequenceTally()].record(number)
            }
        }
        records[0].migrations = 1
        change(&records)
        return records
    }

    private func stream(
        _ report: DrillReport,
        _ kind: DrillReport.Kind,
        _ from: DrillFamily,
        _ to: DrillFamily
    )
        -> DrillReport.Stream?
    {
        report.streams.first { $0.kind == kind && $0.from == from && $0.to == to }
    }

    @Test("nothing lost: each subscriber has each plain message, each queue group each job")
    func whole() throws {
        let report = DrillReport(self.records(), timeline: [])
        #expect(report.faults.isEmpty && !report.isEmpty)
        #expect(self.stream(report, .plain, .migrating, .migrating)?.expected == 40)
        #expect(self.stream(report, .job, .migrating, .migrating)?.expected == 20)
        #expect(self.stream(report, .job, .python, .migrating)?.lost == 0)
        #expect(self.stream(report, .request, .python, .migrating)?.expected == 10)
        #expect(report.requests.first { $0.from == .python && $0.to == .migrating }?.sent == 10)
        #expect(report.clients.map(\.longestGap) == [0.001, 0.001, 0.001])
    }

    @Test("what clients that migrate lose, get twice or are not answered is a fault, and nothing else")
    func faults() throws {
        let lost = DrillReport(self.records { $0[1].published = 11 }, timeline: [])
        #expect(lost.faults == ["plain: 2 lost, 0 twice, of 42", "job: 1 lost, 0 twice, of 21"])
        let twice = DrillReport(self.records { $0[1].jobs["a", default: SequenceTally()].record(0) }, timeline: [])
        #expect(twice.faults == ["job: 0 lost, 1 twice, of 20"])
        let failed = DrillReport(
            self.records { records in
                records[0].answered(by: .migrating, failure: "timeout")
                records[0].asked["a", default: SequenceTally()].record(10)
            },
            timeline: []
        )
        #expect(failed.faults == ["1 of 21 requests failed: [\"timeout\": 1]"])
        let others = DrillReport(
            self.records { records in
                records[2].published = 100
                records[2].jobs["a", default: SequenceTally()].record(0)
                records[0].answered(by: .python, failure: "timeout")
                records[2].answered(by: .migrating, failure: "timeout")
            },
            timeline: []
        )
        #expect(others.faults.isEmpty)
    }

    @Test("the tables line up")
    func tables() {
        let lines = DrillReport(self.records(), timeline: []).tables.split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        #expect(lines[0] == "  client  migrations  reconnects  longest gap")
        #expect(lines[1] == "  a                1           0         1 ms")
        #expect(lines[5] == "Among clients that migrate:")
        #expect(lines[6] == "  messages  from  to    expected  lost  duplicated  reordered")
        #expect(lines[7] == "  plain     ours  ours        40     0           0          0")
        #expect(lines[11] == "  requests of  answered by  sent  failed  why")
        #expect(lines[12] == "  ours         ours           20       0")
        #expect(lines[14] == "With others, at most once:")
    }
}
