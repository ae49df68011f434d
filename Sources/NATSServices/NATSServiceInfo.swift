/// What an instance of a service offers.
public struct NATSServiceInfo: Sendable, Hashable {
    /// One subject that an instance answers on.
    public struct Endpoint: Sendable, Hashable {
        /// The name; several endpoints may have the same.
        public var name: String
        /// The subject, those of groups in front.
        public var subject: String
        /// The queue group; empty if there is none.
        public var queueGroup: String
        /// What else is to be known about the endpoint.
        public var metadata: [String: String]

        /// Describes an endpoint.
        public init(name: String, subject: String, queueGroup: String, metadata: [String: String] = [:]) {
            self.name = name
            self.subject = subject
            self.queueGroup = queueGroup
            self.metadata = metadata
        }
    }

    /// Which instance.
    public var identity: NATSServiceIdentity
    /// The text for people.
    public var description: String
    /// The endpoints in the order in which they were added.
    public var endpoints: [Endpoint]

    /// Describes an instance.
    public init(identity: NATSServiceIdentity, description: String, endpoints: [Endpoint]) {
        self.identity = identity
        self.description = description
        self.endpoints = endpoints
    }
}
