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

    package var kind: Kind
    package var subject: String
    /// Who may import; everybody if `nil`.
    package var accounts: [String]?
    /// The token that has to be the importer's name; 0 is none.
    package var accountTokenPosition = 0
    package var responseType: ResponseType = .single
    /// How long answers are waited for.
    package var responseThreshold: Duration = .seconds(120)

    package init(_ kind: Kind, _ subject: String) {
        self.kind = kind
        self.subject = subject
    }
}
