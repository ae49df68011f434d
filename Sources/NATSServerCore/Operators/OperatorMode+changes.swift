internal import NATSServerConfig
import NIOConcurrencyHelpers
import Logging
import NATSAuth
import NIOCore

/// What claims mean for the connections that are there, and what time does to them.
extension OperatorMode {
    // MARK: Connections

    /// Tells the connections of an account what has become of it (nats-server accounts.go UpdateAccountClaims).
    func announce(_ change: AccountChange, _ loops: ServerLoops?) {
        guard let loops else { return }
        let account = change.account
        // At once: the connections hear of changes in their order.
        loops.tell { loop in loop.apply(change) }
        loops.closeSurplus(of: account)
    }

    /// Lets all connections look whether what they import has changed.
    func announceImports(_ loops: ServerLoops?) {
        loops?.tell { loop in
            for connection in Array(loop.connections.values) { connection.updateShadows() }
            for leaf in Array(loop.leafs.values) { leaf.updateShadows() }
        }
    }

    /// An account is at its end: its clients have to go (nats-server accounts.go expiredTimeout).
    private func announceExpiry(of account: Account, _ loops: ServerLoops?) {
        loops?.tell { loop in
            for connection in Array(loop.connections.values) where connection.account === account {
                connection.accountExpired()
            }
            for leaf in Array(loop.leafs.values) where leaf.account === account && leaf.user != nil {
                leaf.accountExpired()
            }
        }
    }

    // MARK: Time

    /// Directories are looked through at least that often.
    private static let longestWait: TimeAmount = .seconds(60)

    /// Sees to it that ``sweep()`` comes when the next account, token or file expires.
    func scheduleSweep(_ state: inout State) {
        guard let loops = state.loops, !state.isEnded else { return }
        var due: NIODeadline?
        for entry in state.entries.values {
            if !entry.isExpired { due = Self.earlier(due, entry.expiry) }
            due = Self.earlier(due, entry.activationExpiry)
        }
        let now = NIODeadline.now()
        if let interval = self.resolver?.expiryInterval { due = Self.earlier(due, now + .nanoseconds(interval)) }
        guard let earliest = due else { return }
        let scheduled = max(now, min(earliest, now + Self.longestWait))
        if let next = state.nextSweep, next <= scheduled { return }
        state.nextSweep = scheduled
        loops.schedule(in: scheduled - now) { [weak self] in
            guard let self else { return }
            self.worker.run({ self.sweep(scheduled) }, completion: { _ in })
        }
    }

    /// Ends what has expired.
    private func sweep(_ scheduled: NIODeadline) {
        // Of accounts that are in use only the file goes (nats-server dirstore.go startExpiring).
        _ = self.resolver?.removeExpired(now: WallClock.nanosecondsSince1970())
        self.state.withLockedValue { state in
            if state.nextSweep == scheduled { state.nextSweep = nil }
            let now = NIODeadline.now()
            for (name, entry) in state.entries where !entry.isExpired {
                guard let expiry = entry.expiry, expiry <= now else { continue }
                self.expire(name, &state)
            }
            var recheck: [String] = []
            for (name, entry) in state.entries {
                if let expiry = entry.activationExpiry, expiry <= now { recheck.append(name) }
            }
            let changed = recheck.filter { self.recheckImports(of: $0, &state) }
            if !changed.isEmpty {
                _ = self.registry.merge(changed.compactMap { state.entries[$0]?.options }, updated: [])
                self.announceImports(state.loops)
            }
            self.scheduleSweep(&state)
        }
    }

    private func expire(_ name: String, _ state: inout State) {
        guard var entry = state.entries[name] else { return }
        entry.isExpired = true
        entry.expiry = nil
        state.entries[name] = entry
        entry.account.setStanding(
            AccountStanding(authority: entry.authority, isExpired: true, isIncomplete: entry.isIncomplete)
        )
        self.announceExpiry(of: entry.account, state.loops)
    }

    // MARK: Accounts that go

    /// The JWT of an account is gone: nobody may come in, and nobody stays (nats-server accounts.go removeCb).
    func disable(_ names: [String]) {
        self.state.withLockedValue { state in
            for name in names { self.disable(name, &state) }
        }
    }

    private func disable(_ name: String, _ state: inout State) {
        guard var entry = state.entries[name] else { return }
        self.logger.debug("Disable account \(name) due to remove")
        entry.options.limits.maxConnections = 0
        entry.options.limits.maxSubscriptions = 0
        entry.options.limits.maxPayload = 0
        // What it imports ends; what it exports stays, with nobody to serve it.
        for index in entry.options.imports.indices { entry.options.imports[index].isInvalid = true }
        entry.activationExpiry = nil
        entry.updated = .now()
        state.entries[name] = entry
        _ = self.registry.merge([entry.options], updated: [name])
        self.expire(name, &state)
    }

    // MARK: Requests about claims

    /// A request to the system account about claims.
    enum ClaimsRequest: Sendable {
        /// `$SYS.REQ.CLAIMS.UPDATE`, or the same for the account that the subject names.
        case update(of: String?)
        case delete
        case lookUp(String)
        case list
        case pack
    }

    /// What is answered.
    enum ClaimsAnswer: Sendable, Equatable {
        /// JSON next to `server`: what was done, or why not.
        case data([UInt8])
        case error([UInt8])
        /// Public keys.
        case list([String])
        /// Messages as they are.
        case messages([String])
        case none
    }

    /// Answers a request on another thread, and applies what it changes.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - payload: The payload without headers.
    ///   - completion: Called there with the answer, unless the server ends; must only hand it on.
    /// - Returns: `false` if the server has ended.
    func answer(
        _ request: ClaimsRequest,
        _ payload: [UInt8],
        completion: @escaping @Sendable (ClaimsAnswer) -> Void
    ) -> Bool {
        self.worker.run({ self.answer(request, payload) }, completion: completion)
    }

    /// nats-server accounts.go DirAccResolver.Start, CacheDirAccResolver.Start.
    private func answer(_ request: ClaimsRequest, _ payload: [UInt8]) -> ClaimsAnswer {
        let now = WallClock.nanosecondsSince1970()
        let text = String(decoding: payload, as: UTF8.self)
        switch request {
        case .update(let key) where self.resolver?.isDirectory != true:
            return self.conclude(self.update(text, of: key ?? ""))
        case .update(let key):
            let answer = self.resolver?.withService { service in
                service.update(text, of: key, at: now, isInUse: { self.registry[$0]?.standing.authority != nil })
            }
            return self.conclude(answer)
        case .delete:
            return self.conclude(self.resolver?.withService { $0.delete(text) })
        case .lookUp(let key):
            switch self.resolver?.withService({ $0.lookUp(key, at: now) }) {
            case .found(let jwt):
                return .messages([jwt])
            case .missing:
                self.logger.debug("DirResolver - Could not find account \"\(key)\"")
                return .messages([""])
            case .failed(let line):
                self.logger.error("\(line)")
                return .none
            case nil:
                return .none
            }
        case .list:
            guard let keys = self.resolver?.withService({ $0.list(at: now) }) ?? nil else { return .none }
            self.logger.debug("list request responded with \(keys.count) account ids")
            return .list(keys)
        case .pack:
            return .messages(self.resolver?.withService { $0.pack(for: payload, at: now) } ?? [])
        }
    }

    /// A server that keeps no JWTs gets one for an account that it has (nats-server events.go accountClaimUpdate).
    private func update(_ jwt: String, of key: String) -> ClaimsService.Answer {
        func failed(_ words: String, _ message: String = "jwt update resulted in error") -> ClaimsService.Answer {
            ClaimsService.Answer(account: key, message: message, error: words)
        }
        if jwt.isEmpty { return failed("request body is empty", "jwt update error") }
        do throws(JWTError) {
            let claims = try JWT.decode(AccountClaims.self, from: jwt)
            guard claims.subject == key else { return failed("subject does not match jwt content") }
        } catch {
            return failed(error.description)
        }
        guard let account = self.registry[key], account.standing.authority != nil else {
            return ClaimsService.Answer(account: key, message: "jwt update skipped")
        }
        do throws(Failure) {
            try self.update(account, with: jwt)
        } catch {
            return failed(error.words)
        }
        return ClaimsService.Answer(account: key, message: "jwt updated")
    }

    /// Logs an answer and applies what it tells of.
    private func conclude(_ answer: ClaimsService.Answer?) -> ClaimsAnswer {
        guard let answer else { return .none }
        for name in answer.changed { self.reloadAccount(name) }
        if !answer.deleted.isEmpty { self.disable(answer.deleted) }
        self.logger.log(level: answer.error == nil ? .debug : .error, "\(answer.logLine)")
        let member = answer.member
        return member.name == "data" ? .data(member.json) : .error(member.json)
    }

    /// The resolver has other claims of an account, if that is in use.
    private func reloadAccount(_ name: String) {
        guard let account = self.registry[name], account.standing.authority != nil else { return }
        do throws(AccountResolver.Failure) {
            guard let jwt = try self.resolver?.fetch(name, now: WallClock.nanosecondsSince1970()) else { return }
            do throws(Failure) {
                try self.update(account, with: jwt)
            } catch {
                self.logger.error("DirResolver - Update for account \"\(name)\" resulted in error \(error.words)")
            }
        } catch {
            self.logger.error("DirResolver - Update got error on load: \(error)")
        }
    }

    // MARK: Reload

    /// The configuration has been loaded again (nats-server reload.go reloadAuthorization).
    func reload(_ options: OperatorModeOptions) async {
        _ = await self.worker.perform { self.reloadNow(options) }
    }

    private func reloadNow(_ options: OperatorModeOptions) {
        self.use(options)
        let now = WallClock.nanosecondsSince1970()
        guard let resolver = self.resolver else { return }
        do throws(AccountResolver.Failure) {
            try resolver.use(options.resolverTLS)
        } catch {
            // The configuration has been read with the same files: somebody changes them now. What was there stays.
            self.logger.error("resolver_tls cannot be used: \(error)")
        }
        resolver.store(options.preload, now: now)
        guard resolver.isMemory else {
            self.reloadFiles(resolver, now)
            return
        }
        self.checkPreload(options.preload)
        let accounts = self.state.withLockedValue { $0.entries.values.map(\.account) }
        for account in accounts.sorted(by: { $0.name < $1.name }) {
            let name = account.name
            let isThere: Bool
            do throws(AccountResolver.Failure) {
                let jwt = try resolver.fetch(name, now: now)
                isThere = true
                do throws(Failure) {
                    try self.update(account, with: jwt)
                } catch {
                    self.logger.info("Reloaded: deleting account [bad claims]: \"\(name)\"")
                    self.remove(name)
                }
            } catch {
                isThere = false
            }
            guard !isThere else { continue }
            self.logger.warning("Account fetch failed: account missing")
            self.logger.info("Reloaded: deleting account [removed]: \"\(name)\"")
            self.remove(name)
        }
    }

    /// Takes over what somebody else has written into a resolver's directory about accounts that are in use.
    private func reloadFiles(_ resolver: AccountResolver, _ now: Int64) {
        guard resolver.isDirectory else { return }
        _ = resolver.reload(now: now)
        for account in self.state.withLockedValue({ $0.entries.values.map(\.account) }) {
            guard let jwt = try? resolver.fetch(account.name, now: now) else { continue }
            do throws(Failure) {
                try self.update(account, with: jwt)
            } catch {
                self.logger.error(
                    "DirResolver - Update for account \"\(account.name)\" resulted in error \(error.words)"
                )
            }
        }
    }

    /// Takes an account away; its clients are looked at again after every reload.
    private func remove(_ name: String) {
        // The server itself needs it.
        guard name != self.systemAccount else { return }
        self.state.withLockedValue { state in
            guard let entry = state.entries.removeValue(forKey: name) else { return }
            state.links.remove(name)
            for claim in entry.authority.claims.imports { state.importers[claim.account]?.remove(name) }
            entry.account.setStanding(AccountStanding())
            self.registry.remove(name)
        }
    }

    /// Warns of preloaded accounts that will not do (nats-server server.go checkResolvePreloads).
    func checkPreload(_ preload: [String: String]) {
        let now = WallClock.nanosecondsSince1970() / 1_000_000_000
        for (key, jwt) in preload.sorted(by: { $0.key < $1.key }) {
            guard let claims = try? JWT.decode(AccountClaims.self, from: jwt) else {
                self.serverLogger.error("Preloaded account [\(key)] not valid")
                continue
            }
            let report = claims.validate(ValidationContext(now: now))
            guard report.isBlocking(includingTimes: true) else { continue }
            self.serverLogger.warning("Account [\(key)] has validation issues:")
            for issue in report.issues { self.serverLogger.warning("  - \(issue)") }
        }
    }
}

extension ServerLoop {
    /// An account has changed.
    fileprivate func apply(_ change: AccountChange) {
        for connection in Array(self.connections.values) where connection.account === change.account {
            connection.accountChanged(change)
        }
        for leaf in Array(self.leafs.values) where leaf.account === change.account { leaf.accountChanged(change) }
    }
}
