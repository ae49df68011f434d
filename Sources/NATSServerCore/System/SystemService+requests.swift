import Logging
import NATSWire
import NIOCore

/// What the system account can be asked for.
extension SystemService {
    /// What a request comes to.
    enum Answer: Sendable {
        /// A JSON document in its compact form.
        case data([UInt8])
        /// Done; there is nothing to tell.
        case done
        /// It could not be done.
        case failure(String)
        /// The options of a page are of no use; there is a member `data`, which is `null`.
        case refusal(String)
        /// Nobody answers.
        case silence
    }

    typealias Page = @Sendable (SystemQuery, any EventLoop) throws(JSONError) -> EventLoopFuture<Answer>

    /// Subscribes to everything that the official server subscribes to (events.go initEventTracking), also to what only
    /// other servers send.
    func listen() {
        let id = self.shared.identity.id
        let hash = Self.hash(of: self.shared.serverName)
        self.listenToServers(hash)
        self.answer(SystemSubjects.subscriptionCount) { self.countSubscribers($0) }
        self.listenToClaims()
        self.answer(SystemSubjects.ping, isPing: true) { self.statistics($0) }
        for server in [id, "PING"] {
            // In the official server any order.
            self.answer(SystemSubjects.server(server, "IDZ")) { self.identity($0) }
            self.answer(SystemSubjects.server(server, "STATSZ"), isPing: true) { self.statistics($0) }
            for (name, page) in self.serverPages {
                let type = Self.optionsType(name)
                self.answer(SystemSubjects.server(server, name)) { self.respond(to: $0, type, with: page) }
            }
        }
        for name in Self.accountPageNames {
            let type = name == "INFO" ? "AccInfoEventOptions" : Self.optionsType(name)
            self.answer(SystemSubjects.account("*", name)) { request in
                let account = request.tokens.dropFirst(3).first ?? ""
                return self.respond(to: request, type) { query, loop throws(JSONError) in
                    try self.accountPage(name, account, query, loop)
                }
            }
        }
        self.answer(SystemSubjects.account("*", "CONNS")) { self.accountConnections($0) }
        self.client.subscribe(
            SystemSubjects.userInfo(of: "*"),
            in: self.account,
            isLocal: true,
            .inline { request, connection in
                // Whoever asks another server asks that one about himself.
                guard let client = connection as? ClientConnection else { return .low }
                return self.userInfo(request, of: client)
            }
        )
        self.answer(SystemSubjects.account("PING", "STATZ")) { request in
            self.respond(to: request, "AccountStatzEventOptions") { query, loop throws(JSONError) in
                try self.accountStatistics(try query.strings("accounts"), query, loop)
            }
        }
        self.ignore(SystemSubjects.leafNodeConnect("*"))
        self.client.subscribe(
            SystemSubjects.subscribers,
            in: self.account,
            isLocal: true,
            .queuedWithSender(self.pages) { self.countSubscribers($0, of: $1) }
        )
        self.answer(SystemSubjects.server(id, "RELOAD")) { request in
            self.respond(to: request) { _, loop in self.reload(on: loop) }
        }
        self.answer(SystemSubjects.server(id, "KICK")) { self.act(on: $0) { $0.kick() } }
        self.answer(SystemSubjects.server(id, "LDM")) { self.act(on: $0) { $0.announceLameDuckMode() } }
    }

    func ignore(_ subject: String) { self.answer(subject) { _ in nil } }

    // MARK: Answers

    /// Sends what was asked for (nats-server events.go zReq).
    private func respond(
        to request: InternalMessage,
        _ type: String = "EventFilterOptions",
        with page: Page
    ) -> EventLoopFuture<Void>? {
        guard !request.reply.isEmpty else { return nil }
        do throws(JSONError) {
            let query = try SystemQuery(request.payload, type)
            guard self.isMeant(query), let eventLoop = self.pageThread.eventLoop else { return nil }
            return try page(query, eventLoop).map { self.send($0, to: request) }
        } catch {
            self.sendError(400, error.description, to: request)
            return nil
        }
    }

    /// The Go type of a page's options.
    private static func optionsType(_ page: String) -> String {
        switch page {
        case "STATZ": "AccountStatzEventOptions"
        default: "\(page.prefix(1))\(page.dropFirst().lowercased())EventOptions"
        }
    }

    private func isMeant(_ query: SystemQuery) -> Bool {
        query.filter.accepts(
            name: self.shared.serverName,
            host: self.block.host,
            cluster: self.shared.routes?.clusterName ?? "",
            tags: self.shared.options.monitoring.tags
        )
    }

    private func send(_ answer: Answer, to request: InternalMessage) {
        switch answer {
        case .silence: return
        case .failure(let text): self.sendError(500, text, to: request)
        case .refusal(let text): self.sendError(500, text, hasData: true, to: request)
        case .done: self.publishAnswer(to: request.reply, header: Self.encoding(for: request)) { _ in }
        case .data(let json):
            self.publishAnswer(to: request.reply, header: Self.encoding(for: request)) { $0.write("data", raw: json) }
        }
    }

    private func sendError(_ code: Int, _ text: String, hasData: Bool = false, to request: InternalMessage) {
        self.publishAnswer(to: request.reply) { writer in
            if hasData { writer.writeNull("data") }
            writer.object("error") { writer in
                writer.write("code", code)
                writer.writeUnlessEmpty("description", text)
            }
        }
    }

    /// The header of an answer to somebody who asks for an encoding: it comes as it is.
    private static func encoding(for request: InternalMessage) -> [UInt8] {
        guard !request.header.isEmpty, let block = request.header.withUnsafeBytes({ HeaderBlock(parsing: $0) }),
            let wanted = block.headers.first(where: { $0.name == "Accept-Encoding" }), !wanted.value.isEmpty
        else {
            return []
        }
        return HeaderBlock.encode(["Content-Encoding": "identity"])
    }

    /// Publishes an answer with the member `server`.
    func publishAnswer(
        to reply: [UInt8],
        header: [UInt8] = [],
        _ body: (inout JSONDocumentWriter) -> Void
    ) {
        let payload = SystemEvents.document { writer in
            writer.object("server") { self.block.write(to: &$0) }
            body(&writer)
        }
        self.client.publish(InternalMessage(to: reply, header: header, payload: payload), in: self.account)
    }

    /// nats-server events.go statszReq.
    private func statistics(_ request: InternalMessage) -> EventLoopFuture<Void>? {
        var request = request
        let isBroadcast = request.reply.isEmpty
        if isBroadcast { request.reply = Array(SystemSubjects.event(of: self.shared.identity.id, "STATSZ").utf8) }
        do throws(JSONError) {
            guard self.isMeant(try SystemQuery(request.payload, "StatszEventOptions")) else { return nil }
        } catch {
            self.sendError(400, error.description, to: request)
            return nil
        }
        return isBroadcast ? self.requestBroadcast() : self.sendStatistics(to: request.reply)
    }

    /// nats-server events.go idzReq: without the envelope of the others.
    private func identity(_ request: InternalMessage) -> EventLoopFuture<Void>? {
        guard !request.reply.isEmpty else { return nil }
        let payload = SystemEvents.document { writer in
            writer.write("name", self.shared.serverName)
            writer.write("host", self.block.host)
            writer.write("id", self.shared.identity.id)
        }
        self.client.publish(InternalMessage(to: request.reply, payload: payload), in: self.account)
        return nil
    }

    /// nats-server events.go connsRequest.
    private func accountConnections(_ request: InternalMessage) -> EventLoopFuture<Void>? {
        let name = request.tokens.dropFirst(3).first ?? ""
        if !request.payload.isEmpty {
            guard let query = try? SystemQuery(request.payload), let named = try? query.string("acc") else {
                self.shared.logger.error("SYSTEM - Error unmarshalling account connections request message")
                return nil
            }
            guard named.isEmpty || named == name else {
                self.shared.logger.error("SYSTEM - Error unmarshalled account does not match subject")
                return nil
            }
        }
        guard !request.reply.isEmpty, let account = self.shared.accounts[name], account.connectionCount > 0 else {
            return nil
        }
        return self.tellConnections(
            of: account,
            account.connectionCount,
            to: [String(decoding: request.reply, as: UTF8.self)]
        )
    }

    // MARK: Actions

    private func reload(on eventLoop: any EventLoop) -> EventLoopFuture<Answer> {
        let promise = eventLoop.makePromise(of: Answer.self)
        let reload = self.reload
        Task {
            let failure = await reload()
            promise.succeed(failure.map { .failure($0) } ?? .done)
        }
        return promise.futureResult
    }

    /// Does something to the client that a request names.
    private func act(
        on request: InternalMessage,
        _ action: @escaping @Sendable (ClientConnection) -> String?
    ) -> EventLoopFuture<Void>? {
        let id: UInt64
        do throws(JSONError) {
            // An empty payload is no JSON here.
            guard !request.payload.isEmpty else { throw JSONError("unexpected end of JSON input") }
            id = try SystemQuery(request.payload).uint64("cid")
        } catch {
            self.shared.logger.error("SYSTEM - Error unmarshalling kick client request: \(error)")
            return nil
        }
        return self.respond(to: request) { _, eventLoop in
            let answers = self.shared.loops.gather(on: eventLoop) { loop in
                loop.connections[id].map { action($0) ?? "" }
            }
            return answers.map { answers in
                guard let found = answers.compactMap({ $0 }).first else {
                    let isKick = request.tokens.last == "KICK"
                    return .failure(isKick ? "no such client or leafnode id" : "no such client id")
                }
                return found.isEmpty ? .done : .failure(found)
            }
        }
    }
}

extension ClientConnection {
    /// The system account sends the client away.
    fileprivate func kick() -> String? {
        self.close(.kicked)
        return nil
    }

    /// The system account tells the client to look for another server; returns why not.
    fileprivate func announceLameDuckMode() -> String? {
        guard self.phase == .open, self.session.takesInfo else {
            return "client does not support Lame Duck Mode or is not ready to receive the notification"
        }
        self.logger.debug("\(self.label) - Sending Lame Duck Mode info to client")
        self.sendLameDuckInfo()
        return nil
    }
}
