import NIOConcurrencyHelpers
import Logging
import NATSAuth
import NATSText
import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension Server {
    /// The lines of the log about operators (nats-server server.go Start).
    func announceOperators() {
        guard let operators = self.shared.operators, !operators.operators.isEmpty else { return }
        let logger = self.shared.logger
        logger.info("Trusted Operators")
        for claims in operators.operators {
            logger.info("  System  : \(GoString.quoted(Array(claims.registered.audience.utf8)))")
            logger.info("  Operator: \(GoString.quoted(Array(claims.name.utf8)))")
            logger.info("  Issued  : \(Self.localTime(claims.registered.issuedAt))")
            let expires = claims.registered.expires
            logger.info("  Expires : \(expires == 0 ? "Never" : Self.localTime(expires))")
        }
        if operators.systemAccount == nil { logger.warning("Trusted Operators should utilize a System Account") }
        operators.checkPreload(operators.settings.preload)
    }

    /// As Go prints a time: `2026-11-21 14:03:21 +0000 UTC`.
    private static func localTime(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        guard localtime_r(&time, &parts) != nil else { return "\(seconds)" }
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S %z %Z", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Opens what accounts come from, and finds the system account; ``start()`` does it if nobody has.
    ///
    /// Apart from ``start()`` because what is wrong then is nothing for the log (nats-server server.go NewServer).
    ///
    /// - Throws: ``ServerStartError`` if the server cannot start with it.
    package func openOperators() async throws(ServerStartError) {
        guard let operators = self.shared.operators, operators.resolver == nil else { return }
        guard let problem = await operators.open() else { return }
        operators.end()
        throw ServerStartError(description: problem)
    }

    /// Lets the log say where accounts come from; when everything else runs.
    func startResolver() {
        guard let operators = self.shared.operators else { return }
        if let line = operators.resolver?.startLine { self.shared.logger.info("\(line)") }
        operators.attach(self.loops)
    }
}

extension OperatorMode {
    /// Opens the resolver and finds the system account.
    ///
    /// - Returns: what the server cannot start with, `nil` if it can.
    func open() async -> String? {
        await self.worker.perform { self.openNow() } ?? "server was stopped"
    }

    private func openNow() -> String? {
        defer { self.started() }
        let options = self.settings
        if let problem = options.firstProblem() { return problem }
        guard let wanted = options.resolver else { return nil }
        let now = WallClock.nanosecondsSince1970()
        do throws(AccountResolver.Failure) {
            let resolver = try AccountResolver(
                wanted,
                tls: options.resolverTLS,
                operatorClaims: self.operators.first,
                systemAccount: self.systemAccount ?? "",
                now: now
            )
            resolver.store(options.preload, now: now)
            self.use(resolver)
            try resolver.check()
        } catch {
            return error.description
        }
        guard let name = self.systemAccount else { return nil }
        if case .found = self.findSystemAccount(name) { return nil }
        guard self.operators.count == 1, self.resolver?.isMemory == false, let issuer = self.operators.first?.issuer
        else { return "Can't set system account: account missing" }
        // nats-server server.go NewServer: until it can be found, so that its users can bring it.
        var claims = AccountClaims(subject: name)
        claims.registered.issuer = issuer
        self.take(Found(jwt: "", claims: claims))
        return nil
    }

    /// Without the warning about an account that is not there yet.
    private func findSystemAccount(_ name: String) -> LookUp {
        guard (try? self.resolver?.fetch(name, now: WallClock.nanosecondsSince1970())) != nil else {
            return .failed("account missing")
        }
        return self.lookUp(name)
    }

    /// From now on connections hear of changes, and time passes.
    func attach(_ loops: ServerLoops) {
        let waitsForSystemAccount = self.state.withLockedValue { state -> Bool in
            guard !state.isEnded else { return false }
            state.loops = loops
            self.scheduleSweep(&state)
            return self.systemAccount.map { state.entries[$0]?.authority.jwt.isEmpty ?? false } ?? false
        }
        guard waitsForSystemAccount else { return }
        self.logger.info("Using bootstrapping system account")
        self.lookForSystemAccount(loops)
    }

    /// Asks once a second for a system account that was not there.
    private func lookForSystemAccount(_ loops: ServerLoops) {
        loops.schedule(in: .seconds(1)) { [weak self] in
            guard let self, let name = self.systemAccount, let account = self.registry[name] else { return }
            self.worker.run {
                guard account.standing.authority?.jwt.isEmpty ?? true else { return true }
                let now = WallClock.nanosecondsSince1970()
                guard let jwt = try? self.resolver?.fetch(name, now: now), (try? self.update(account, with: jwt)) != nil
                else { return false }
                self.logger.info("System account fetched and updated")
                return true
            } completion: { [weak self] isFound in
                if !isFound { self?.lookForSystemAccount(loops) }
            }
        }
    }
}
