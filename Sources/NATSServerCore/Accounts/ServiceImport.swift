internal import NATSServerConfig
import NATSText

/// A service that an account offers.
final class ServiceExport: Sendable {
    let options: ExportOptions

    init(_ options: ExportOptions) { self.options = options }
}

/// What a message has passed on its way from one account to another.
struct ServiceStep {
    let export: ServiceExport
    /// The import; `nil` if it is an answer.
    let request: ServiceImport?
}

/// Another account's service that an account uses as its own: requests go there, and their answers come back.
///
/// A subscription of the server in the importer's index. Refers to both accounts: ``Account/unlink()`` lets go of it.
final class ServiceImport: Sendable {
    let importer: Account
    let exporter: Account
    let export: ServiceExport
    /// What it is called here, wildcards included.
    let from: String
    /// What it is called there.
    let to: String
    /// From here to there.
    private let transform: SubjectTransform?
    private let keepsSubject: Bool
    /// Whether the exporter is told who makes the requests.
    let share: Bool

    /// - Parameters:
    ///   - options: A valid import (``AccountLinks``).
    ///   - importer: The account that has it.
    ///   - exporter: The account that it names.
    ///   - export: What of that account.
    init(_ options: ImportOptions, importer: Account, exporter: Account, export: ServiceExport) {
        let local = options.localSubject
        let remote = options.subject
        self.importer = importer
        self.exporter = exporter
        self.export = export
        self.share = options.share
        let hasWildcards = remote.subjectTokens.contains { $0 == "*" || $0 == ">" }
        guard hasWildcards, local != remote else {
            self.from = local
            self.to = remote
            self.transform = nil
            self.keepsSubject = hasWildcards
            return
        }
        // nats-server accounts.go addServiceImport: `$` is only written on the local side.
        self.to = TransformRules.untokenized(remote)
        self.transform = SubjectTransform(self.to, TransformRules.tokenized(local), isStrict: true)?.reversed()
        self.from = TransformRules.untokenized(local)
        self.keepsSubject = false
    }

    func isSame(as other: ServiceImport) -> Bool {
        self.exporter === other.exporter && self.from.isIdentical(to: other.from) && self.to.isIdentical(to: other.to)
            && self.share == other.share && self.transform == other.transform
            && self.export.options == other.export.options
    }

    /// The exporter's name for a subject of a request.
    func remoteSubject(of subject: [UInt8]) -> [UInt8] {
        if let transform = self.transform { return transform(subject) }
        return self.keepsSubject ? subject : Array(self.to.utf8)
    }
}
