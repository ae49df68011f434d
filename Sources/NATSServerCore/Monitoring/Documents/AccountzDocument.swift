import NATSAuth
import NATSWire

/// `/accountz`: the accounts, or one of them in detail.
enum AccountzDocument {
    static func json(_ head: ServerHead, accounts: [String], system: String? = nil) -> [UInt8] {
        var writer = JSONDocumentWriter()
        writer.object { writer in
            writer.write(head)
            writer.writeUnlessEmpty("system_account", system ?? "")
            writer.write("accounts", accounts)
        }
        return writer.bytes
    }

    static func json(_ head: ServerHead, account: AccountSnapshot, system: String? = nil) -> [UInt8] {
        var writer = JSONDocumentWriter()
        writer.object { writer in
            writer.write(head)
            writer.writeUnlessEmpty("system_account", system ?? "")
            writer.object("account_detail") {
                Self.write(account, isSystem: account.name == system, now: head.now, to: &$0)
            }
        }
        return writer.bytes
    }

    /// The detail alone.
    static func detail(_ account: AccountSnapshot, system: String?, now: Int64) -> [UInt8] {
        var writer = JSONDocumentWriter()
        writer.object { Self.write(account, isSystem: account.name == system, now: now, to: &$0) }
        return writer.bytes
    }

    private static func write(
        _ account: AccountSnapshot,
        isSystem: Bool,
        now: Int64,
        to writer: inout JSONDocumentWriter
    ) {
        writer.write("account_name", account.name)
        writer.write("update_time", time: account.updated)
        writer.writeUnlessFalse("is_system", isSystem)
        writer.write("expired", account.standing.isExpired)
        writer.write("complete", !account.standing.isIncomplete)
        writer.write("jetstream_enabled", false)
        writer.write("leafnode_connections", account.leafNodes)
        writer.write("client_connections", account.connections)
        writer.write("subscriptions", account.subscriptions.subscriptions)
        if !account.mappings.isEmpty {
            writer.object("mappings") { Self.write(account.mappings, to: &$0) }
        }
        if !account.exports.isEmpty {
            writer.array("exports") { writer in
                for item in account.exports { writer.object { Self.write(item, to: &$0) } }
            }
        }
        if !account.streams.isEmpty || !account.services.isEmpty || !account.invalidImports.isEmpty {
            writer.array("imports") { Self.writeImports(of: account, to: &$0) }
        }
        Self.writeClaims(of: account, now: now, to: &writer)
        writer.object("sublist_stats") { $0.write(account.subscriptions) }
        guard !account.responses.isEmpty else { return }
        writer.object("responses") { writer in
            for response in account.responses {
                writer.object(named: response.subject) { Self.write(response, to: &$0) }
            }
        }
    }

    /// What the account's JWT says.
    private static func writeClaims(of account: AccountSnapshot, now: Int64, to writer: inout JSONDocumentWriter) {
        guard let authority = account.standing.authority else {
            writer.write("name_tag", account.name)
            return
        }
        let claims = authority.claims
        writer.writeUnlessEmpty("jwt", authority.jwt)
        writer.writeUnlessEmpty("issuer_key", claims.issuer)
        writer.write("name_tag", account.nameTag)
        writer.writeUnlessEmpty("tags", claims.tags)
        if !authority.jwt.isEmpty {
            writer.write("decoded_jwt", claims.document)
            let issues = claims.validate(ValidationContext(now: now / 1_000_000_000)).issues
            if !issues.isEmpty {
                writer.array("validation_result_jwt") { writer in
                    for issue in issues {
                        writer.object { writer in
                            writer.write("description", issue.description)
                            writer.write("blocking", issue.severity == .error)
                            writer.write("time_check", issue.severity == .time)
                        }
                    }
                }
            }
        }
        Self.write(revocations: claims.revocations.times, "revoked_user", to: &writer)
    }

    private static func write(
        revocations: [String: Int64],
        _ key: StaticString,
        to writer: inout JSONDocumentWriter
    ) {
        guard !revocations.isEmpty else { return }
        writer.object(key) { writer in
            for (name, seconds) in revocations.sorted(by: { $0.key < $1.key }) {
                let (time, hasOverflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
                let text = TimeText.rfc3339(hasOverflow ? .max : time)
                writer.write(named: name, String(decoding: text, as: UTF8.self))
            }
        }
    }

    private static func write(_ export: ExportOptions, to writer: inout JSONDocumentWriter) {
        writer.write("subject", export.subject)
        writer.write("type", export.kind == .service ? "service" : "stream")
        writer.writeUnlessFalse("token_req", export.tokenRequired)
        if export.kind == .service {
            let type =
                switch export.responseType {
                case .single: "Singleton"
                case .stream: "Streamed"
                case .chunked: "Chunked"
                }
            writer.write("response_type", type)
            Self.write(export.latency, as: "service_latency", to: &writer)
        }
        writer.writeUnlessEmpty("approved_accounts", export.accounts ?? [])
        Self.write(revocations: export.revocations, "revoked_activations", to: &writer)
    }

    private static func writeImports(of account: AccountSnapshot, to writer: inout JSONDocumentWriter) {
        for stream in account.streams {
            writer.object { writer in
                writer.write("subject", stream.from)
                writer.write("account", stream.exporter.name)
                writer.write("local_subject", stream.to)
                writer.write("type", "stream")
                writer.write("invalid", false)
                writer.write("share", false)
                writer.write("tracking", false)
            }
        }
        for service in account.services {
            writer.object { writer in
                writer.write("subject", service.to)
                writer.write("account", service.exporter.name)
                writer.write("to", service.from)
                writer.write("local_subject", service.from)
                writer.write("type", "service")
                writer.write("invalid", false)
                writer.write("share", service.share)
                writer.write("tracking", false)
                Self.write(service.export.options.latency, as: "latency", to: &writer)
            }
        }
        for item in account.invalidImports {
            writer.object { writer in
                writer.write("subject", item.subject)
                writer.write("account", item.account)
                if item.kind == .service { writer.write("to", item.localSubject) }
                writer.write("local_subject", item.localSubject)
                writer.write("type", item.kind == .stream ? "stream" : "service")
                writer.write("invalid", true)
                writer.write("share", item.share)
                writer.write("tracking", false)
            }
        }
    }

    /// An answer that is waited for, as the import that it is to the official server.
    private static func write(_ response: ServiceResponses.Shown, to writer: inout JSONDocumentWriter) {
        writer.write("subject", response.reply)
        writer.write("account", response.account)
        writer.write("to", response.subject)
        writer.write("local_subject", response.subject)
        // Its number, since Go finds no text for values of a map.
        writer.write("type", 2)
        writer.write("invalid", false)
        writer.write("share", response.share)
        writer.write("tracking", response.probe != nil)
        if let probe = response.probe, !probe.headers.isEmpty {
            writer.object("tracking_header") { writer in
                for (name, value) in probe.headers.sorted(by: { $0.name < $1.name }) {
                    writer.array(named: name) { $0.element(value) }
                }
            }
        }
        if response.probe != nil { Self.write(response.latency, as: "latency", to: &writer) }
    }

    private static func write(
        _ latency: ExportOptions.Latency?,
        as key: StaticString,
        to writer: inout JSONDocumentWriter
    ) {
        guard let latency else { return }
        writer.object(key) { writer in
            if latency.sampling == 0 {
                writer.write("sampling", "headers")
            } else {
                writer.write("sampling", latency.sampling)
            }
            writer.write("results", latency.subject)
        }
    }

    private static func write(_ mappings: SubjectMappings, to writer: inout JSONDocumentWriter) {
        for mapping in mappings.mappings.sorted(by: { Array($0.source.utf8).lexicographicallyPrecedes($1.source.utf8) })
        {
            writer.array(named: mapping.source) { writer in
                for destination in mapping.destinations { Self.write(destination, cluster: "", to: &writer) }
                for (cluster, destinations) in mapping.clusters.sorted(by: { $0.key < $1.key }) {
                    for destination in destinations { Self.write(destination, cluster: cluster, to: &writer) }
                }
            }
        }
    }

    private static func write(
        _ destination: SubjectMappings.Destination,
        cluster: String,
        to writer: inout JSONDocumentWriter
    ) {
        writer.object { writer in
            writer.write("subject", destination.transform.destination)
            writer.write("weight", destination.threshold)
            writer.writeUnlessEmpty("cluster", cluster)
        }
    }

    /// The text for a name that nobody has.
    static func unknown(_ name: String) -> String { "Account \(name) does not exist" }
}
