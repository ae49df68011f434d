import NATSWire

/// What the operator allows an account.
package struct AccountLimits: Sendable, Equatable {
    /// What an account may store.
    package struct JetStream: Sendable, Equatable {
        /// Bytes; 0 for none, -1 for any number.
        package var memoryStorage: Int64 = 0
        /// Bytes; 0 for none, -1 for any number.
        package var diskStorage: Int64 = 0
        package var streams: Int64 = 0
        package var consumers: Int64 = 0
        package var maxAckPending: Int64 = 0
        package var memoryMaxStreamBytes: Int64 = 0
        package var diskMaxStreamBytes: Int64 = 0
        package var maxBytesRequired = false

        package init() {}

        fileprivate mutating func read(_ reader: ClaimReader) throws(JSONError) {
            try reader.read("mem_storage", into: &self.memoryStorage)
            try reader.read("disk_storage", into: &self.diskStorage)
            try reader.read("streams", into: &self.streams)
            try reader.read("consumer", into: &self.consumers)
            try reader.read("max_ack_pending", into: &self.maxAckPending)
            try reader.read("mem_max_stream_bytes", into: &self.memoryMaxStreamBytes)
            try reader.read("disk_max_stream_bytes", into: &self.diskMaxStreamBytes)
            try reader.read("max_bytes_required", into: &self.maxBytesRequired)
        }

        fileprivate func write(to writer: inout ClaimWriter) {
            writer.writeUnlessZero("mem_storage", self.memoryStorage)
            writer.writeUnlessZero("disk_storage", self.diskStorage)
            writer.writeUnlessZero("streams", self.streams)
            writer.writeUnlessZero("consumer", self.consumers)
            writer.writeUnlessZero("max_ack_pending", self.maxAckPending)
            writer.writeUnlessZero("mem_max_stream_bytes", self.memoryMaxStreamBytes)
            writer.writeUnlessZero("disk_max_stream_bytes", self.diskMaxStreamBytes)
            writer.writeUnlessFalse("max_bytes_required", self.maxBytesRequired)
        }
    }

    package var traffic = TrafficLimits()
    package var imports: Int64 = 0
    package var exports: Int64 = 0
    /// Whether exports may have wildcards.
    package var wildcardExports = false
    /// Whether users need more than their JWT to connect.
    package var disallowBearer = false
    package var connections: Int64 = 0
    package var leafNodeConnections: Int64 = 0
    package var jetStream = JetStream()
    /// Limits for streams with as many replicas as the name says, `R1`, `R3`.
    package var jetStreamTiers: [String: JetStream] = [:]

    /// Everything 0: nothing said.
    package init() {}

    /// No limits, and no JetStream.
    package static var unlimited: AccountLimits {
        var limits = AccountLimits()
        limits.traffic = .unlimited
        limits.imports = unlimitedClaim
        limits.exports = unlimitedClaim
        limits.wildcardExports = true
        limits.connections = unlimitedClaim
        limits.leafNodeConnections = unlimitedClaim
        return limits
    }

    package var isEmpty: Bool { self == AccountLimits() }

    mutating func read(_ reader: ClaimReader, version: Int) throws(JSONError) {
        try self.traffic.read(reader)
        try reader.read("imports", into: &self.imports)
        try reader.read("exports", into: &self.exports)
        try reader.read("wildcards", into: &self.wildcardExports)
        try reader.read("disallow_bearer", into: &self.disallowBearer)
        try reader.read("conn", into: &self.connections)
        try reader.read("leaf", into: &self.leafNodeConnections)
        guard version == 2 else { return }
        try self.jetStream.read(reader)
        for value in reader.values("tiered_limits") {
            for (name, element) in try value.members("tiered_limits") {
                var limits = JetStream()
                try limits.read(try ClaimReader(element, "tiered_limits"))
                self.jetStreamTiers[name] = limits
            }
        }
    }

    var object: JSONValue {
        var writer = ClaimWriter()
        self.traffic.write(to: &writer)
        writer.writeUnlessZero("imports", self.imports)
        writer.writeUnlessZero("exports", self.exports)
        writer.writeUnlessFalse("wildcards", self.wildcardExports)
        writer.writeUnlessFalse("disallow_bearer", self.disallowBearer)
        writer.writeUnlessZero("conn", self.connections)
        writer.writeUnlessZero("leaf", self.leafNodeConnections)
        self.jetStream.write(to: &writer)
        writer.writeUnlessEmpty(
            "tiered_limits",
            self.jetStreamTiers.mapValues { limits -> JSONValue in
                var tier = ClaimWriter()
                limits.write(to: &tier)
                return tier.object
            }
        )
        return writer.object
    }

    func validate(into report: inout ValidationReport) {
        // Negative numbers mean no limit, so that every number is valid.
        guard !self.jetStreamTiers.isEmpty else { return }
        if self.jetStream != JetStream() {
            report.error("JetStream Limits and tiered JetStream Limits are mutually exclusive")
        }
        if self.jetStreamTiers[""] != nil {
            report.error("Tiered JetStream Limits can not contain a blank \"\" tier name")
        }
    }
}
