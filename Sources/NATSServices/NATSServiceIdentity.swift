/// Which instance of which service: the answer to a ping.
public struct NATSServiceIdentity: Sendable, Hashable {
    /// The kind of service.
    public var name: String
    /// The instance, unique in the world.
    public var id: String
    /// The version of the service.
    public var version: String
    /// What else is to be known about the instance.
    public var metadata: [String: String]

    /// Makes an identity.
    public init(name: String, id: String, version: String, metadata: [String: String] = [:]) {
        self.name = name
        self.id = id
        self.version = version
        self.metadata = metadata
    }
}
