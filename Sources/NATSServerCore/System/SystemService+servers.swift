import Logging
import NATSText
import NATSWire
import NIOConcurrencyHelpers
import NIOCore

/// What the servers of a cluster tell each other (nats-server events.go initEventTracking and following).
extension SystemService {
    /// Longer news are not looked at: what servers send has some hundred bytes, but for their figures, which grow with routes.
    private static let longestNews = 64 << 10
    private static let longestStatistics = 1 << 20
    /// Ids are public keys of 56 bytes.
    private static let longestID = 256

    /// Listens to the other servers; `hash` is what they know this one by.
    func listenToServers(_ hash: String) {
        self.hear(SystemSubjects.inboxes(hash)) { self.subscriberCounts.received($0) }
        for subject in [
            SystemSubjects.oldServerConnections("*"), SystemSubjects.connectionsAnswer(self.shared.identity.id),
        ] {
            self.hear(subject) { self.connectionsChangedElsewhere($0) }
        }
        self.hear(SystemSubjects.event(of: "*", "STATSZ"), atMost: Self.longestStatistics) { message in
            if let server = Self.server(in: message) { self.heard(from: server) }
        }
        for name in ["SHUTDOWN", "LAMEDUCK"] {
            self.hear(SystemSubjects.event(of: "*", name)) { message in
                guard !message.payload.isEmpty, let id = message.tokens.dropFirst(2).first else { return }
                self.ended(id)
            }
        }
        self.hear(SystemSubjects.latency(hash)) { self.measuredElsewhere($0) }
    }

    private func hear(
        _ subject: String,
        atMost longest: Int = SystemService.longestNews,
        _ handler: @escaping @Sendable (InternalMessage) -> Void
    ) {
        self.client.subscribe(
            subject,
            in: self.account,
            .queued(self.news) { message in
                if message.payload.count <= longest { handler(message) }
                return nil
            }
        )
    }

    /// Who has told something.
    private struct Teller {
        var id = ""
        var sequence: UInt64 = 0
    }

    /// The member `server` of a message; `nil` if there is none.
    private static func server(in message: InternalMessage) -> Teller? {
        guard let document = try? JSONObjectReader(JSONValue.parse(message.payload)) else { return nil }
        return try? self.server(in: document)
    }

    private static func server(in document: JSONObjectReader) throws(JSONError) -> Teller {
        var server = Teller()
        try document.readObject("server") { reader throws(JSONError) in
            try reader.read("id", into: &server.id)
            try reader.read("seq", into: &server.sequence)
        }
        return server
    }

    /// Whether a server is known now.
    @discardableResult
    private func heard(from server: Teller) -> Bool {
        guard (1...Self.longestID).contains(server.id.utf8.count), server.id != self.shared.identity.id else {
            return false
        }
        let isPeer = self.shared.routes?.peers[server.id] != nil
        let news = self.tracking.withLockedValue {
            $0.heard(from: server.id, sequence: server.sequence, isPeer: isPeer, now: .now())
        }
        switch news {
        case .new:
            // It does not know this one either.
            self.broadcastStatistics()
            return true
        case .known: return true
        case .outOfOrder:
            let text = "Received out of order remote server update from: \(GoString.quoted(server.id.utf8))"
            if self.shared.shouldLog(text) { self.shared.logger.error("\(text)") }
            return true
        case nil: return false
        }
    }

    private func ended(_ id: String) {
        guard self.tracking.withLockedValue({ $0.ended(id) }) else { return }
        self.forgetConnections(on: [id])
    }

    private func forgetConnections(on servers: [String]) {
        guard !servers.isEmpty else { return }
        for account in self.shared.accounts.byName.values { account.forgetConnections(on: servers) }
    }

    /// Looks every now and then for servers that have gone without a word.
    func scheduleSweep() {
        self.eventLoop?.scheduleTask(in: RemoteServers.sweepInterval) {
            guard !self.shared.isEnding else { return }
            self.latencies.sweep(now: .now())
            self.shared.trackedRequests.sweep(now: .now())
            let silent = self.tracking.withLockedValue { $0.takeSilent(now: .now()) }
            for id in silent {
                self.shared.logger.debug("Detected orphan remote server: \(GoString.quoted(id.utf8))")
            }
            self.forgetConnections(on: silent)
            self.scheduleSweep()
        }
    }

    // MARK: Connections of accounts

    /// Another server has told how many connections an account has there (nats-server events.go remoteConnsUpdate).
    private func connectionsChangedElsewhere(_ message: InternalMessage) {
        guard !message.payload.isEmpty else {
            return self.shared.logger.error("SYSTEM - No message body provided")
        }
        var name = ""
        var counts = RemoteConnections.Counts()
        let server: Teller
        do throws(JSONError) {
            let document = try JSONObjectReader(JSONValue.parse(message.payload))
            try document.read("acc", into: &name)
            try document.read("conns", into: &counts.clients)
            try document.read("leafnodes", into: &counts.leafNodes)
            server = try Self.server(in: document)
        } catch {
            return self.shared.logger.error(
                "SYSTEM - Error unmarshalling account connection event message: \(error)"
            )
        }
        guard let account = self.shared.accounts[name] else { return }
        guard server.id != self.shared.identity.id else {
            return self.shared.logger.error(
                "SYSTEM - Processing our own account connection event message: ignored"
            )
        }
        guard self.heard(from: server) else { return }
        account.setConnections(counts, on: server.id)
        self.shared.loops.closeSurplus(of: account)
    }

    /// The first client, or leaf node, has come to an account: asks the other servers how many connections it has there, if
    /// it may not have any number (nats-server events.go enableAccountTracking).
    func askForConnections(of account: Account) {
        let limits = account.limits
        guard limits.maxConnections >= 0 || limits.maxLeafNodes >= 0, self.shared.routes != nil else { return }
        let reply = Array(SystemSubjects.connectionsAnswer(self.shared.identity.id).utf8)
        self.events.put(InternalMessage(SystemSubjects.account(account.name, "CONNS"), reply: reply)) { message in
            var message = message
            message.payload = SystemEvents.document { writer in
                writer.object("server") { self.block.write(to: &$0) }
                writer.write("acc", account.name)
            }
            self.client.publish(message, in: self.account)
            return nil
        }
    }
}
