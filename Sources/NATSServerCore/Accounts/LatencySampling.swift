internal import NATSWire

/// Whether the latency of a request is measured (nats-server accounts.go shouldSample).
enum LatencySampling {
    /// The headers that asked for it, by name; none if a share of all requests is measured.
    typealias Headers = [(name: String, value: String)]

    /// Decides about a request.
    ///
    /// - Parameters:
    ///   - latency: What the export says.
    ///   - header: The request's header block; may be empty.
    ///   - random: Decides about shares.
    /// - Returns: `nil` if it is not measured.
    static func decide(
        _ latency: ExportOptions.Latency,
        header: [UInt8],
        random: inout FastRandom
    ) -> Headers? {
        if latency.sampling >= 100 { return [] }
        if latency.sampling > 0, random.next(below: 100) <= latency.sampling { return [] }
        guard !header.isEmpty, let block = header.withUnsafeBytes({ HeaderBlock(parsing: $0) }) else { return nil }
        var values: [String: String] = [:]
        for field in block.headers {
            let name = self.canonical(field.name)
            if values[name] == nil { values[name] = field.value }
        }
        func chosen(_ names: [String]) -> Headers { names.compactMap { name in values[name].map { (name, $0) } } }
        let multiple = ["X-B3-Parentspanid", "X-B3-Sampled", "X-B3-Spanid", "X-B3-Traceid"]
        if let value = values["Uber-Trace-Id"] {
            let names = values.keys.filter { $0.hasPrefix("Uberctx-") }.sorted()
            return self.isSampledByJaeger(value) ? chosen(["Uber-Trace-Id"] + names) : nil
        }
        if let value = values["X-B3-Sampled"], value == "1" || value == "0" {
            return value == "1" ? chosen(multiple) : nil
        }
        if values["X-B3-Traceid"] != nil { return chosen(multiple) }
        if let value = values["B3"] {
            let parts = value.split(separator: "-", omittingEmptySubsequences: false)
            let isDenied = parts.count > 2 ? parts[2] == "0" : parts.count == 1 && parts[0] == "0"
            return isDenied ? nil : chosen(["B3"])
        }
        if let value = values["Traceparent"] {
            let parts = value.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 4, parts[3].utf8.count == 2, let flags = Int8(parts[3], radix: 16), flags & 1 == 1
            else { return nil }
            return chosen(["Traceparent", "Tracestate"])
        }
        return nil
    }

    /// Whether the flags of `trace:span:parent:flags` say so.
    private static func isSampledByJaeger(_ value: String) -> Bool {
        let parts = value.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 4, (1...2).contains(parts[3].utf8.count), let flags = UInt8(parts[3], radix: 16) else {
            return false
        }
        return flags & 1 == 1
    }

    /// A name as Go's textproto spells it.
    private static func canonical(_ name: String) -> String {
        name.split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.prefix(1).uppercased() + $0.dropFirst().lowercased() }
            .joined(separator: "-")
    }
}
