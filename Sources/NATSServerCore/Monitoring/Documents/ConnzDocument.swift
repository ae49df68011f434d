import NATSWire
import NIOCore

/// `/connz`: the connections.
struct ConnzDocument: Sendable {
    /// Behind a pointer, since lists of them are moved about.
    indirect enum Row: Sendable {
        case open(ConnectionSnapshot)
        case closed(ClosedConnection)
    }

    var head: ServerHead
    var now: NIODeadline
    var clock: ServerClock
    var query: ConnectionQuery
    /// All connections of the state and account that were asked for.
    var total: Int
    /// The page that is shown.
    var rows: [Row]

    func json(indentation: Int? = 2) -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: indentation, capacity: 512 + self.rows.count * 640)
        writer.object { writer in
            writer.write(self.head)
            writer.write("num_connections", self.rows.count)
            writer.write("total", self.total)
            writer.write("offset", self.query.offset)
            writer.write("limit", self.query.limit)
            writer.array("connections") { writer in
                for row in self.rows { self.write(row, to: &writer) }
            }
        }
        return writer.bytes
    }

    /// The answer for an account that does not exist (nats-server monitor.go Connz returns its unfinished value).
    static func unknownAccount(query: ConnectionQuery, now: Int64) -> [UInt8] {
        var writer = JSONDocumentWriter()
        writer.object { writer in
            writer.write(ServerHead(id: "", name: "", now: now))
            writer.write("num_connections", 0)
            writer.write("total", 0)
            writer.write("offset", query.offset)
            writer.write("limit", query.limit)
            writer.writeNull("connections")
        }
        return writer.bytes
    }

    private func write(_ row: Row, to writer: inout JSONDocumentWriter) {
        switch row {
        case .open(let connection): self.write(connection, closed: nil, to: &writer)
        case .closed(let closed): self.write(closed.connection, closed: closed, to: &writer)
        }
    }

    private func write(
        _ connection: ConnectionSnapshot,
        closed: ClosedConnection?,
        to writer: inout JSONDocumentWriter
    ) {
        let figures = connection.figures
        let end = closed?.stop ?? self.now
        writer.object { writer in
            writer.write("cid", figures.id)
            writer.write("kind", connection.kind == .leafNode ? "Leafnode" : "Client")
            switch connection.kind {
            case .client: writer.write("type", "nats")
            case .webSocketClient: writer.write("type", "websocket")
            case .leafNode: break
            }
            writer.write("ip", connection.ip)
            writer.write("port", connection.port)
            writer.write("start", time: self.clock.wallNanoseconds(figures.start))
            writer.write("last_activity", time: self.clock.wallNanoseconds(figures.lastActivity))
            if let closed {
                writer.write("stop", time: self.clock.wallNanoseconds(closed.stop))
                writer.write("reason", closed.reason)
            }
            writer.write("rtt", TimeText.roundTrip(figures.roundTripNanoseconds))
            writer.write("uptime", TimeText.uptime((end - figures.start).nanoseconds))
            writer.write("idle", TimeText.uptime((end - figures.lastActivity).nanoseconds))
            writer.write("pending_bytes", figures.pendingBytes)
            writer.write("in_msgs", figures.traffic.messagesIn)
            writer.write("out_msgs", figures.traffic.messagesOut)
            writer.write("in_bytes", figures.traffic.bytesIn)
            writer.write("out_bytes", figures.traffic.bytesOut)
            writer.writeUnlessZero("stalls", figures.stalls)
            writer.write("subscriptions", figures.subscriptions)
            writer.writeUnlessEmpty("name", connection.name)
            writer.writeUnlessEmpty("lang", connection.lang)
            writer.writeUnlessEmpty("version", connection.version)
            if let security = connection.security { self.write(security, to: &writer) }
            if self.query.auth {
                writer.writeUnlessEmpty("authorized_user", connection.user)
                if connection.account != Account.globalName { writer.write("account", connection.account) }
            }
            self.writeSubscriptions(of: connection, isClosed: closed != nil, to: &writer)
            // nats-server server.go saveClosedClient: a closed one always shows these.
            guard self.query.auth || closed != nil else { return }
            writer.writeUnlessEmpty("jwt", connection.jwt)
            writer.writeUnlessEmpty("issuer_key", connection.issuerKey)
            // The same: of `$G` nothing is kept.
            if self.query.auth, closed == nil || connection.account != Account.globalName {
                writer.write("name_tag", connection.accountTag)
            } else {
                writer.writeUnlessEmpty("name_tag", connection.userTag)
            }
            writer.writeUnlessEmpty("tags", connection.tags)
        }
    }

    private func write(_ security: ConnectionSnapshot.Security, to writer: inout JSONDocumentWriter) {
        writer.writeUnlessEmpty("tls_version", security.version)
        writer.writeUnlessEmpty("tls_cipher_suite", security.cipherSuite)
        if self.query.auth, !security.peerCertificates.isEmpty {
            writer.array("tls_peer_certs") { writer in
                for certificate in security.peerCertificates {
                    writer.object { writer in
                        writer.writeUnlessEmpty("subject", certificate.subject)
                        writer.writeUnlessEmpty("spki_sha256", certificate.publicKeyDigest)
                        writer.writeUnlessEmpty("cert_sha256", certificate.digest)
                    }
                }
            }
        }
        writer.writeUnlessFalse("tls_first", security.isFirst)
    }

    private func writeSubscriptions(
        of connection: ConnectionSnapshot,
        isClosed: Bool,
        to writer: inout JSONDocumentWriter
    ) {
        guard !connection.subscriptions.isEmpty else { return }
        switch self.query.subscriptions {
        case .none:
            break
        case .subjects:
            writer.array("subscriptions_list") { writer in
                for subscription in connection.subscriptions { writer.element(text: subscription.subject) }
            }
        case .detail:
            // nats-server server.go saveClosedClient: those of a closed one name their account.
            let account = isClosed ? connection.account : nil
            writer.array("subscriptions_list_detail") { writer in
                for subscription in connection.subscriptions { writer.element(subscription, account: account) }
            }
        }
    }
}
