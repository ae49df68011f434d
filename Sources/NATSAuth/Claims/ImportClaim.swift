import NATSText
import NATSWire

/// Something that an account takes from another one.
package struct ImportClaim: Sendable, Equatable {
    package var name = ""
    /// As the account that publishes first sees it: the exporter of a stream, the importer of a service.
    package var subject: String
    /// Public key of the exporting account.
    package var account: String
    /// An activation token, for exports that need one.
    package var token = ""
    /// The old form of ``localSubject``.
    package var to = ""
    /// As the importing account sees it, with `$1`… for the wildcards of ``subject``.
    package var localSubject = ""
    package var type: ExchangeType?
    package var share = false
    package var allowTrace = false

    package init(_ type: ExchangeType, _ subject: String, from account: String, name: String = "") {
        self.type = type
        self.subject = subject
        self.account = account
        self.name = name
    }

    init(_ reader: ClaimReader) throws(JSONError) {
        self.subject = ""
        self.account = ""
        try reader.read("name", into: &self.name)
        try reader.read("subject", into: &self.subject)
        try reader.read("account", into: &self.account)
        try reader.read("token", into: &self.token)
        try reader.read("to", into: &self.to)
        try reader.read("local_subject", into: &self.localSubject)
        try ExchangeType.read("type", of: reader, into: &self.type)
        try reader.read("share", into: &self.share)
        try reader.read("allow_trace", into: &self.allowTrace)
    }

    var object: JSONValue {
        var writer = ClaimWriter()
        writer.writeUnlessEmpty("name", self.name)
        writer.writeUnlessEmpty("subject", self.subject)
        writer.writeUnlessEmpty("account", self.account)
        writer.writeUnlessEmpty("token", self.token)
        writer.writeUnlessEmpty("to", self.to)
        writer.writeUnlessEmpty("local_subject", self.localSubject)
        writer.writeUnlessEmpty("type", self.type?.rawValue ?? "")
        writer.writeUnlessFalse("share", self.share)
        writer.writeUnlessFalse("allow_trace", self.allowTrace)
        return writer.object
    }

    func validate(in account: String, into report: inout ValidationReport) {
        let activation = self.token.isEmpty ? nil : try? JWT.decode(ActivationClaims.self, from: self.token)
        self.validate(in: account, activation: activation, into: &report)
    }

    /// The same with what ``token`` says; `nil` if that is none.
    func validate(in account: String, activation: ActivationClaims?, into report: inout ValidationReport) {
        if self.type == nil { report.error("invalid import type: \"unknown\"") }
        if self.type == .service, self.allowTrace { report.error("AllowTrace only valid for stream import") }
        if self.account.isEmpty { report.error("account to import from is not specified") }
        if !self.to.isEmpty { report.warning("the field to has been deprecated (use LocalSubject instead)") }
        ClaimSubject.validate(self.subject, into: &report)
        if !self.localSubject.isEmpty {
            ClaimSubject.validate(renaming: self.localSubject, from: self.subject, into: &report)
            if !self.to.isEmpty { report.error("Local Subject replaces To") }
        }
        let quoted = GoString.quoted(self.subject)
        if self.share, self.type != .service {
            report.error("sharing information (for latency tracking) is only valid for services: \(quoted)")
        }
        guard !self.token.isEmpty else { return }
        guard let activation else {
            report.error("import \(quoted) contains an invalid activation token")
            return
        }
        self.validate(activation, in: account, into: &report)
    }

    private func validate(_ activation: ActivationClaims, in account: String, into report: inout ValidationReport) {
        let quoted = GoString.quoted(self.subject)
        if activation.issuer != self.account, activation.issuerAccount != self.account {
            report.error("activation token doesn't match account for import \(quoted)")
        }
        if activation.subject != account {
            report.error("activation token doesn't match account it is being included in, \(quoted)")
        }
        if activation.importType != self.type {
            report.error(
                "mismatch between token import type \(ExchangeType.words(activation.importType)) and type of import "
                    + ExchangeType.words(self.type)
            )
        }
        activation.validateWithoutTimes(into: &report)
        let subject = self.type == .service && !self.to.isEmpty ? self.to : self.subject
        let outer = ClaimSubject.tokens(activation.importSubject)
        if !ClaimSubject.isContained(ClaimSubject.tokens(subject), in: outer) {
            report.error(
                "activation token import subject \(GoString.quoted(activation.importSubject)) doesn't match import "
                    + quoted
            )
        }
    }

    /// The subject of a service as the importing account sees it, without references to wildcards.
    private var serviceSubject: String {
        if !self.to.isEmpty { return self.to }
        return self.localSubject.isEmpty ? self.subject : ClaimSubject.withoutReferences(self.localSubject)
    }

    /// Services imported from one account must not overlap.
    static func validateOverlaps(_ imports: [ImportClaim], into report: inout ValidationReport) {
        var known: [String: [(subject: String, tokens: [ClaimSubject.Token])]] = [:]
        for service in imports where service.type == .service && !report.isFull {
            let subject = service.serviceSubject
            let tokens = ClaimSubject.tokens(subject)
            let quoted = GoString.quoted(subject)
            let others = known[service.account] ?? []
            for other in others {
                guard
                    ClaimSubject.isContained(tokens, in: other.tokens)
                        || ClaimSubject.isContained(other.tokens, in: tokens)
                else { continue }
                report.error(
                    "overlapping subject namespace for \(quoted) and \(GoString.quoted(other.subject)) in same account "
                        + GoString.quoted(service.account)
                )
            }
            if others.contains(where: { $0.subject == subject }) {
                report.error(
                    "overlapping subject namespace for \(quoted) in account \(GoString.quoted(service.account))"
                )
            } else {
                known[service.account, default: []].append((subject, tokens))
            }
        }
    }
}
