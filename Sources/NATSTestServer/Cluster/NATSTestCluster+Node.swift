extension NATSTestCluster {
    /// One server of a cluster.
    public final class Node: Sendable {
        let place: Int
        let relay: RouteRelay
        let member: any ClusterMember
        /// The server's name.
        public let name: String

        init(place: Int, name: String, member: any ClusterMember, relay: RouteRelay) {
            self.place = place
            self.name = name
            self.member = member
            self.relay = relay
        }

        /// The server; `nil` if it is a program.
        public var server: NATSTestServer? { (self.member as? OwnMember)?.server }

        /// Port that clients connect to; stays the same over ``restart()``.
        public var port: Int { self.member.port }

        /// URL for clients, such as `nats://127.0.0.1:43121`.
        public var clientURL: String { self.server?.clientURL ?? "nats://127.0.0.1:\(self.port)" }

        /// Whether the server runs.
        public var isRunning: Bool { self.member.isRunning }

        /// What a program has printed since it was last started; empty for servers of this process, which have loggers.
        public var output: String {
            #if os(Linux) || os(macOS)
            (self.member as? ProgramMember)?.output ?? ""
            #else
            ""
            #endif
        }

        /// Stops the server as its operator would: what is queued is sent, others are told.
        public func stop() async { await self.member.stop() }

        /// Stops the server if it runs, and starts it again on the same port.
        ///
        /// - Throws: As ``NATSTestServer/restart()``.
        public func restart() async throws { try await self.member.restart() }

        /// Ends the server as if its process had been killed, which programs are: nobody is told anything, and what is
        /// queued is lost.
        public func kill() async {
            self.relay.links.endAll(of: self.place)
            await self.member.kill()
        }

        /// Sends the clients away; returns when the server has ended.
        public func enterLameDuckMode() async { await self.member.enterLameDuckMode() }

        func end() async {
            await self.member.stop()
            self.relay.links.endAll(of: self.place)
            await self.relay.close()
        }
    }

    /// Something that a server has sent to another one.
    package struct Passing: Sendable {
        /// The place of the sender's node, from 1 on.
        package let from: Int
        /// The place of the receiver's node.
        package let to: Int
        package let connection: ObjectIdentifier
        /// Whether the sender has dialled.
        package let isDialler: Bool
        package let bytes: [UInt8]
    }
}
