import NATSWire

/// The page of all servers, which no server has: sources put it together, and recordings keep it like any other.
package struct ClusterPage: Sendable {
    /// A page of a server is refused beyond so many bytes; a usual one has a few thousand.
    package static let maximumServerBytes = 262_144

    private var servers: [JSONValue] = []

    package init() {}

    /// Adds a server.
    ///
    /// - Parameters:
    ///   - key: By which the source knows it again.
    ///   - address: Where its pages are, if it has any.
    ///   - problem: Why it does not answer; empty if it does.
    ///   - hasPages: False if others say that it lives, and nobody knows where its pages are.
    ///   - id: What others say its id is, where it has said nothing itself.
    ///   - name: The same of its name.
    ///   - status: Its last `/varz`.
    package mutating func add(
        key: String,
        address: String = "",
        problem: String = "",
        hasPages: Bool = true,
        id: String = "",
        name: String = "",
        status: Page? = nil
    ) {
        var members: [(key: String, value: JSONValue)] = [("key", .string(key))]
        for (field, text) in [
            ("address", address), ("problem", problem),
            ("state", hasPages ? "" : ClusterServer.State.withoutPages.rawValue), ("id", id), ("name", name),
        ] where !text.isEmpty { members.append((field, .string(text))) }
        if let status { members.append(("varz", status.value)) }
        self.servers.append(.object(members))
    }

    package var page: Page { Page(.object([("servers", .array(self.servers))])) }
}
