import NATSWire

/// `/subsz`: the subscriptions.
struct SubszDocument {
    struct Query: Sendable {
        static let defaultLimit = 1024

        var lists = false
        var offset = 0
        var limit = Self.defaultLimit
        var account = ""
        /// Only subscriptions that want this subject.
        var test = ""
    }

    struct Row: Sendable {
        var account: String
        var subscription: SubscriptionSnapshot
    }

    /// Whether a message could be published on the subject.
    static func isTestSubject(_ subject: String) -> Bool {
        Array(subject.utf8).withUnsafeBytes { SubjectGrammar.isLiteral($0) }
    }

    let head: ServerHead
    let query: Query
    let statistics: SublistStatistics
    /// Subscriptions that `test` lets through; 0 unless they are listed.
    let total: Int
    /// The page that is shown.
    let rows: [Row]

    func json(indentation: Int? = 2) -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: indentation, capacity: 1024 + self.rows.count * 200)
        writer.object { writer in
            writer.write(self.head)
            writer.write(self.statistics)
            writer.write("total", self.total)
            writer.write("offset", self.query.offset)
            writer.write("limit", self.query.limit)
            guard !self.rows.isEmpty else { return }
            writer.array("subscriptions_list") { writer in
                for row in self.rows { writer.element(row.subscription, account: row.account) }
            }
        }
        return writer.bytes
    }
}
