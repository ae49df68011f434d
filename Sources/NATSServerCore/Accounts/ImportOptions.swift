import NATSText

/// Subjects of another account that an account has, as an entry of `imports` describes them.
package struct ImportOptions: Sendable, Equatable {
    package var kind: ExportOptions.Kind
    package var account: String
    package var subject: String
    package var to: String?
    /// Of a stream, in front of its subjects.
    package var prefix: String?
    /// Of a service: whether requests tell who makes them.
    package var share = false
    /// It is there, but not allowed any more; only where accounts are JWTs.
    package var isInvalid = false

    package init(_ kind: ExportOptions.Kind, account: String, subject: String) {
        self.kind = kind
        self.account = account
        self.subject = subject
    }

    /// Texts by their bytes.
    package static func == (left: Self, right: Self) -> Bool {
        left.kind == right.kind && left.account.isIdentical(to: right.account)
            && left.subject.isIdentical(to: right.subject) && left.to.isIdentical(to: right.to)
            && left.prefix.isIdentical(to: right.prefix) && left.share == right.share
            && left.isInvalid == right.isInvalid
    }

    /// What the subject is called in the importing account.
    var localSubject: String {
        if let prefix = self.prefix, !prefix.isEmpty {
            return (prefix.hasSuffix(".") ? prefix : "\(prefix).") + self.subject
        }
        return self.to.flatMap { $0.isEmpty ? nil : $0 } ?? self.subject
    }
}
