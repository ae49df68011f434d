/// What a look into claims found, in the words of nats-io/jwt.
package struct ValidationReport: Sendable, Equatable {
    package enum Severity: Sendable, Equatable {
        /// The claims must not be used.
        case error
        /// The claims must not be used now.
        case time
        case warning
    }

    package struct Issue: Sendable, Equatable, CustomStringConvertible {
        package let description: String
        package let severity: Severity
    }

    /// Claims of a million contradictions need not be listed in full.
    private static let maximumCount = 1000

    package private(set) var issues: [Issue] = []
    private var hasErrors = false
    private var hasTimes = false

    package init() {}

    /// Whether no further issue would change the verdict; loops over large claims may end.
    var isFull: Bool { self.hasErrors && self.issues.count >= Self.maximumCount }

    package var isEmpty: Bool { self.issues.isEmpty }

    /// Whether the claims must not be used.
    package func isBlocking(includingTimes: Bool) -> Bool { self.hasErrors || includingTimes && self.hasTimes }

    /// The words of all errors.
    package var errors: [String] { self.issues.filter { $0.severity == .error }.map(\.description) }

    mutating func error(_ words: String) { self.add(words, .error) }

    mutating func time(_ words: String) { self.add(words, .time) }

    mutating func warning(_ words: String) { self.add(words, .warning) }

    mutating func add(_ words: String, _ severity: Severity) {
        // The first error is always listed, however many warnings stand before it.
        let isFirstError = severity == .error && !self.hasErrors
        if severity == .error { self.hasErrors = true }
        if severity == .time { self.hasTimes = true }
        guard isFirstError || self.issues.count < Self.maximumCount else { return }
        self.issues.append(Issue(description: words, severity: severity))
    }
}

/// What the validation of claims needs from outside.
package struct ValidationContext: Sendable {
    /// The time of day in seconds since 1970.
    package var now: Int64
    /// Where time zones are looked up.
    package var timeZones: TimeZoneDatabase

    package init(now: Int64, timeZones: TimeZoneDatabase = .system) {
        self.now = now
        self.timeZones = timeZones
    }
}
