/// The activation token of an import as far as no moment matters: its signature is looked at once, where that may take time.
package struct ActivationToken: Sendable {
    /// What the token says; `nil` if there is none, or it is not for this import.
    let activation: ActivationClaims?

    /// - Parameters:
    ///   - item: What the importing account's claims say.
    ///   - importer: Public key of the importing account.
    package init(_ item: ImportClaim, into importer: String) {
        guard !item.token.isEmpty else {
            self.activation = nil
            return
        }
        let activation = try? JWT.decode(ActivationClaims.self, from: item.token)
        var report = ValidationReport()
        item.validate(in: importer, activation: activation, into: &report)
        self.activation = report.isBlocking(includingTimes: true) ? nil : activation
    }
}
