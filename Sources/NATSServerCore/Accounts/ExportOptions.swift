import NATSText

/// Subjects of an account that others may have, as an entry of `exports` describes them.
package struct ExportOptions: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case stream
        case service
    }

    /// How many answers a request has.
    package enum ResponseType: Sendable, Equatable {
        case single
        case stream
        case chunked
    }

    /// Where latencies of a service are published.
    package struct Latency: Sendable, Equatable {
        /// Percent of the requests; 0: requests ask for it by a header.
        package var sampling: Int
        package var subject: String

        package init(subject: String, sampling: Int = 100) {
            self.subject = subject
            self.sampling = sampling
        }

        package static func == (left: Self, right: Self) -> Bool {
            left.sampling == right.sampling && left.subject.isIdentical(to: right.subject)
        }
    }

    package var kind: Kind
    package var subject: String
    /// Who may import; everybody if `nil`.
    package var accounts: [String]?
    /// The token that has to be the importer's name; 0 is none.
    package var accountTokenPosition = 0
    /// Importers need an activation token; only JWTs can say so.
    package var tokenRequired = false
    /// Activations that were taken back: seconds since 1970 by public key.
    package var revocations: [String: Int64] = [:]
    package var responseType: ResponseType = .single
    /// How long answers are waited for.
    package var responseThreshold: Duration = .seconds(120)
    package var latency: Latency?

    package init(_ kind: Kind, _ subject: String) {
        self.kind = kind
        self.subject = subject
    }

    /// Texts by their bytes.
    package static func == (left: Self, right: Self) -> Bool {
        guard (left.accounts == nil) == (right.accounts == nil) else { return false }
        return left.kind == right.kind && left.subject.isIdentical(to: right.subject)
            && (left.accounts ?? []).isIdentical(to: right.accounts ?? [])
            && left.accountTokenPosition == right.accountTokenPosition && left.tokenRequired == right.tokenRequired
            && left.revocations == right.revocations && left.responseType == right.responseType
            && left.responseThreshold == right.responseThreshold && left.latency == right.latency
    }
}
