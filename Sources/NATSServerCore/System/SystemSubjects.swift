/// The subjects of the system account (nats-server events.go).
enum SystemSubjects {
    // MARK: Requests

    /// The figures of every server.
    static let ping = "$SYS.REQ.SERVER.PING"
    /// How many subscribers a subject has.
    static let subscribers = "$SYS.DEBUG.SUBSCRIBERS"
    /// What a client is and may do, in its own account.
    static let ownUserInfo = "$SYS.REQ.USER.INFO"
    static let subscriptionCount = "$SYS.REQ.ACCOUNT.NSUBS"

    static func userInfo(of account: String) -> String { "$SYS.REQ.USER.\(account).INFO" }
    /// A page of a server: its id, or `PING` for all.
    static func server(_ server: String, _ page: String) -> String { "$SYS.REQ.SERVER.\(server).\(page)" }
    static func account(_ account: String, _ page: String) -> String { "$SYS.REQ.ACCOUNT.\(account).\(page)" }

    /// What is asked about the JWTs of all accounts.
    static func claims(_ request: String) -> String { "$SYS.REQ.CLAIMS.\(request)" }

    // MARK: Events

    static func connect(_ account: String) -> String { "$SYS.ACCOUNT.\(account).CONNECT" }
    static func disconnect(_ account: String) -> String { "$SYS.ACCOUNT.\(account).DISCONNECT" }
    static func serverConnections(_ account: String) -> String { "$SYS.ACCOUNT.\(account).SERVER.CONNS" }
    static func oldServerConnections(_ account: String) -> String { "$SYS.SERVER.ACCOUNT.\(account).CONNS" }
    /// What a server tells: `STATSZ`, `SHUTDOWN`, `LAMEDUCK`.
    static func event(of server: String, _ name: String) -> String { "$SYS.SERVER.\(server).\(name)" }
    static func authenticationError(_ server: String) -> String { "$SYS.SERVER.\(server).CLIENT.AUTH.ERR" }
    /// In the account of the client.
    static let accountAuthenticationError = "$SYS.ACCOUNT.CLIENT.AUTH.ERR"

    // MARK: Between servers

    static func connectionsAnswer(_ server: String) -> String { "$SYS._INBOX_.\(server)" }
    static func inboxes(_ hash: String) -> String { "$SYS._INBOX.\(hash).*" }
    static func latency(_ hash: String) -> String { "$SYS.LATENCY.M2.\(hash)" }
    static func leafNodeConnect(_ account: String) -> String { "$SYS.ACCOUNT.\(account).LEAFNODE.CONNECT" }
    static func oldClaimsUpdate(_ account: String) -> String { "$SYS.ACCOUNT.\(account).CLAIMS.UPDATE" }
}
