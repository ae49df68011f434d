import NATSBenchSupport
import Testing

@Suite("Reports of benchmarks")
struct BenchReportTests {
    private func sample(_ messages: Int, from start: UInt64 = 0, to end: UInt64, size: Int = 16) -> BenchSample {
        BenchSample(messages: messages, bytes: messages * size, start: start, end: end)
    }

    @Test("publishers and a subscriber: every line of the Go tool's report")
    func publishAndSubscribe() {
        let run = BenchRun(
            senders: BenchGroup(
                role: .publisher,
                samples: [self.sample(500, to: 500_000), self.sample(500, from: 100_000, to: 350_000)]
            ),
            receivers: BenchGroup(role: .subscriber, samples: [self.sample(1000, from: 250_000, to: 1_250_000)])
        )
        #expect(
            BenchReport.text(run) == """
                NATS Pub/Sub stats: 1,600,000 msgs/sec ~ 24.41 MB/sec
                 Pub stats: 2,000,000 msgs/sec ~ 30.52 MB/sec
                  [1] 1,000,000 msgs/sec ~ 15.26 MB/sec (500 msgs)
                  [2] 2,000,000 msgs/sec ~ 30.52 MB/sec (500 msgs)
                  min 1,000,000 | avg 1,500,000 | max 2,000,000 | stddev 500,000 msgs
                 Sub stats: 1,000,000 msgs/sec ~ 15.26 MB/sec

                """
        )
    }

    @Test("one kind of clients: its line is not indented and there is none above")
    func oneKind() {
        let one = BenchRun(
            senders: BenchGroup(role: .publisher, samples: [self.sample(1, to: 1_000_000_000, size: 100)]),
            receivers: BenchGroup(role: .subscriber, samples: [])
        )
        #expect(BenchReport.text(one) == "Pub stats: 1 msgs/sec ~ 100.00 B/sec\n")
        let two = BenchRun(
            senders: BenchGroup(role: .publisher, samples: []),
            receivers: BenchGroup(
                role: .subscriber,
                samples: [self.sample(3, to: 1_000_000_000), self.sample(3, to: 1_000_000_000)]
            )
        )
        #expect(
            BenchReport.text(two) == """
                Sub stats: 6 msgs/sec ~ 96.00 B/sec
                 [1] 3 msgs/sec ~ 48.00 B/sec (3 msgs)
                 [2] 3 msgs/sec ~ 48.00 B/sec (3 msgs)
                 min 3 | avg 3 | max 3 | stddev 0 msgs

                """
        )
    }

    @Test("nobody: nothing to report")
    func nobody() {
        let run = BenchRun(
            senders: BenchGroup(role: .publisher, samples: []),
            receivers: BenchGroup(role: .subscriber, samples: [])
        )
        #expect(BenchReport.text(run) == "No publisher or subscribers. Nothing to report.\n")
    }

    @Test("clients without any message have rate 0 and do not lengthen the time of the others")
    func idleClients() {
        let group = BenchGroup(
            role: .subscriber,
            samples: [BenchSample(), self.sample(10, from: 5_000_000_000, to: 6_000_000_000), BenchSample()]
        )
        #expect(group.total.rate == 10)
        #expect(group.minimumRate == 0)
        // Whatever the clock says, a rate is a number.
        #expect(self.sample(1, from: 7, to: 7).rate == 999_999_999)
        #expect(self.sample(1, from: 7, to: 3).rate == 999_999_999)
    }

    @Test("latencies follow the rate")
    func latencies() {
        var latencies = LatencyHistogram()
        for microseconds in 1...1000 as ClosedRange<UInt64> { latencies.record(nanoseconds: microseconds * 1000) }
        var sample = self.sample(1000, to: 1_000_000_000)
        sample.latencies = latencies
        let run = BenchRun(
            senders: BenchGroup(role: .requestor, samples: [sample]),
            receivers: BenchGroup(role: .subscriber, samples: [])
        )
        let expected =
            #/
            Req\ stats:\ 1,000\ msgs/sec\ ~\ 15\.62\ KB/sec\ ~\ min:\ 1us\ ~\ avg:\ 501us\ ~\ max:\ 1000us
            \ ~\ P50:\ 500us\ ~\ P90:\ 90[01]us\ ~\ P99:\ 99[01]us\ ~\ P99\.9:\ (?:999|1000)us\n
            /#
        #expect(BenchReport.text(run).wholeMatch(of: expected) != nil, "\(BenchReport.text(run))")
    }

    @Test("CSV: subscribers first, six decimals")
    func commaSeparated() {
        let run = BenchRun(
            senders: BenchGroup(
                role: .publisher,
                samples: [self.sample(500, to: 500_000), self.sample(500, to: 300_000)]
            ),
            receivers: BenchGroup(role: .subscriber, samples: [self.sample(1000, from: 250_000, to: 499_621)])
        )
        #expect(
            BenchCSV.text(run, runID: "ID") == """
                #RunID,ClientID,MsgCount,MsgBytes,MsgsPerSec,BytesPerSec,DurationSecs
                ID,S0,1000,16000,4006073,64097171.311709,0.000250
                ID,P0,500,8000,1000000,16000000.000000,0.000500
                ID,P1,500,8000,1666666,26666666.666667,0.000300

                """
        )
    }

    @Test("who has not got everything is named")
    func shortfalls() {
        var short = self.sample(7, to: 10)
        short.expected = 10
        var full = self.sample(10, to: 10)
        full.expected = 10
        var run = BenchRun(
            senders: BenchGroup(role: .publisher, samples: [full]),
            receivers: BenchGroup(role: .subscriber, samples: [full, short])
        )
        #expect(run.shortfalls == ["sub 2: 7 of 10"])
        run.receivers.samples = [self.sample(3, to: 10), self.sample(4, to: 10)]
        run.sharedTarget = 10
        #expect(run.shortfalls == ["subs together: 7 of 10"])
        run.sharedTarget = 7
        #expect(run.shortfalls == [])
    }

    @Test("the median run is the one in the middle by rate")
    func median() {
        let runs = [300, 100, 500, 400].map { messages in
            BenchRun(
                senders: BenchGroup(role: .publisher, samples: [self.sample(messages, to: 1_000_000_000)]),
                receivers: BenchGroup(role: .subscriber, samples: [])
            )
        }
        #expect(BenchRun.median(of: Array(runs.prefix(3)))?.total.rate == 300)
        #expect(BenchRun.median(of: runs)?.total.rate == 300)
        #expect(BenchRun.median(of: []) == nil)
        #expect(BenchReport.ratio(runs[0], runs[1]) == "Ratio: 3.00 (first server's rate to the second's)\n")
        // Four seconds to the message, and ten.
        let slow = ([4_000_000_000, 10_000_000_000] as [UInt64]).map { end in
            BenchRun(
                senders: BenchGroup(role: .requestor, samples: [self.sample(1, to: end)]),
                receivers: BenchGroup(role: .subscriber, samples: [])
            )
        }
        #expect(BenchReport.ratio(slow[0], slow[1]) == "Ratio: 2.50 (first server's rate to the second's)\n")
    }

    @Test(
        "integers have commas",
        arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1000, "-1,000")]
    )
    func grouped(value: Int, text: String) {
        #expect(FixedDecimal.grouped(value) == text)
    }

    @Test(
        "bytes count by 1024",
        arguments: [
            (0.0, "0.00 B"), (1023, "1023.00 B"), (1024, "1.00 KB"), (33.25 * 1_048_576, "33.25 MB"),
            (1_099_511_627_776, "1.00 TB"),
        ]
    )
    func bytes(value: Double, text: String) {
        #expect(FixedDecimal.bytes(value) == text)
    }

    @Test("absurd numbers are cut by nothing")
    func absurdBytes() {
        #expect(FixedDecimal.bytes(1e300).hasSuffix(".00 EB"))
    }

    @Test("progress: a bar with an end, a count without")
    func progress() {
        #expect(
            ProgressLine.text(label: "Running", done: 500, target: 1000, seconds: 0.5)
                == "Running [===============               ] 50%, 1,000 msgs/sec"
        )
        #expect(ProgressLine.text(label: "Run 1", done: 5, target: nil, seconds: 1) == "Run 1 5 msgs, 5 msgs/sec")
        #expect(
            ProgressLine.text(label: "x", done: 30, target: 10, seconds: 0)
                == "x [==============================] 100%, 0 msgs/sec"
        )
    }
}
