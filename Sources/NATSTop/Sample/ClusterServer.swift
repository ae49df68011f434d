/// A server of the cluster: what it says of itself, or why it says nothing.
package struct ClusterServer: Sendable, Equatable {
    /// By which a source knows it: its id, or where it was looked for.
    package var key = ""
    /// Where its pages are; empty where requests on `$SYS` ask for them.
    package var address = ""
    /// Why it does not answer; empty if it does.
    package var problem = ""
    /// Of its last answer; neutral values, but for id and name, before the first one.
    package var status = ServerStatus()

    package init() {}

    init(_ object: LenientObject) {
        self.key = object.text("key")
        self.address = object.text("address")
        self.problem = object.text("problem", limit: 120)
        self.status = ServerStatus(object.object("varz"))
        if self.status.id.isEmpty { self.status.id = object.text("id") }
        if self.status.name.isEmpty { self.status.name = object.text("name") }
    }

    package var isUp: Bool { self.problem.isEmpty }

    /// Its name, or what else tells it from others.
    package var name: String {
        if !self.status.name.isEmpty { return self.status.name }
        return self.status.id.isEmpty ? self.address : self.status.id
    }
}
