import NATSWire

/// A round of answers as one line of a file, and back.
///
/// A line is an object: `t`, our time in nanoseconds, `took`, how long the round took, `at`, where the server was asked,
/// `problems`, and `pages`, the answers with the name of what was asked for: `body` is JSON as it came, `text` is what is
/// none, if it is short. Whatever the answers were, what is written can be read again.
package struct Recording: Sendable, Equatable {
    /// Lines longer than this are neither written nor read.
    package static let maximumLineBytes = 64 << 20
    /// A text that is no JSON is kept up to this length; what was wrong with it is kept always.
    private static let maximumTextBytes = 4096
    /// A page in a line stands so many levels deeper than by itself.
    private static let lineDepth = 3

    /// Our time since the recording began.
    package var time: Duration
    /// How long the round took; nil if nobody knows.
    package var took: Duration?
    /// Where the server was asked, as it is shown.
    package var target = ""
    package var pages: [(request: Request, body: [UInt8])] = []
    package var problems: [String] = []

    package init(time: Duration) {
        self.time = time
    }

    package static func == (left: Recording, right: Recording) -> Bool {
        left.time == right.time && left.took == right.took && left.target == right.target
            && left.problems == right.problems
            && left.pages.elementsEqual(right.pages) { $0.request == $1.request && $0.body == $1.body }
    }

    /// What a round of requests brought, as ``Model`` takes it.
    package var sample: Sample {
        var sample = Sample()
        for (request, body) in self.pages { sample.add(body, for: request) }
        // A page that cannot be read was one then too, and what was asked for is known better there.
        if !self.problems.isEmpty { sample.problems = [] }
        for problem in self.problems { sample.addProblem(problem) }
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
    ///
    /// A page that would make it one that cannot be read is left out, and a problem says so.
    package var line: [UInt8] {
        var pages: [UInt8] = []
        var losses: [String] = []
        for (request, body) in self.pages {
            switch Self.entry(request, body) {
            // There is room for what else is in the line.
            case .success(let page) where pages.count + page.count < Self.maximumLineBytes - 65_536:
                pages += pages.isEmpty ? page : [UInt8(ascii: ",")] + page
            case .success:
                losses.append("\(request.path): too long for a recording")
            case .failure(let loss):
                // What was wrong with the page is said already, as a rule.
                if !self.problems.contains(where: { $0.hasPrefix(request.path) }) {
                    losses.append("\(request.path): \(loss.text)")
                }
            }
        }
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { writer in
            writer.write("t", Self.nanoseconds(self.time))
            if let took = self.took { writer.write("took", Self.nanoseconds(took)) }
            writer.writeUnlessEmpty("at", self.target)
            writer.writeUnlessEmpty("problems", losses + self.problems)
            writer.write("pages", raw: [UInt8(ascii: "[")] + pages + [UInt8(ascii: "]")])
        }
        return writer.bytes + [0x0A]
    }

    /// Why a page stands in no line.
    private struct Loss: Error {
        var text: String
    }

    /// A page as it stands in a line.
    private static func entry(_ request: Request, _ body: [UInt8]) -> Result<[UInt8], Loss> {
        let value = try? JSONValue.parse(body)
        let isFlat = value.map { $0.hasDepth(atMost: JSONValue.maximumDepth - Self.lineDepth) } ?? false
        let text = isFlat || body.count > Self.maximumTextBytes ? nil : String(validating: body, as: UTF8.self)
        guard isFlat || text != nil else {
            return .failure(Loss(text: value == nil ? "no JSON" : "too deep for a recording"))
        }
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { writer in
            writer.write("page", request.name)
            if case .subscriptions(let connection) = request { writer.write("cid", connection) }
            if let value, isFlat { writer.write("body", value) }
            if let text { writer.write("text", text) }
        }
        return .success(writer.bytes)
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
        self.target = object.text("at")
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

extension JSONValue {
    /// Whether containers are nested no deeper than this.
    fileprivate func hasDepth(atMost depth: Int) -> Bool {
        guard depth >= 0 else { return false }
        return switch self {
        case .array(let elements): elements.allSatisfy { $0.hasDepth(atMost: depth - 1) }
        case .object(let members): members.allSatisfy { $0.value.hasDepth(atMost: depth - 1) }
        default: true
        }
    }
}
