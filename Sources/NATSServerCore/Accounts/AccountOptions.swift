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

        package init() {}
    }

    package var name: String
    package var limits = Limits()
    package var mappings: [MappingOptions] = []
    package var exports: [ExportOptions] = []
    package var imports: [ImportOptions] = []

    package init(name: String) { self.name = name }
}
