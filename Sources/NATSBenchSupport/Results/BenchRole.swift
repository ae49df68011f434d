/// What one client of a benchmark does.
package enum BenchRole: Sendable, Hashable {
    case publisher
    case subscriber
    case requestor
    case responder
    case streamPublisher

    /// Before ` stats: ` in reports.
    package var title: String {
        switch self {
        case .publisher: "Pub"
        case .subscriber: "Sub"
        case .requestor: "Req"
        case .responder: "Rply"
        case .streamPublisher: "JS Pub"
        }
    }

    /// Before the client's number in the CSV file.
    package var letter: String {
        switch self {
        case .publisher, .streamPublisher: "P"
        case .subscriber: "S"
        case .requestor: "R"
        case .responder: "A"
        }
    }

    /// Before the client's number in messages, and in the announcement with an `s`.
    package var noun: String {
        switch self {
        case .publisher: "pub"
        case .subscriber: "sub"
        case .requestor: "req"
        case .responder: "rply"
        case .streamPublisher: "js-pub"
        }
    }
}
