import NATSWire

/// The answers to the three questions, as JSON with the fields in the order of Go's services.
enum ServiceDocuments {
    static func ping(_ identity: NATSServiceIdentity) -> [UInt8] {
        self.document(identity, .ping) { _ in }
    }

    static func info(_ info: NATSServiceInfo) -> [UInt8] {
        self.document(info.identity, .info) { writer in
            writer.write("description", info.description)
            writer.array("endpoints") { writer in
                for endpoint in info.endpoints {
                    writer.object { writer in
                        writer.write("name", endpoint.name)
                        writer.write("subject", endpoint.subject)
                        writer.write("queue_group", endpoint.queueGroup)
                        self.write(endpoint.metadata, to: &writer)
                    }
                }
            }
        }
    }

    static func statistics(_ statistics: NATSServiceStatistics) -> [UInt8] {
        self.document(statistics.identity, .statistics) { writer in
            writer.write("started", statistics.started)
            writer.array("endpoints") { writer in
                for endpoint in statistics.endpoints {
                    writer.object { self.write(endpoint, to: &$0) }
                }
            }
        }
    }

    private static func write(_ endpoint: NATSServiceStatistics.Endpoint, to writer: inout JSONDocumentWriter) {
        writer.write("name", endpoint.name)
        writer.write("subject", endpoint.subject)
        writer.write("queue_group", endpoint.queueGroup)
        writer.write("num_requests", endpoint.requests)
        writer.write("num_errors", endpoint.errors)
        writer.write("last_error", endpoint.lastError)
        writer.write("processing_time", self.nanoseconds(endpoint.processingTime))
        writer.write("average_processing_time", self.nanoseconds(endpoint.averageProcessingTime))
        guard let data = endpoint.data else {
            // Go leaves it out; nats-py writes null, and fails to read statistics without it.
            writer.writeNull("data")
            return
        }
        // Here it stands in three containers, and who reads the document refuses it whole if it is nested too deep.
        if let value = try? JSONValue.parse(Array(data.utf8)), !value.isDeeper(than: JSONValue.maximumDepth - 3) {
            writer.write("data", value)
        } else {
            writer.write("data", data)
        }
    }

    private static func document(
        _ identity: NATSServiceIdentity,
        _ verb: ControlVerb,
        _ body: (inout JSONDocumentWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil, capacity: 512)
        writer.object { writer in
            writer.write("name", identity.name)
            writer.write("id", identity.id)
            writer.write("version", identity.version)
            self.write(identity.metadata, to: &writer)
            writer.write("type", verb.responseType)
            body(&writer)
        }
        return writer.bytes
    }

    private static func write(_ metadata: [String: String], to writer: inout JSONDocumentWriter) {
        writer.object("metadata") { writer in
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
                writer.write(named: key, value)
            }
        }
    }

    private static func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? UInt64(Int64.max) : UInt64(clamping: whole &+ attoseconds / 1_000_000_000)
    }
}

// MARK: Reading

extension ServiceDocuments {
    /// What an answer holds; nil if it is no answer to this question.
    static func readIdentity(_ bytes: UnsafeRawBufferPointer, _ verb: ControlVerb = .ping) -> NATSServiceIdentity? {
        self.read(bytes, verb)?.identity
    }

    static func readInfo(_ bytes: UnsafeRawBufferPointer) -> NATSServiceInfo? {
        guard let (identity, document) = self.read(bytes, .info) else {
            return nil
        }
        let endpoints = document.elements("endpoints").compactMap { endpoint -> NATSServiceInfo.Endpoint? in
            // Much shorter in JSON than what it would become here.
            let subject = endpoint.text("subject")
            guard !subject.isEmpty else {
                return nil
            }
            return NATSServiceInfo.Endpoint(
                name: endpoint.text("name"),
                subject: subject,
                queueGroup: endpoint.text("queue_group"),
                metadata: endpoint.texts("metadata")
            )
        }
        return NATSServiceInfo(identity: identity, description: document.text("description"), endpoints: endpoints)
    }

    static func readStatistics(_ bytes: UnsafeRawBufferPointer) -> NATSServiceStatistics? {
        guard let (identity, document) = self.read(bytes, .statistics) else {
            return nil
        }
        let endpoints = document.elements("endpoints").compactMap { endpoint -> NATSServiceStatistics.Endpoint? in
            let subject = endpoint.text("subject")
            guard !subject.isEmpty else {
                return nil
            }
            var statistics = NATSServiceStatistics.Endpoint(
                name: endpoint.text("name"),
                subject: subject,
                queueGroup: endpoint.text("queue_group")
            )
            statistics.requests = Int(clamping: endpoint.number("num_requests"))
            statistics.errors = Int(clamping: endpoint.number("num_errors"))
            statistics.lastError = endpoint.text("last_error")
            statistics.processingTime = .nanoseconds(endpoint.number("processing_time"))
            statistics.averageProcessingTime = .nanoseconds(endpoint.number("average_processing_time"))
            if let data = endpoint.member("data") {
                var writer = JSONDocumentWriter(indentation: nil, capacity: 64)
                writer.element(data)
                statistics.data = String(decoding: writer.bytes, as: UTF8.self)
            }
            return statistics
        }
        return NATSServiceStatistics(identity: identity, started: document.text("started"), endpoints: endpoints)
    }

    private static func read(
        _ bytes: UnsafeRawBufferPointer,
        _ verb: ControlVerb
    ) -> (identity: NATSServiceIdentity, document: JSONValue)? {
        guard let document = try? JSONValue.parse(bytes), document.text("type") == verb.responseType else {
            return nil
        }
        let identity = NATSServiceIdentity(
            name: document.text("name"),
            id: document.text("id"),
            version: document.text("version"),
            metadata: document.texts("metadata")
        )
        guard !identity.name.isEmpty, !identity.id.isEmpty else {
            return nil
        }
        return (identity, document)
    }
}

extension JSONValue {
    /// Whether it has values in more containers, one within the other, than that.
    fileprivate func isDeeper(than depth: Int) -> Bool {
        guard depth >= 0 else {
            return true
        }
        return switch self {
        case .array(let elements): elements.contains { $0.isDeeper(than: depth - 1) }
        case .object(let members): members.contains { $0.value.isDeeper(than: depth - 1) }
        case .null, .bool, .number, .string: false
        }
    }
}

/// Lenient looks into a document of another: what is missing, null or of another type is empty.
extension JSONValue {
    fileprivate func member(_ key: String) -> JSONValue? {
        guard case .object(let members) = self, let value = members.last(where: { $0.key == key })?.value,
            value != .null
        else {
            return nil
        }
        return value
    }

    fileprivate func text(_ key: String) -> String {
        guard case .string(let text) = self.member(key) else {
            return ""
        }
        return text
    }

    /// 64 bits also where `Int` has 32: times are nanoseconds.
    fileprivate func number(_ key: String) -> Int64 {
        guard case .number(let digits) = self.member(key) else {
            return 0
        }
        return Int64(digits) ?? Double(digits).flatMap { Int64(exactly: $0.rounded()) } ?? 0
    }

    fileprivate func elements(_ key: String) -> [JSONValue] {
        guard case .array(let elements) = self.member(key) else {
            return []
        }
        return elements
    }

    fileprivate func texts(_ key: String) -> [String: String] {
        guard case .object(let members) = self.member(key) else {
            return [:]
        }
        var texts: [String: String] = [:]
        for (key, value) in members {
            if case .string(let text) = value {
                texts[key] = text
            }
        }
        return texts
    }
}
