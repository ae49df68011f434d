/// What the server itself does with the messages of a subscription.
enum ServiceTarget: Sendable {
    /// They are requests for a service of another account.
    case request(ServiceImport)
    /// They are answers to requests of other accounts.
    case answer(ServiceResponses)
    /// The server listens to them.
    case server(InternalSubscription)

    var isInternal: Bool {
        if case .server = self { return true }
        return false
    }
}

/// What the server itself does with messages on one subject; made once, when the subject is matched.
final class ServiceMatches: Sendable {
    enum Match: Sendable {
        /// A request, and what its subject is called in the other account.
        case request(ServiceImport, subject: [UInt8])
        case answer(ServiceResponses)
        case server(InternalSubscription)
    }

    let subject: [UInt8]
    let matches: [Match]
    private let subscriptions: ContiguousArray<Subscription>

    /// Takes the server's own subscriptions out of a match; `nil` if there are none.
    init?(takingFrom match: inout Sublist<Subscription>.Match, _ subject: UnsafeBufferPointer<UInt8>) {
        guard match.plain.contains(where: { $0.service != nil }) else { return nil }
        let isAll = match.plain.allSatisfy { $0.service != nil }
        let subject = Array(subject)
        self.subject = subject
        self.subscriptions = isAll ? match.plain : match.plain.filter { $0.service != nil }
        self.matches = self.subscriptions.compactMap { subscription in
            switch subscription.service {
            case .request(let service): .request(service, subject: service.remoteSubject(of: subject))
            case .answer(let responses): .answer(responses)
            case .server(let subscription): .server(subscription)
            case nil: nil
            }
        }
        if isAll { match.plain = [] } else { match.plain.removeAll { $0.service != nil } }
    }

    /// Memory in bytes, roughly.
    var size: Int {
        self.matches.reduce(self.subject.count + 4 * MatchResult.allocationSize) { size, match in
            guard case .request(_, let subject) = match else { return size + MatchResult.allocationSize }
            return size + subject.count + 2 * MatchResult.allocationSize
        }
    }

    /// Counts a message, for the monitoring pages.
    func count() {
        for subscription in self.subscriptions { subscription.countOwn() }
    }
}
