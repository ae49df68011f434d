import NATSBenchSupport
import NATSClient
import NATSCommandSupport
import NIOCore

/// What clients send, made from the flags once.
struct BenchWork: Sendable {
    let payload: PayloadSource
    let headers: NATSHeaders
    /// Of each sender.
    let pace: Pace
    private let options: BenchOptions
    private let numbered: SubjectSequence?

    init(_ options: BenchOptions, _ plan: BenchPlan) throws {
        self.options = options
        if let path = options.content.payload {
            let bytes = try ToolFile.read(path, limit: BenchPlan.maximumSize)
            self.payload = PayloadSource(fixed: ByteBuffer(bytes: bytes))
        } else {
            let size = options.content.size?.bytes ?? BenchContentOptions.defaultSize
            var generator = SystemRandomNumberGenerator()
            self.payload =
                options.content.random ? PayloadSource(random: &generator, size: size) : PayloadSource(size: size)
        }
        var headers = NATSHeaders()
        for field in options.content.header { headers.append(name: field.name, value: field.value) }
        self.headers = headers
        if let throughput = options.load.throughput {
            self.pace = Pace(rate: Double(throughput) / Double(max(1, plan.senders)))
        } else {
            self.pace = Pace(pause: options.load.sleep?.nanoseconds ?? 0)
        }
        guard options.content.multisubject else {
            self.numbered = nil
            return
        }
        self.numbered = SubjectSequence(
            numbered: options.subject,
            maximum: options.content.multisubjectmax ?? 100_000,
            isRandom: options.content.multisubjectrandomize,
            offset: 0
        )
    }

    /// What a sender sends whose first message has this number in the run.
    func content(of offset: Int, count: Int?) -> SenderContent {
        SenderContent(
            payload: self.payload,
            headers: self.headers,
            subjects: self.numbered?.beginning(at: offset) ?? SubjectSequence(self.options.subject),
            pace: .unlimited,
            count: count
        )
    }

    /// What responders answer.
    var response: ReceiveClient.Response {
        ReceiveClient.Response(
            payload: self.payload,
            headers: self.headers,
            pause: self.options.load.sleep?.nanoseconds ?? 0
        )
    }
}

extension DurationArgument {
    /// At most some centuries.
    fileprivate var nanoseconds: UInt64 {
        let parts = self.duration.components
        guard parts.seconds >= 0, parts.seconds < 9_000_000_000 else { return 9_000_000_000_000_000_000 }
        return UInt64(parts.seconds) * 1_000_000_000 + UInt64(parts.attoseconds / 1_000_000_000)
    }
}
