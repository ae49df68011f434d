public import NATSClient

/// What a service says about itself, and how its endpoints behave by themselves.
public struct NATSServiceConfiguration: Sendable {
    /// The kind of service, shared by all its instances: letters, digits, `-` and `_`.
    public var name: String
    /// The version of the service, as of [semantic versioning](https://semver.org): `1.0.0`.
    public var version: String
    /// A text for people.
    public var description: String
    /// What else is to be known about this instance.
    public var metadata: [String: String]
    /// The queue group of endpoints that name none.
    public var queueGroup: NATSServiceQueueGroup
    /// How many requests an endpoint that does not say otherwise handles at a time; above zero.
    ///
    /// With 1, requests are handled in the order in which they came.
    public var concurrency: Int
    /// Where the service answers questions about itself: `$SRV`, or what an account that imports it maps that to.
    public var apiPrefix: String
    /// Gives what an endpoint adds to its statistics: a JSON document.
    ///
    /// A text that is no JSON is sent as a JSON string; nil adds nothing.
    public var statisticsData: (@Sendable (NATSServiceStatistics.Endpoint) -> String?)?
    /// Says what the requester is told when a handler throws something else than a `NATSServiceError`.
    ///
    /// By itself that is code 500 and the description of the error: set this where descriptions are not for everybody.
    public var describesError: (@Sendable (any Error) -> NATSServiceError)?

    /// A configuration with the defaults of all clients.
    public init(
        name: String,
        version: String,
        description: String = "",
        metadata: [String: String] = [:],
        queueGroup: NATSServiceQueueGroup = .inherited,
        concurrency: Int = 1,
        apiPrefix: String = "$SRV"
    ) {
        self.name = name
        self.version = version
        self.description = description
        self.metadata = metadata
        self.queueGroup = queueGroup
        self.concurrency = concurrency
        self.apiPrefix = apiPrefix
    }
}
