public import NATSClient
public import Tracing

/// Puts the context of a trace into the headers of a message: a W3C tracer writes `traceparent` and `tracestate`.
public struct NATSHeadersInjector: Injector {
    /// Where the context goes.
    public typealias Carrier = NATSHeaders

    /// An injector.
    public init() {}

    /// Sets a header in place of those of the name in any case, unless the value could not be sent in one.
    public func inject(_ value: String, forKey key: String, into carrier: inout NATSHeaders) {
        guard !value.utf8.contains(where: { $0 == 0x0d || $0 == 0x0a }) else {
            return
        }
        // Go's OpenTelemetry writes `Traceparent`: headers that are passed on must not keep the old context beside the new.
        for name in Set(carrier.map(\.name)) where name.lowercased() == key.lowercased() {
            carrier.remove(name: name)
        }
        carrier.append(name: key, value: value)
    }
}

/// Finds the context of a trace in the headers of a message.
public struct NATSHeadersExtractor: Extractor {
    /// Where the context comes from.
    public typealias Carrier = NATSHeaders

    /// An extractor.
    public init() {}

    /// The value of a header, whatever the case of its name: proxies and clients change it.
    ///
    /// Several `tracestate` are one.
    public func extract(key: String, from carrier: NATSHeaders) -> String? {
        // W3C Trace Context 3.3.1: several fields are combined.
        if key.lowercased() == "tracestate" {
            let values = carrier.values(ignoringCase: key)
            return values.isEmpty ? nil : values.joined(separator: ",")
        }
        return carrier.first(key) ?? carrier.first(ignoringCase: key)
    }
}
