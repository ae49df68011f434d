import NATSText
import NATSWire

/// Something that an account offers to others.
package struct ExportClaim: Sendable, Equatable {
    /// How many answers a service gives.
    package enum ResponseType: String, Sendable, Equatable {
        case singleton = "Singleton"
        case stream = "Stream"
        case chunked = "Chunked"
    }

    /// Measurements of a service's requests.
    package struct Latency: Sendable, Equatable {
        /// Percent of the requests; 0 for those whose headers ask for it.
        package var sampling: Int
        /// The subject that results are published to.
        package var results: String

        package init(sampling: Int, results: String) {
            self.sampling = sampling
            self.results = results
        }
    }

    package var name = ""
    package var subject: String
    package var type: ExchangeType?
    /// Whether importers need an activation token.
    package var tokenRequired = false
    /// Accounts whose activation tokens no longer count.
    package var revocations = RevocationList()
    /// `Singleton` (also when empty), `Stream` or `Chunked`.
    package var responseType = ""
    /// How long answers may take, in nanoseconds; 0 for the server's default.
    package var responseThreshold: Int64 = 0
    package var latency: Latency?
    /// Which token of the subject, from 1, has to be the importer's public key; 0 for none.
    package var accountTokenPosition: UInt64 = 0
    package var advertise = false
    package var allowTrace = false
    package var info = ClaimInfo()

    package init(_ type: ExchangeType, _ subject: String, name: String = "") {
        self.type = type
        self.subject = subject
        self.name = name
    }

    init(_ reader: ClaimReader) throws(JSONError) {
        self.subject = ""
        try reader.read("name", into: &self.name)
        try reader.read("subject", into: &self.subject)
        try ExchangeType.read("type", of: reader, into: &self.type)
        try reader.read("token_req", into: &self.tokenRequired)
        try reader.read("revocations", into: &self.revocations.times)
        try reader.read("response_type", into: &self.responseType)
        try reader.read("response_threshold", into: &self.responseThreshold)
        for object in try reader.objects("service_latency") {
            var latency = self.latency ?? Latency(sampling: 0, results: "")
            for value in object.values("sampling") { latency.sampling = try Self.sampling(value) }
            try object.read("results", into: &latency.results)
            self.latency = latency
        }
        try reader.read("account_token_position", into: &self.accountTokenPosition)
        try reader.read("advertise", into: &self.advertise)
        try reader.read("allow_trace", into: &self.allowTrace)
        try self.info.read(reader)
    }

    /// Percent, or `headers`.
    private static func sampling(_ value: JSONValue) throws(JSONError) -> Int {
        if case .string(let text) = value, text.lowercased() == "headers" { return 0 }
        return try value.integer("sampling")
    }

    var object: JSONValue {
        var writer = ClaimWriter()
        writer.writeUnlessEmpty("name", self.name)
        writer.writeUnlessEmpty("subject", self.subject)
        writer.writeUnlessEmpty("type", self.type?.rawValue ?? "")
        writer.writeUnlessFalse("token_req", self.tokenRequired)
        writer.writeUnlessEmpty("revocations", self.revocations.times)
        writer.writeUnlessEmpty("response_type", self.responseType)
        writer.writeUnlessZero("response_threshold", self.responseThreshold)
        if let latency {
            var object = ClaimWriter()
            object.write("sampling", latency.sampling == 0 ? .string("headers") : .number("\(latency.sampling)"))
            object.write("results", latency.results)
            writer.write("service_latency", object.object)
        }
        writer.writeUnlessZero("account_token_position", self.accountTokenPosition)
        writer.writeUnlessFalse("advertise", self.advertise)
        writer.writeUnlessFalse("allow_trace", self.allowTrace)
        self.info.write(to: &writer)
        return writer.object
    }

    /// How many answers a service gives; `nil` for an unknown word.
    package var response: ResponseType? {
        self.responseType.isEmpty ? .singleton : ResponseType(rawValue: self.responseType)
    }

    func validate(into report: inout ValidationReport) {
        if self.type == nil { report.error("invalid export type: \"unknown\"") }
        let isService = self.type == .service
        if isService, self.response == nil {
            report.error("invalid response type for service: \(GoString.quoted(self.responseType))")
        }
        if self.type == .stream {
            if !self.responseType.isEmpty {
                report.error("invalid response type for stream: \(GoString.quoted(self.responseType))")
            }
            if self.allowTrace { report.error("AllowTrace only valid for service export") }
        }
        if let latency {
            if !isService { report.error("latency tracking only permitted for services") }
            if latency.sampling != 0, !(1...100).contains(latency.sampling) {
                report.error("sampling percentage needs to be between 1-100")
            }
            ClaimSubject.validate(latency.results, into: &report)
            if ClaimSubject.hasWildcards(latency.results) {
                report.error("results subject can not contain wildcards")
            }
        }
        if self.responseThreshold < 0 { report.error("negative response threshold is invalid") }
        if self.responseThreshold > 0, !isService { report.error("response threshold only valid for services") }
        ClaimSubject.validate(self.subject, into: &report)
        self.validateTokenPosition(into: &report)
        self.info.validate(into: &report)
    }

    private func validateTokenPosition(into report: inout ValidationReport) {
        let position = self.accountTokenPosition
        guard position > 0 else { return }
        guard ClaimSubject.hasWildcards(self.subject) else {
            report.error("Account Token Position can only be used with wildcard subjects: \(self.subject)")
            return
        }
        let tokens = ClaimSubject.tokens(self.subject)
        guard position <= UInt64(tokens.count) else {
            report.error("Account Token Position \(position) exceeds length of subject '\(self.subject)'")
            return
        }
        let token = String(decoding: tokens[Int(position) - 1], as: UTF8.self)
        if token != "*" {
            report.error(
                "Account Token Position \(position) matches '\(token)' but must match a * in: \(self.subject)"
            )
        }
    }

    /// Exports of one type must not lie inside each other.
    static func validateOverlaps(_ exports: [ExportClaim], into report: inout ValidationReport) {
        for type in [ExchangeType.service, .stream] {
            // nats-io/jwt Exports.Validate: what has no type counts as a stream.
            let subjects = exports.filter { ($0.type == .service) == (type == .service) }.map(\.subject)
            let tokens = subjects.map(ClaimSubject.tokens)
            var seen: Set<String> = []
            for (index, inner) in tokens.enumerated() where !report.isFull {
                for (other, outer) in tokens.enumerated() where index != other {
                    guard ClaimSubject.isContained(inner, in: outer), seen.insert(subjects[other]).inserted else {
                        continue
                    }
                    report.error(
                        "\(type.rawValue) export subject \(GoString.quoted(subjects[other])) already exports "
                            + GoString.quoted(subjects[index])
                    )
                }
            }
        }
    }
}
