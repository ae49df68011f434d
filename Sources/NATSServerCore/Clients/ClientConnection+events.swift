internal import NATSWire
import NIOCore

/// What the system account is told of a connection.
extension ClientConnection {
    /// The client has been let in (nats-server events.go accountConnectEvent).
    func tellConnected() {
        guard let system = self.shared.system else { return }
        let subject = SystemSubjects.connect(self.account.name)
        guard system.isWanted(subject) else { return }
        let client = self.eventInfo(stop: nil, account: self.account)
        let head = system.head(.connect)
        system.publish(subject, size: client.count) { SystemEvents.connect(head, $0, client: client) }
    }

    /// The connection ends (nats-server events.go accountDisconnectEvent); before it leaves its account.
    func tellDisconnected(_ reason: ClosedReason) {
        guard !self.address.isEmpty, let system = self.shared.system else { return }
        self.tell(system, SystemSubjects.disconnect(self.account.name), in: nil, reason.rawValue)
    }

    /// Nobody may be that (nats-server events.go sendAuthErrorEvent).
    func tellAuthenticationError(_ reason: ClosedReason) {
        guard let system = self.shared.system else { return }
        self.tell(system, SystemSubjects.authenticationError(self.shared.identity.id), in: nil, reason.rawValue)
    }

    /// The same for those to whom the account belongs (nats-server events.go sendAccountAuthErrorEvent); it comes first.
    func tellAccountOfAuthenticationError(_ reason: ClosedReason) {
        self.tellAccountOfAuthenticationError(reason.rawValue, in: self.account)
    }

    /// The same for an account that decides about the client.
    func tellAccountOfAuthenticationError(_ reason: String, in account: Account) {
        guard let system = self.shared.system else { return }
        self.tell(system, SystemSubjects.accountAuthenticationError, in: account, reason)
    }

    private func tell(_ system: SystemService, _ subject: String, in account: Account?, _ reason: String) {
        guard system.isWanted(subject, in: account) else { return }
        let head = system.head(.disconnect)
        let client = self.eventInfo(stop: head.time, account: account ?? self.account)
        let traffic = self.statistics
        system.publish(subject, in: account, size: client.count) { server in
            SystemEvents.disconnect(head, server, client: client, traffic: traffic, reason: reason)
        }
    }

    /// Who this is, as JSON (nats-server events.go ClientInfo).
    ///
    /// - Parameters:
    ///   - stop: When the connection ended, in nanoseconds since 1970; `nil` if it begins.
    ///   - account: Whose client it is, or would be.
    /// - Returns: the document.
    private func eventInfo(stop: Int64?, account: Account) -> [UInt8] {
        let payload = self.session.payload
        return SystemEvents.document { writer in
            writer.write("start", time: self.shared.clock.wallNanoseconds(self.accepted))
            writer.writeUnlessEmpty("host", self.remoteIP)
            writer.write("id", self.id)
            writer.write("acc", account.name)
            writer.writeUnlessEmpty("user", self.session.shownUser)
            writer.writeUnlessEmpty("name", payload.name)
            writer.writeUnlessEmpty("lang", payload.lang)
            writer.writeUnlessEmpty("ver", payload.version)
            if let stop {
                writer.writeUnlessZero("rtt", Int(self.keepAlive.roundTripTime?.nanoseconds ?? 0))
                writer.write("stop", time: stop)
            }
            if self.session.user != nil { writer.writeUnlessEmpty("jwt", payload.jwt) }
            writer.writeUnlessEmpty("issuer_key", self.session.issuerKey)
            writer.write("name_tag", self.account.nameTag)
            writer.writeUnlessEmpty("tags", self.session.user?.tags ?? [])
            writer.write("kind", "Client")
            writer.write("client_type", self.webSocket == nil ? "nats" : "websocket")
        }
    }
}
