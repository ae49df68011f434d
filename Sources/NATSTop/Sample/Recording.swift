import NATSWire

/// A round of answers as one line of a file, and back.
///
/// A line is an object: `t`, our time in nanoseconds, `problems`, and `pages`, the answers as they came with the path that
/// was asked for.
package struct Recording: Sendable, Equatable {
    /// Lines longer than this are not read.
    package static let maximumLineBytes = 2 * Sample.maximumBytes

    /// Our time since the recording began.
    package var time: Duration
    package var pages: [(request: Request, body: [UInt8])] = []
    package var problems: [String] = []

    package init(time: Duration) {
        self.time = time
    }

    package static func == (left: Recording, right: Recording) -> Bool {
        left.time == right.time && left.problems == right.problems
            && left.pages.elementsEqual(right.pages) { $0.request == $1.request && $0.body == $1.body }
    }

    /// What a round of requests brought, as ``Model`` takes it.
    package var sample: Sample {
        var sample = Sample()
        for (request, body) in self.pages { sample.add(body, for: request) }
        for problem in self.problems { sample.addProblem(problem) }
        return sample
    }

    // MARK: Lines

    /// The line, with its end; pages that are no JSON are left out.
    package var line: [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { writer in
            let parts = self.time.components
            let (high, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
            writer.write("t", overflow ? Int.max : Int(high) &+ Int(parts.attoseconds / 1_000_000_000))
            if !self.problems.isEmpty { writer.write("problems", self.problems) }
            writer.array("pages") { writer in
                for (request, body) in self.pages {
                    guard let value = try? JSONValue.parse(body) else { continue }
                    writer.object { writer in
                        writer.write("page", request.name)
                        if case .subscriptions(let connection) = request { writer.write("cid", connection) }
                        writer.write("body", value)
                    }
                }
            }
        }
        return writer.bytes + [0x0A]
    }

    /// Reads a line; nil if it is none of a recording.
    package init?(line: some Collection<UInt8>) {
        guard line.count <= Self.maximumLineBytes, let value = try? JSONValue.parse(Array(line)),
            case .object(let members) = value
        else { return nil }
        let object = LenientObject(value)
        guard members.contains(where: { $0.key == "t" }),
            case .array(let pages)? = members.last(where: { $0.key == "pages" })?.value
        else { return nil }
        self.time = .nanoseconds(Int64(clamping: object.count("t")))
        self.problems = object.texts("problems", limit: 16)
        for page in pages.prefix(16) {
            guard case .object(let members) = page, let body = members.last(where: { $0.key == "body" })?.value,
                let request = Self.request(LenientObject(page))
            else { continue }
            var writer = JSONDocumentWriter(indentation: nil)
            writer.object { $0.write("body", body) }
            // The document within: without `{"body":` and `}`.
            self.pages.append((request, Array(writer.bytes.dropFirst(8).dropLast())))
        }
    }

    private static func request(_ object: LenientObject) -> Request? {
        switch object.text("page") {
        case "varz": .server
        case "connz":
            .connections(limit: Sample.maximumConnections, sort: nil, subscriptions: false, identity: false)
        case "closed": .closed(limit: Sample.maximumConnections, sort: nil)
        case "routez": .routes
        case "accstatz": .accounts
        case "accountz": .accountNames
        case "subscriptions": .subscriptions(connection: object.count("cid"))
        case "subsz": .subscriptionStatistics
        case "jsz": .jetStream
        default: nil
        }
    }
}
