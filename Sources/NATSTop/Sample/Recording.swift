import NATSWire

/// A round of answers as one line of a file, and back.
///
/// A line is an object: `t`, our time in nanoseconds, `took`, how long the round took, `problems`, and `pages`, the answers
/// with the name of what was asked for: `body` is JSON as it came, `text` is what is none.
package struct Recording: Sendable, Equatable {
    /// Lines longer than this are not read.
    package static let maximumLineBytes = 2 * Sample.maximumBytes

    /// Our time since the recording began.
    package var time: Duration
    /// How long the round took; nil if nobody knows.
    package var took: Duration?
    package var pages: [(request: Request, body: [UInt8])] = []
    package var problems: [String] = []

    package init(time: Duration) {
        self.time = time
    }

    package static func == (left: Recording, right: Recording) -> Bool {
        left.time == right.time && left.took == right.took && left.problems == right.problems
            && left.pages.elementsEqual(right.pages) { $0.request == $1.request && $0.body == $1.body }
    }

    /// What a round of requests brought, as ``Model`` takes it.
    package var sample: Sample {
        var sample = Sample()
        for (request, body) in self.pages { sample.add(body, for: request) }
        // A page that cannot be read is one again.
        for problem in self.problems where !sample.problems.contains(problem) { sample.addProblem(problem) }
        return sample
    }

    /// Keeps an answer as it came.
    package mutating func add(_ body: [UInt8], for request: Request) {
        self.pages.append((request, body))
    }

    /// Keeps an answer that was read already.
    package mutating func add(_ page: Page, for request: Request) {
        self.pages.append((request, Self.text(page.value)))
    }

    private static func text(_ value: JSONValue) -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { $0.write("body", value) }
        // The document within: without `{"body":` and `}`.
        return Array(writer.bytes.dropFirst(8).dropLast())
    }

    // MARK: Lines

    /// The line, with its end.
    package var line: [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { writer in
            writer.write("t", Self.nanoseconds(self.time))
            if let took = self.took { writer.write("took", Self.nanoseconds(took)) }
            if !self.problems.isEmpty { writer.write("problems", self.problems) }
            writer.array("pages") { writer in
                for (request, body) in self.pages {
                    writer.object { writer in
                        writer.write("page", request.name)
                        if case .subscriptions(let connection) = request { writer.write("cid", connection) }
                        if let value = try? JSONValue.parse(body) {
                            writer.write("body", value)
                        } else {
                            writer.write("text", String(decoding: body, as: UTF8.self))
                        }
                    }
                }
            }
        }
        return writer.bytes + [0x0A]
    }

    private static func nanoseconds(_ duration: Duration) -> Int {
        let parts = duration.components
        let (high, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? Int.max : Int(high) &+ Int(parts.attoseconds / 1_000_000_000)
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
        if members.contains(where: { $0.key == "took" }) {
            self.took = .nanoseconds(Int64(clamping: object.count("took")))
        }
        self.problems = object.texts("problems", limit: 16)
        for page in pages.prefix(16) {
            guard case .object(let members) = page, let request = Self.request(LenientObject(page)) else { continue }
            if case .string(let text)? = members.last(where: { $0.key == "text" })?.value {
                self.pages.append((request, Array(text.utf8)))
            }
            guard let body = members.last(where: { $0.key == "body" })?.value else { continue }
            self.pages.append((request, Self.text(body)))
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
        case "cluster": .cluster
        default: nil
        }
    }
}
