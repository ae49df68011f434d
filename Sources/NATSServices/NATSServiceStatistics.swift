/// What an instance of a service has done since it was started or reset.
public struct NATSServiceStatistics: Sendable, Hashable {
    /// What one endpoint has done.
    public struct Endpoint: Sendable, Hashable {
        /// The name of the endpoint.
        public var name: String
        /// Its subject.
        public var subject: String
        /// Its queue group; empty if there is none.
        public var queueGroup: String
        /// Requests that were handled.
        public var requests: Int
        /// Those of them that ended with an error.
        public var errors: Int
        /// The last error as `code:text`; empty if there was none.
        public var lastError: String
        /// The time that handlers took, all together.
        public var processingTime: Duration
        /// The time that handlers took on average.
        public var averageProcessingTime: Duration
        /// What the endpoint adds: a JSON document.
        public var data: String?

        /// The statistics of an endpoint that has done nothing yet.
        public init(name: String, subject: String, queueGroup: String) {
            self.name = name
            self.subject = subject
            self.queueGroup = queueGroup
            self.requests = 0
            self.errors = 0
            self.lastError = ""
            self.processingTime = .zero
            self.averageProcessingTime = .zero
        }
    }

    /// Which instance.
    public var identity: NATSServiceIdentity
    /// When the instance was started, or reset: UTC as of RFC 3339, such as `2026-11-21T20:00:00.000000Z`.
    public var started: String
    /// The endpoints in the order in which they were added.
    public var endpoints: [Endpoint]

    /// The statistics of an instance.
    public init(identity: NATSServiceIdentity, started: String, endpoints: [Endpoint]) {
        self.identity = identity
        self.started = started
        self.endpoints = endpoints
    }
}
