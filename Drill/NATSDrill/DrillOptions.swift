package import NATSClient

/// A drill could not be done.
package struct DrillFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// What is done with how many clients.
package struct DrillOptions: Sendable {
    /// A program that servers are started with.
    package struct Program: Sendable {
        package let label: String
        package let path: String

        package init(_ label: String, path: String) {
            self.label = label
            self.path = path
        }
    }

    /// One server is told to enter lame duck mode, and when it has ended another program takes its place.
    package struct Step: Sendable {
        package let node: DrillNode.Name
        /// Nothing comes in its place when nil.
        package let program: Program?

        package init(_ node: DrillNode.Name, _ program: Program?) {
            self.node = node
            self.program = program
        }
    }

    /// How many clients of each family.
    package var clients: [DrillFamily: Int] = [.migrating: 20, .reconnecting: 2, .python: 2, .libnats: 2]
    /// Between two numbered messages, and two requests to a family, of one client.
    package var interval: Duration = .milliseconds(100)
    /// Before each step.
    package var pause: Duration = .seconds(5)
    /// How long a client that migrates waits for the reply of another one.
    package var requestTimeout: Duration = .seconds(5)
    /// How long replies are waited for where one of the two may lose something.
    package var otherRequestTimeout: Duration = .seconds(5)
    /// What the cluster is at first.
    package var first: Program
    /// What is done, one after the other.
    package var steps: [Step]
    /// How long a server in lame duck mode waits before it closes clients.
    package var gracePeriod: Duration = .seconds(10)
    /// How long it takes for that.
    package var lameDuckDuration: Duration = .seconds(30)
    /// Whether a server in lame duck mode is ended (SIGINT) as soon as all migrating clients have left it, however long
    /// that takes, instead of when its time is over.
    package var endsServersThatWereLeft = false
    /// What else is different about clients of ours.
    package var configure: @Sendable (inout NATSClientConfiguration) -> Void = { _ in }
    /// Told of what happens, line by line.
    package var say: @Sendable (String) -> Void = { _ in }

    /// The whole drill: A, B and T, which has come for this, get the other program one after the other, and then the first
    /// one again; T goes.
    package init(from first: Program, to other: Program) {
        self.first = first
        self.steps =
            [.a, .b, .t].map { Step($0, other) } + [.a, .b].map { Step($0, first) } + [Step(.t, nil)]
    }

    /// The families that take part.
    package var families: [DrillFamily] { DrillFamily.allCases.filter { self.clients[$0, default: 0] > 0 } }
}
