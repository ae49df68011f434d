import Logging
import NATSAuth
internal import NATSServerConfig
import NATSText
internal import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// A server whose accounts and users are JWTs: finds accounts when they are needed, decides about users, and keeps what
/// depends on claims up to date.
///
/// Accounts are looked for by threads of ``worker``; what they find is taken over under one lock, which is never held
/// while anything is waited for. Event loops only read what accounts say of themselves (``Account/standing``).
final class OperatorMode: Sendable {
    /// What a look for an account has led to.
    enum LookUp: Sendable {
        case found(Account)
        /// Why there is none, for the log.
        case failed(String)
    }

    /// What is known of one account.
    struct Entry {
        var account: Account
        var authority: AccountAuthority
        var options: AccountOptions
        /// What of the claims is imported, next to ``AccountOptions/imports``.
        var imports: [(claim: ImportClaim, token: ActivationToken)] = []
        /// Those of the imports that the claims name, in their order.
        var tokens: [ActivationToken] = []
        var isIncomplete = false
        /// When its JWT expires.
        var expiry: NIODeadline?
        /// When the first of its activation tokens does.
        var activationExpiry: NIODeadline?
        var isExpired = false
        /// When its claims were last taken over, on the clock that ``NIODeadline`` has.
        var updated: NIODeadline
    }

    struct State {
        var links: AccountLinks
        var entries: [String: Entry] = [:]
        /// Accounts that import from an account, by its key.
        var importers: [String: Set<String>] = [:]
        /// When ``sweep()`` comes next.
        var nextSweep: NIODeadline?
        /// Set when the server has loops.
        var loops: ServerLoops?
        var isEnded = false
    }

    let operators: [OperatorClaims]
    let operatorJWTs: [String]
    let registry: AccountRegistry
    let permissions: PermissionPool
    /// Where the server logs.
    let serverLogger: Logger
    let worker: BlockingWorker
    let systemAccount: String?
    let state: NIOLockedValueBox<State>
    /// Apart from the rest: event loops read it, and must not wait until claims have been taken over.
    private let currentSettings: NIOLockedValueBox<OperatorModeOptions>
    private let trustedIssuers: Set<String>
    private let strictIssuers: Set<String>
    private let isStarting = Atomic<Bool>(true)
    private let openedResolver = NIOLockedValueBox<AccountResolver?>(nil)
    private let pinningRefusals = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - options: Which operators are trusted.
    ///   - registry: Where accounts come to be.
    ///   - hash: The key of hash tables.
    ///   - hasSystemAccount: Whether latencies can be measured.
    ///   - logger: Where the server logs.
    init(
        _ options: OperatorModeOptions,
        registry: AccountRegistry,
        hash: SubjectHash,
        hasSystemAccount: Bool,
        logger: Logger
    ) {
        let operators = options.operatorClaims
        self.operators = operators
        self.operatorJWTs = options.operators
        self.registry = registry
        self.permissions = PermissionPool(hash: hash)
        self.serverLogger = logger
        self.systemAccount = options.systemAccount
        self.trustedIssuers = options.trustedIssuers
        self.strictIssuers = options.strictIssuers
        let isRemote = if case .url = options.resolver { true } else { false }
        // Somewhere else one slow answer must not hold up all others.
        self.worker = BlockingWorker(threads: isRemote ? 4 : 1)
        self.currentSettings = NIOLockedValueBox(options)
        self.state = NIOLockedValueBox(
            State(links: AccountLinks([], hasSystemAccount: hasSystemAccount))
        )
    }

    /// Where the server logs; nowhere before it is open, as the official server has no log then.
    var logger: Logger {
        self.isStarting.load(ordering: .relaxed)
            ? Logger(label: "none", factory: { _ in SwiftLogNoOpLogHandler() }) : self.serverLogger
    }

    /// The resolver is open, and the system account is there.
    func started() { self.isStarting.store(false, ordering: .relaxed) }

    /// Where accounts come from; `nil` before the start.
    var resolver: AccountResolver? { self.openedResolver.withLockedValue { $0 } }

    func use(_ resolver: AccountResolver) { self.openedResolver.withLockedValue { $0 = resolver } }

    /// The server ends.
    func end() {
        self.state.withLockedValue { state in
            state.isEnded = true
            state.loops = nil
            state.entries = [:]
        }
        self.worker.end()
        self.resolver?.end()
    }

    var settings: OperatorModeOptions { self.currentSettings.withLockedValue { $0 } }

    func use(_ settings: OperatorModeOptions) { self.currentSettings.withLockedValue { $0 = settings } }

    /// Users that were refused because their account is not pinned.
    var pinningRefusalCount: UInt64 { self.pinningRefusals.load(ordering: .relaxed) }

    func trusts(_ issuer: String) -> Bool { self.trustedIssuers.contains(issuer) }

    func isStrict(_ issuer: String) -> Bool { self.strictIssuers.contains(issuer) }

    // MARK: Users

    /// Who wants to come in.
    struct Candidate {
        var host: String
        var type: ConnectionType
        var nonce: String
    }

    /// Why somebody who was let in may not stay after a reload; `nil` if it may.
    ///
    /// Changed claims and times that are over are not waited for a reload.
    func objection(toUsersOf account: Account) -> Authenticator.Refusal? {
        let settings = self.settings
        if let pinned = settings.pinnedAccounts, !pinned.contains(account.name), account.name != settings.systemAccount
        {
            return Authenticator.Refusal(reason: "Account \(account.name) not listed as operator pinned account")
        }
        guard self.registry[account.name] === account, !account.standing.isExpired else {
            return Authenticator.Refusal(reason: "Account JWT lookup error: account missing")
        }
        return nil
    }

    /// Decides about a CONNECT (the operator mode's part of nats-server auth.go processClientOrLeafAuthentication).
    ///
    /// - Parameters:
    ///   - connect: What the client says; gets the sentinel's JWT if it has none.
    ///   - candidate: What the server knows of it.
    ///   - lookedUp: What a look for the account has led to, if it was needed.
    /// - Returns: the decision; ``Authenticator/Decision/lookUp(_:)`` at most without `lookedUp`.
    func decide(
        _ connect: inout ConnectPayload,
        _ candidate: Candidate,
        lookedUp: LookUp?
    ) -> Authenticator.Decision {
        func refuse(_ reason: String) -> Authenticator.Decision { .refuse(Authenticator.Refusal(reason: reason)) }
        let settings = self.settings
        var user = try? JWT.decode(UserClaims.self, from: connect.jwt)
        if user == nil, let sentinel = settings.defaultSentinel, !sentinel.isEmpty {
            connect.jwt = sentinel
            user = try? JWT.decode(UserClaims.self, from: sentinel)
        }
        guard let user else { return refuse("Authentication requires a user JWT") }
        guard !user.limits.proxyRequired else { return .refuse(.proxyRequired) }
        let moment = WallClock.nanosecondsSince1970()
        let report = user.validate(ValidationContext(now: moment / 1_000_000_000))
        if report.isBlocking(includingTimes: true) {
            let words = report.issues.map(\.description).joined(separator: " ")
            return refuse("User JWT no longer valid: &{Issues:[\(words)]}")
        }
        let name = user.account
        if let pinned = settings.pinnedAccounts, !pinned.contains(name), name != settings.systemAccount {
            self.pinningRefusals.add(1, ordering: .relaxed)
            return refuse("Account \(name) not listed as operator pinned account")
        }
        let account: Account
        switch lookedUp {
        case .found(let found): account = found
        case .failed(let words): return refuse("Account JWT lookup error: \(words)")
        case nil:
            guard let known = self.registry[name], known.standing.authority != nil, !known.standing.isExpired else {
                return .lookUp(name)
            }
            account = known
        }
        guard let authority = account.standing.authority, self.trusts(authority.claims.issuer) else {
            return refuse("Account JWT not signed by trusted operator")
        }
        let decision = self.decide(user, of: account, authority, connect, candidate, moment)
        guard authority.claims.authorization.isEnabled else { return decision }
        return self.consider(authority.claims, user, decision)
    }

    /// What the server itself thinks of a user of an account.
    private func decide(
        _ user: UserClaims,
        of account: Account,
        _ authority: AccountAuthority,
        _ connect: ConnectPayload,
        _ candidate: Candidate,
        _ moment: Int64
    ) -> Authenticator.Decision {
        let admission = UserAdmission(user: user, account: authority.claims, isStrict: authority.isStrict)
        do throws(UserAdmission.Refusal) {
            // One that is gone has not run out by what it says.
            guard !account.standing.isExpired else { throw .accountExpired }
            let admitted = try admission.decide(
                UserAdmission.Client(
                    host: candidate.host,
                    connectionType: candidate.type,
                    signature: connect.signature,
                    nonce: Array(candidate.nonce.utf8)
                ),
                at: moment
            )
            return .accept(
                Authenticator.Grant(
                    permissions: self.permissions.permissions(admitted.permissions, in: authority.claims),
                    account: account,
                    user: JWTUser(user, admitted)
                )
            )
        } catch {
            return .refuse(Authenticator.Refusal(reason: error.description, isError: error.isLoggedAsError))
        }
    }

    /// An account's users are for a service to decide about, but for its own (nats-server auth.go
    /// processClientOrLeafAuthentication).
    private func consider(
        _ claims: AccountClaims,
        _ user: UserClaims,
        _ decision: Authenticator.Decision
    ) -> Authenticator.Decision {
        let own: Result<Authenticator.Grant, Authenticator.Refusal>
        switch decision {
        case .accept(let grant): own = .success(grant)
        case .refuse(let refusal): own = .failure(refusal)
        case .verify, .callOut, .lookUp: return decision
        }
        let service = claims.authorization
        let isAdmitted = if case .success = own { true } else { false }
        let rules = CalloutRules(account: claims.subject, service, isAdmitted: isAdmitted)
        // The JWT counts, not what CONNECT gives as the user.
        guard service.users.contains(user.subject) else { return .callOut(rules, own) }
        guard case .failure(var refusal) = own else { return decision }
        refusal.callout = rules
        return .refuse(refusal)
    }
}

extension PermissionPool {
    /// What a user of an account may do: those among whom a service decides may not ask in the server's place.
    func permissions(_ own: ClaimPermissions?, in account: AccountClaims) -> ClientPermissions? {
        guard account.authorization.isEnabled else { return self.permissions(own) }
        let rules = CalloutRules(account: account.subject, account.authorization, isAdmitted: true)
        return self.permissions(rules.permissions(own, in: account.subject))
    }
}
