import NATSText
import NATSWire

/// No limit, in claims.
package let unlimitedClaim: Int64 = -1

/// Limits of users and accounts.
package struct TrafficLimits: Sendable, Equatable {
    /// Subscriptions; -1 for any number.
    package var subscriptions: Int64
    /// Bytes altogether; -1 for any number.
    package var data: Int64
    /// Bytes of one payload; -1 for any number.
    package var payload: Int64

    package init(subscriptions: Int64 = 0, data: Int64 = 0, payload: Int64 = 0) {
        self.subscriptions = subscriptions
        self.data = data
        self.payload = payload
    }

    package static var unlimited: TrafficLimits {
        TrafficLimits(subscriptions: unlimitedClaim, data: unlimitedClaim, payload: unlimitedClaim)
    }

    mutating func read(_ reader: ClaimReader) throws(JSONError) {
        try reader.read("subs", into: &self.subscriptions)
        try reader.read("data", into: &self.data)
        try reader.read("payload", into: &self.payload)
    }

    func write(to writer: inout ClaimWriter) {
        writer.writeUnlessZero("subs", self.subscriptions)
        writer.writeUnlessZero("data", self.data)
        writer.writeUnlessZero("payload", self.payload)
    }
}

/// What a user may do, from where and when: in the user's claims, or as the template of a scoped signing key.
package struct UserLimits: Sendable, Equatable {
    package var permissions = ClaimPermissions()
    /// Networks in CIDR form that the user may come from; any if empty.
    package var sources: [String] = []
    /// Times of day when the user may be connected; always if empty.
    package var times: [TimeRange] = []
    /// The time zone of ``times`` by its IANA name; the server's own if empty.
    package var locale = ""
    package var traffic = TrafficLimits()
    /// Whether the JWT alone is enough, without a signature by the user's key.
    package var bearerToken = false
    package var proxyRequired = false
    /// `STANDARD`, `WEBSOCKET`, `LEAFNODE` …; any if empty.
    package var allowedConnectionTypes: [String] = []

    /// Nothing set: what the claims of a scoped user have.
    package init() {}

    /// No limits.
    package static var unlimited: UserLimits {
        var limits = UserLimits()
        limits.traffic = .unlimited
        return limits
    }

    mutating func read(_ reader: ClaimReader) throws(JSONError) {
        try self.permissions.read(reader)
        for value in reader.values("src") { self.sources = try Self.sources(value) }
        for value in reader.values("times") {
            self.times = []
            for element in try value.elements("times") {
                self.times.append(try TimeRange(ClaimReader(element, "times")))
            }
        }
        try reader.read("times_location", into: &self.locale)
        try self.traffic.read(reader)
        try reader.read("bearer_token", into: &self.bearerToken)
        try reader.read("proxy_required", into: &self.proxyRequired)
        try reader.read("allowed_connection_types", into: &self.allowedConnectionTypes)
    }

    /// An array, or one text with commas.
    private static func sources(_ value: JSONValue) throws(JSONError) -> [String] {
        guard case .string(let list) = value else {
            var sources: [String] = []
            for element in try value.elements("src") { sources.append(element == .null ? "" : try element.text("src")) }
            return sources
        }
        var sources: [String] = []
        for part in list.utf8.split(separator: UInt8(ascii: ",")).map({ Substring($0) }) {
            let source = part.lowercased().trimmingGoSpace()
            if !source.isEmpty, !sources.contains(source) { sources.append(source) }
        }
        return sources
    }

    func write(to writer: inout ClaimWriter) {
        self.permissions.write(to: &writer)
        writer.writeUnlessEmpty("src", self.sources)
        writer.writeUnlessEmpty("times", self.times.map(\.object))
        writer.writeUnlessEmpty("times_location", self.locale)
        self.traffic.write(to: &writer)
        writer.writeUnlessFalse("bearer_token", self.bearerToken)
        writer.writeUnlessFalse("proxy_required", self.proxyRequired)
        writer.writeUnlessEmpty("allowed_connection_types", self.allowedConnectionTypes)
    }

    func validate(_ context: ValidationContext, into report: inout ValidationReport) {
        self.permissions.validate(into: &report)
        for source in self.sources where NetworkRange(source) == nil {
            report.error("invalid cidr \(GoString.quoted(source)) in user src limits")
        }
        for range in self.times { range.validate(into: &report) }
        guard !self.locale.isEmpty else { return }
        do throws(TimeZoneDatabase.Failure) {
            _ = try context.timeZones.zone(self.locale)
        } catch {
            report.error("could not parse iana time zone by name: \(error.words)")
        }
    }
}

extension StringProtocol {
    /// Without the white space at both ends, as Go's `strings.TrimSpace`.
    func trimmingGoSpace() -> String {
        let isSpace: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
        let scalars = self.unicodeScalars.drop(while: isSpace)
        var end = scalars.endIndex
        while end > scalars.startIndex {
            let previous = scalars.index(before: end)
            guard isSpace(scalars[previous]) else { break }
            end = previous
        }
        return String(String.UnicodeScalarView(scalars[..<end]))
    }
}
