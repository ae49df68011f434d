import NATSText
import NATSWire

/// What a directory resolver answers to requests of the system account: update, delete, look up, list and pack JWTs of
/// accounts (nats-server accounts.go DirAccResolver and CacheDirAccResolver).
///
/// Decides and keeps; the caller moves the messages, and applies what has changed to live accounts. Every call may
/// block on the disk for a moment. Times are nanoseconds since 1970.
package struct ClaimsService: Sendable {
    package enum Kind: Sendable {
        /// All accounts are here.
        case full
        /// Only those that are in use.
        case cache
    }

    /// An answer, and what comes of the request.
    package struct Answer: Sendable, Equatable {
        /// The account's public key, as far as it is known.
        package var account: String
        /// What was done, or what failed.
        package var message: String
        /// Why it failed.
        package var error: String?
        /// Accounts with a new JWT.
        package var changed: [String] = []
        /// Accounts that are gone.
        package var deleted: [String] = []

        package init(
            account: String,
            message: String,
            error: String? = nil,
            changed: [String] = [],
            deleted: [String] = []
        ) {
            self.account = account
            self.message = message
            self.error = error
            self.changed = changed
            self.deleted = deleted
        }

        /// The line for the log; details only unless something failed.
        package var logLine: String {
            [self.message, self.account, self.error ?? ""].filter { !$0.isEmpty }.joined(separator: " - ")
        }

        /// The name and value, as JSON, of the member that answers besides `server`: `data` or `error`.
        package var member: (name: String, json: [UInt8]) {
            var writer = ClaimWriter()
            writer.writeUnlessEmpty("account", self.account)
            guard let error else {
                writer.write("code", 200)
                writer.writeUnlessEmpty("message", self.message)
                return ("data", writer.object.compact)
            }
            writer.write("code", 500)
            writer.write("description", "\(self.message) - \(error)")
            return ("error", writer.object.compact)
        }
    }

    /// What is answered to the question for an account's JWT.
    package enum Lookup: Sendable, Equatable {
        case found(String)
        /// An empty message tells others that it is not here.
        case missing
        /// No answer, but a line in the log.
        case failed(String)
    }

    private enum Failure: Error {
        case because(String)
    }

    /// The JWTs.
    package var directory: JWTDirectory
    private let kind: Kind
    private let allowsDeletion: Bool
    /// The operator's own key, if accounts must not be signed with it.
    private let refusedIssuer: String?
    /// Keys that may ask for accounts to be deleted.
    private let operatorKeys: Set<String>
    private let systemAccount: String

    /// - Parameters:
    ///   - directory: The JWTs.
    ///   - kind: Whether all accounts are here.
    ///   - allowsDeletion: Whether accounts may be deleted by request.
    ///   - operatorClaims: The claims of the first operator that the server trusts.
    ///   - systemAccount: Public key of the system account, which cannot be deleted.
    package init(
        directory: JWTDirectory,
        kind: Kind,
        allowsDeletion: Bool,
        operatorClaims: OperatorClaims,
        systemAccount: String
    ) {
        self.directory = directory
        self.kind = kind
        self.allowsDeletion = allowsDeletion
        self.refusedIssuer = operatorClaims.strictSigningKeyUsage ? operatorClaims.subject : nil
        self.operatorKeys = Set(operatorClaims.trustedKeys)
        self.systemAccount = systemAccount
    }

    // MARK: Update

    /// Answers `$SYS.REQ.CLAIMS.UPDATE` and, for one account, `$SYS.REQ.ACCOUNT.<key>.CLAIMS.UPDATE`.
    ///
    /// - Parameters:
    ///   - jwt: The payload.
    ///   - key: The account that the subject names.
    ///   - now: The time.
    ///   - isInUse: Whether an account is known to the server.
    /// - Returns: The answer.
    package mutating func update(
        _ jwt: String,
        of key: String? = nil,
        at now: Int64,
        isInUse: (String) -> Bool
    ) -> Answer {
        let isCache = self.kind == .cache
        let failed = isCache ? "jwt update cache resulted in error" : "jwt update resulted in error"
        let claims: AccountClaims
        do throws(JWTError) {
            claims = try JWT.decode(AccountClaims.self, from: jwt)
        } catch {
            return Answer(account: isCache ? key ?? "n/a" : "n/a", message: failed, error: error.description)
        }
        let report = claims.validate(ValidationContext(now: now.dividedDown(by: 1_000_000_000)))
        let invalid =
            report.isBlocking(includingTimes: false)
            ? Answer(
                account: claims.subject,
                message: isCache ? "jwt update cache validation failed" : "jwt validation failed",
                error: "validation errors: [\(report.errors.joined(separator: " "))]"
            ) : nil
        // A full resolver looks into the claims first when the subject names the account.
        if let invalid, !isCache, key != nil { return invalid }
        let account = key ?? claims.subject
        if account != claims.subject {
            return Answer(account: account, message: failed, error: "subject does not match jwt content")
        }
        if claims.issuer == self.refusedIssuer {
            return Answer(
                account: account,
                message: failed,
                error: "operator requires issuer to be a signing key"
            )
        }
        if isCache, !isInUse(account) { return Answer(account: account, message: "jwt update cache skipped") }
        if let invalid { return invalid }
        do throws(JWTDirectory.Failure) {
            let hasChanged = try self.directory.save(account, jwt, at: now)
            return Answer(
                account: account,
                message: isCache ? "jwt updated cache" : "jwt updated",
                changed: hasChanged ? [account] : []
            )
        } catch {
            return Answer(account: account, message: failed, error: error.description)
        }
    }

    // MARK: Deletion

    /// Answers `$SYS.REQ.CLAIMS.DELETE`, whose payload is a JWT that an operator has signed about itself.
    package mutating func delete(_ request: String) -> Answer {
        var requester = ""
        let accounts: [String]
        do throws(Failure) {
            accounts = try self.accountsToDelete(request, &requester)
        } catch {
            let words =
                switch error {
                case .because(let words): words
                }
            return Answer(account: "", message: "delete accounts request by \(requester) failed", error: words)
        }
        var answer = Answer(account: "", message: "")
        var errors: [String] = []
        for account in accounts {
            do throws(JWTDirectory.Failure) {
                if try self.directory.delete(account) { answer.deleted.append(account) }
            } catch {
                errors.append(error.description)
            }
        }
        answer.message = "deleted \(accounts.count - errors.count) accounts"
        guard !errors.isEmpty else { return answer }
        answer.message += ", failed for \(errors.count)"
        answer.error = errors.joined(separator: "\n")
        return answer
    }

    private func accountsToDelete(_ request: String, _ requester: inout String) throws(Failure) -> [String] {
        let claims: GenericClaims
        do throws(JWTError) {
            claims = try GenericClaims.decode(request)
        } catch {
            throw .because(error.description)
        }
        requester = claims.subject
        guard self.allowsDeletion else { throw .because("delete must be enabled in server config") }
        guard claims.registered.isSelfSigned else { throw .because("not self signed") }
        guard self.operatorKeys.contains(claims.issuer) else { throw .because("not trusted") }
        guard case .object(let members) = claims.content.value,
            case .array(let elements) = members.last(where: { $0.key == "accounts" })?.value
        else { throw .because("malformed request") }
        var accounts: [String] = []
        for element in elements {
            guard case .string(let key) = element, NKey.isPublicKey(key, of: .account) else {
                throw .because("malformed request")
            }
            guard key != self.systemAccount else { throw .because("not allowed to delete system account") }
            accounts.append(key)
        }
        return accounts
    }

    // MARK: Questions

    /// Answers `$SYS.REQ.ACCOUNT.<key>.CLAIMS.LOOKUP`, which only full resolvers do.
    package mutating func lookUp(_ key: String, at now: Int64) -> Lookup {
        do throws(JWTDirectory.Failure) {
            return .found(try self.directory.load(key, at: now))
        } catch {
            if error.isMissing { return .missing }
            return .failed("DirResolver - Error looking up account \(GoString.quoted(key)): \(error)")
        }
    }

    /// Answers `$SYS.REQ.CLAIMS.LIST`: the public keys of all accounts that are not expired; nothing is said if `nil`.
    package func list(at now: Int64) -> [String]? {
        try? self.directory.pack(-1, at: now).map { line in
            String(Substring(line.utf8.prefix { $0 != UInt8(ascii: "|") }))
        }
    }

    /// Answers `$SYS.REQ.CLAIMS.PACK`: one message per JWT, and an empty one at the end; only that if the other side
    /// has the same.
    package func pack(for theirHash: [UInt8], at now: Int64) -> [String] {
        if theirHash == self.directory.hash { return [""] }
        return ((try? self.directory.pack(-1, at: now)) ?? []) + [""]
    }
}
