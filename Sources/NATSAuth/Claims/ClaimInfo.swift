import NATSWire

/// What people should know about an account or export.
package struct ClaimInfo: Sendable, Equatable {
    private static let maximumLength = 8 << 10

    package var description = ""
    package var url = ""

    package init() {}

    mutating func read(_ reader: ClaimReader) throws(JSONError) {
        try reader.read("description", into: &self.description)
        try reader.read("info_url", into: &self.url)
    }

    func write(to writer: inout ClaimWriter) {
        writer.writeUnlessEmpty("description", self.description)
        writer.writeUnlessEmpty("info_url", self.url)
    }

    func validate(into report: inout ValidationReport) {
        if self.description.utf8.count > Self.maximumLength { report.error("Description is too long") }
        guard !self.url.isEmpty else { return }
        if self.url.utf8.count > Self.maximumLength { report.error("Info URL is too long") }
        do throws(WebAddress.Failure) {
            let address = try WebAddress(self.url)
            if address.scheme.isEmpty || address.hostName.isEmpty {
                report.error("error parsing info url: no hostname or scheme")
            }
        } catch {
            report.error("error parsing info url: \(error.words)")
        }
    }
}
