import NIOConcurrencyHelpers
import Logging
import NATSAuth
import NATSText
import NIOCore

/// Finding accounts; everything here may wait, and runs on the threads of the worker.
extension OperatorMode {
    /// Claims that were found, with their JWT.
    struct Found {
        let jwt: String
        let claims: AccountClaims
        /// Those of ``AccountClaims/imports``, each with its signature looked at: not under the lock under which they are
        /// taken over.
        let tokens: [ActivationToken]

        init(jwt: String, claims: AccountClaims) {
            self.jwt = jwt
            self.claims = claims
            self.tokens = claims.imports.map { ActivationToken($0, into: claims.subject) }
        }
    }

    struct Failure: Error {
        let words: String
    }

    /// An account that has expired, or is not known yet (nats-server server.go lookupOrFetchAccount).
    ///
    /// - Parameter name: Its public key.
    /// - Returns: the account, or why there is none.
    func lookUp(_ name: String) -> LookUp {
        do throws(Failure) {
            if let known = self.registry[name], known.standing.authority != nil {
                guard known.standing.isExpired else { return .found(known) }
                self.logger.debug("Requested account [\(name)] has expired")
                do throws(Failure) {
                    try self.update(known)
                } catch {
                    return .failed("account expired")
                }
                return .found(known)
            }
            guard self.resolver != nil else { return .failed("account missing") }
            let found = try self.fetchClaims(name)
            self.take(found)
            guard let account = self.registry[name] else { return .failed("account missing") }
            return .found(account)
        } catch {
            return .failed(error.words)
        }
    }

    /// Asks for new claims of an account that is known (nats-server server.go updateAccount).
    private func update(_ account: Account) throws(Failure) {
        let isTooSoon = self.state.withLockedValue { state in
            guard let entry = state.entries[account.name], !entry.isIncomplete else { return false }
            return NIODeadline.now() - entry.updated < .seconds(1)
        }
        if isTooSoon {
            self.logger.debug("Requested account update for [\(account.name)] ignored, too soon")
            throw Failure(words: "account resolver update too soon")
        }
        try self.update(account, with: try self.fetch(account.name))
    }

    /// Takes over a JWT of an account that is known, if it is another one (nats-server server.go
    /// updateAccountWithClaimJWT).
    func update(_ account: Account, with jwt: String) throws(Failure) {
        let standing = account.standing
        if let authority = standing.authority, authority.jwt == jwt, !jwt.isEmpty, !standing.isIncomplete {
            self.logger.debug("Requested account update for [\(account.name)], same claims detected")
            return
        }
        let claims = try self.verify(jwt)
        guard claims.subject == account.name else { throw Failure(words: "account validation failed") }
        self.take(Found(jwt: jwt, claims: claims))
    }

    /// The JWT that the resolver has (nats-server server.go fetchRawAccountClaims).
    private func fetch(_ name: String) throws(Failure) -> String {
        guard let resolver = self.resolver else { throw Failure(words: "account resolver missing") }
        let start = NIODeadline.now()
        func logTime() {
            let time = NIODeadline.now() - start
            let text = GoDuration.text(.nanoseconds(time.nanoseconds))
            self.logger.log(level: time > .seconds(1) ? .warning : .debug, "Account [\(name)] fetch took \(text)")
        }
        do throws(AccountResolver.Failure) {
            let jwt = try resolver.fetch(name, now: WallClock.nanosecondsSince1970())
            logTime()
            return jwt
        } catch {
            logTime()
            self.logger.warning("Account fetch failed: \(error)")
            throw Failure(words: error.description)
        }
    }

    /// The claims that the resolver has about an account, if they count (nats-server server.go fetchAccountClaims).
    private func fetchClaims(_ name: String) throws(Failure) -> Found {
        let jwt = try self.fetch(name)
        let claims = try self.verify(jwt)
        guard claims.subject == name else { throw Failure(words: "account validation failed") }
        return Found(jwt: jwt, claims: claims)
    }

    /// nats-server server.go verifyAccountClaims.
    private func verify(_ jwt: String) throws(Failure) -> AccountClaims {
        let claims: AccountClaims
        do throws(JWTError) {
            claims = try JWT.decode(AccountClaims.self, from: jwt)
        } catch {
            throw Failure(words: error.description)
        }
        let now = WallClock.nanosecondsSince1970() / 1_000_000_000
        guard self.trusts(claims.issuer),
            !claims.validate(ValidationContext(now: now)).isBlocking(includingTimes: true)
        else { throw Failure(words: "account validation failed") }
        return claims
    }

    /// Takes over claims, together with all accounts that they import from and that are not known yet.
    func take(_ found: Found) {
        let (all, failures) = self.gather(found)
        self.install(all, failures: failures)
    }

    /// Claims and those of the accounts behind them, exporters before importers; and why some are not there.
    private func gather(_ root: Found) -> (found: [Found], failures: [String: String]) {
        var found: [String: Found] = [root.claims.subject: root]
        var failures: [String: String] = [:]
        var order: [String] = []
        // With how many of its imports each has looked at.
        var path: [(name: String, next: Int)] = [(root.claims.subject, 0)]
        while let (name, next) = path.last {
            let imports = found[name]?.claims.imports ?? []
            guard next < imports.count else {
                order.append(name)
                path.removeLast()
                continue
            }
            path[path.count - 1].next += 1
            let other = imports[next].account
            guard found[other] == nil, failures[other] == nil else { continue }
            if let standing = self.registry[other]?.standing, standing.authority != nil {
                // nats-server server.go lookupOrFetchAccount: one that has expired counts as missing.
                if standing.isExpired { failures[other] = "account expired" }
                continue
            }
            do throws(Failure) {
                found[other] = try self.fetchClaims(other)
                path.append((other, 0))
            } catch {
                failures[other] = error.words
            }
        }
        return (order.compactMap { found[$0] }, failures)
    }

    /// Looks for an account on another thread, unless nobody waits for it by then or the server ends.
    func lookUp(_ name: String, _ lookUp: AccountLookUp) {
        self.worker.run(
            { lookUp.isWanted ? self.lookUp(name) : nil },
            completion: { outcome in
                if let outcome { lookUp.complete(outcome) }
            }
        )
    }
}
