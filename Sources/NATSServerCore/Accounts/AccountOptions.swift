internal import NATSAuth

/// An account, as the `accounts` block describes it; for `$G` only mappings count.
package struct AccountOptions: Sendable, Equatable {
    /// What an account may have; -1 is any number.
    package struct Limits: Sendable, Equatable {
        /// Clients at a time.
        package var maxConnections = -1
        /// Subscriptions of each client.
        package var maxSubscriptions = -1
        /// Header block plus payload of a message, in bytes.
        package var maxPayload = -1
        /// Connections of leaf nodes at a time.
        package var maxLeafNodes = -1

        package init() {}

        /// The lower ones of these and those of a user.
        func narrowed(by user: TrafficLimits?) -> Limits {
            guard let user else { return self }
            func lower(_ own: Int, _ other: Int64) -> Int {
                // nats-server client.go clampInt64ToInt32.
                let other = Int(max(Int64(Int32.min), min(Int64(Int32.max), other)))
                guard other >= 0 else { return own }
                return own < 0 ? other : min(own, other)
            }
            var limits = self
            limits.maxSubscriptions = lower(self.maxSubscriptions, user.subscriptions)
            limits.maxPayload = lower(self.maxPayload, user.payload)
            return limits
        }
    }

    package var name: String
    package var limits = Limits()
    package var mappings: [MappingOptions] = []
    package var exports: [ExportOptions] = []
    package var imports: [ImportOptions] = []

    package init(name: String) { self.name = name }
}
