/// A server of the cluster: what it says of itself, or why it says nothing.
package struct ClusterServer: Sendable, Equatable {
    /// Whether it answers.
    package enum State: String, Sendable, Equatable {
        case up
        case lost
        /// Others have routes to it, so that it lives, but its pages are not where they were looked for.
        case withoutPages = "no pages"
    }

    /// By which a source knows it: its id, or where it was looked for.
    package var key = ""
    /// Where its pages are; empty where requests on `$SYS` ask for them.
    package var address = ""
    /// Why it does not answer; empty if it does.
    package var problem = ""
    package private(set) var state = State.up
    /// Of its last answer; neutral values, but for id and name, before the first one.
    package var status = ServerStatus()

    package init() {}

    init(_ object: LenientObject) {
        self.key = object.text("key")
        self.address = object.text("address")
        self.problem = object.text("problem", limit: 120)
        let hasPages = object.text("state") != State.withoutPages.rawValue
        self.state = self.problem.isEmpty ? .up : hasPages ? .lost : .withoutPages
        self.status = ServerStatus(object.object("varz"))
        if self.status.id.isEmpty { self.status.id = object.text("id") }
        if self.status.name.isEmpty { self.status.name = object.text("name") }
    }

    package var isUp: Bool { self.state == .up }

    /// Its name, or what else tells it from others.
    package var name: String {
        if !self.status.name.isEmpty { return self.status.name }
        return self.status.id.isEmpty ? self.address : self.status.id
    }
}
