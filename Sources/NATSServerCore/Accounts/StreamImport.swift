internal import NATSServerConfig
import NATSText
internal import NATSWire

/// Another account's subjects that an account sees as its own.
///
/// A subscription that touches them gets a *shadow* in the exporter's index.
struct StreamImport: Sendable {
    let exporter: Account
    /// The name of the account that imports.
    let importer: String
    /// What it is called there and here, wildcards included.
    let from: String
    let to: String
    /// From there to here; `nil` if the subjects are the same, or are none with wildcards.
    private let transform: SubjectTransform?
    private let reverse: SubjectTransform?
    /// Wildcards, and the same names on both sides.
    private let keepsSubject: Bool
    private let toTokens: [Substring]

    /// - Parameters:
    ///   - options: A valid import (``AccountLinks``).
    ///   - exporter: The account that it names.
    ///   - importer: The name of the account that has it.
    init(_ options: ImportOptions, exporter: Account, importer: String) {
        let from = options.subject
        let to = options.localSubject
        self.exporter = exporter
        self.importer = importer
        self.from = from
        let hasWildcards = from.subjectTokens.contains { $0 == "*" || $0 == ">" }
        if hasWildcards, to != from {
            let tokenized = TransformRules.tokenized(to)
            self.transform = SubjectTransform(from, tokenized, isStrict: true)
            self.reverse = self.transform?.reversed()
            self.to = TransformRules.untokenized(to)
            self.keepsSubject = false
        } else {
            self.transform = nil
            self.reverse = nil
            self.to = to
            self.keepsSubject = hasWildcards
        }
        self.toTokens = self.to.subjectTokens
    }

    func isSame(as other: StreamImport) -> Bool {
        self.exporter === other.exporter && self.from.isIdentical(to: other.from) && self.to.isIdentical(to: other.to)
            && self.transform == other.transform
    }

    /// What an importer sees of a subject that was published.
    func localSubject(of subject: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        if let transform = self.transform { return transform(Array(subject)) }
        return self.keepsSubject ? Array(subject) : Array(self.to.utf8)
    }

    /// The subject of the shadow that a subscription needs; `nil` if it has nothing to do with the import (nats-server
    /// client.go addShadowSubscriptions and addShadowSub).
    func shadow(of subject: String) -> String? {
        // Exactly what is imported, or more.
        guard !subject.isIdentical(to: self.to) else { return self.from }
        var tokens = subject.subjectTokens
        if SubjectGrammar.isSubset(tokens, of: self.toTokens) { return self.part(subject, isOverlap: false) }
        guard tokens.contains("*") || tokens.last == ">" else { return nil }
        if SubjectGrammar.isSubset(self.toTokens, of: tokens) { return self.from }
        // What both have in common.
        for index in tokens.indices where index < self.toTokens.count {
            if tokens[index] == "*", self.toTokens[index] != ">" { tokens[index] = self.toTokens[index] }
        }
        let last = tokens.count - 1
        if tokens[last] == ">", self.toTokens.count >= tokens.count {
            tokens[last] = self.toTokens[last]
            tokens += self.toTokens[tokens.count...]
        }
        guard SubjectGrammar.isSubset(tokens, of: self.toTokens) else { return nil }
        return self.part(tokens.joined(separator: "."), isOverlap: true)
    }

    /// A part of the import, as it is called in the exporting account.
    private func part(_ subject: String, isOverlap: Bool) -> String {
        if let reverse = self.reverse { return String(decoding: reverse(Array(subject.utf8)), as: UTF8.self) }
        if self.keepsSubject || isOverlap { return subject }
        return self.from
    }
}
