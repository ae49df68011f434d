extension Model {
    /// What stands above the table or the lines of the view.
    package var title: String {
        func of(_ total: UInt64) -> String { total > UInt64(self.rowCount) ? " of \(total)" : "" }
        let counted = "\(self.view.heading): \(self.rowCount)"
        switch self.view {
        case .connections: return "\(counted)\(of(self.snapshot.connectionTotal))"
        case .closed: return "\(counted)\(of(self.snapshot.closedTotal))"
        case .routes:
            let cluster = self.snapshot.server.cluster
            return "\(counted)\(cluster.isEmpty ? "" : "  Cluster: \(cluster)")"
        case .accounts: return counted
        case .cluster:
            let lost = self.snapshot.servers.count { $0.mark == .lost }
            let hidden = self.snapshot.servers.count { $0.mark == .withoutPages }
            let cluster = self.snapshot.server.cluster
            return counted + (lost == 0 ? "" : ", \(lost) lost") + (hidden == 0 ? "" : ", \(hidden) without pages")
                + (cluster.isEmpty ? "" : "  Cluster: \(cluster)")
        case .subscriptions:
            guard let subscriber = self.subscriber else { return "Subscriptions: no connection is selected" }
            var title = "Subscriptions of \(subscriber)"
            let row = self.snapshot.connections.first { $0.id == .connection(subscriber) }
            if case .connection(let connection)? = row?.content, !connection.name.isEmpty {
                title += " (\(connection.name))"
            }
            return "\(title): \(self.rowCount)"
        case .server, .jetStream: return self.view.title
        case .graphs: return "Last minutes"
        }
    }

    // MARK: Events

    /// Takes one round of answers.
    ///
    /// - Parameters:
    ///   - sample: The answers; without `/varz` the server counts as lost.
    ///   - now: Our time, by a clock that never jumps.
    ///   - took: How long the round took; nil if nobody knows.
    ///   - nextPoll: When the next round begins.
    ///   - target: Where the server was asked, as it is shown; nil for ``Settings/target``.
    package mutating func take(
        _ sample: Sample,
        at now: Duration,
        took: Duration? = nil,
        nextPoll: Duration? = nil,
        from target: String? = nil
    ) {
        self.advance(to: now)
        self.nextPoll = nextPoll
        let wasLost = if case .lost = self.live.link { true } else { false }
        let target = target ?? self.settings.target
        let change = self.live.take(
            sample,
            isElsewhere: self.answerer.map { $0 != target } ?? false,
            at: now,
            took: took,
            idleSeconds: self.settings.idleSeconds
        )
        if sample.server != nil { self.answerer = target }
        if change != .none {
            // What is shown while paused is of the server before.
            if self.isPaused { self.hasChangedServer = true } else { self.forgetServer() }
            let server = self.live.server
            let isRestart = change == .restarted
            self.show(
                isRestart
                    ? "the server has restarted"
                    : "another server answers: \(server.name.isEmpty ? server.id : server.name)",
                seconds: 10
            )
        } else if wasLost, self.live.link == .up {
            self.show("the server answers again", seconds: 5)
        }
        self.frozen?.complete(from: self.live)
        if self.frozen == nil || self.view != .connections { self.arrange() }
    }

    /// Lets time pass: notices end.
    package mutating func advance(to now: Duration) {
        self.now = max(self.now, now)
        if let notice = self.passingNotice, notice.end <= self.now { self.passingNotice = nil }
    }

    package mutating func resize(_ size: Size) {
        self.size = size
        self.settle()
    }

    /// Takes names of addresses; nil for one that has none.
    package mutating func take(hostNames: [(address: String, name: String?)]) {
        guard !hostNames.isEmpty else { return }
        for (address, name) in hostNames
        where self.hostNames[address] != nil || self.hostNames.count < Settings.maximumLimit {
            self.hostNames[address] = name.map { HarmlessText.make($0) } ?? address
        }
        self.arrange()
    }

    /// Begins with another server of the cluster: what was known of the one before is not known of it.
    package mutating func watch(_ target: String) {
        self.settings.target = target
        self.live = Snapshot(inClusterOf: self.live)
        self.frozen = nil
        self.answerer = nil
        self.forgetServer()
        self.open(.connections)
    }

    /// Where the server is asked, as it is shown.
    package mutating func rename(target: String) { self.settings.target = target }

    /// Opens another view.
    package mutating func open(_ view: View) {
        self.view = view
        self.arrange()
    }
}
