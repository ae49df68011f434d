/// What the text of a server's `-ERR` means for the client; the one table of it.
///
/// nats.go processErr: quotes are stripped, upper and lower case are equal, the start of the text decides.
struct ServerErrorText: Equatable {
    enum Treatment: Equatable {
        /// The credentials were refused; twice the same from one server ends the client.
        case authentication
        /// The server closes the connection; connect again.
        case reconnect
        /// As ``reconnect``, but there is no room: wait as long as possible.
        case reconnectLater
        /// Another attempt on this server is useless.
        case fatalForServer
        /// Concerns one operation; the connection stays.
        case report
        /// As ``report``; a subscription or publish was forbidden.
        case permission
        /// As ``report``; the newest subscription was refused.
        case subscriptionLimit
    }

    let text: String
    let code: NATSError.Code
    let treatment: Treatment

    private static let table: [(prefix: String, code: NATSError.Code, treatment: Treatment)] = [
        ("authorization violation", .authorization, .authentication),
        ("user authentication expired", .authExpired, .authentication),
        ("user authentication revoked", .authRevoked, .authentication),
        ("account authentication expired", .accountAuthExpired, .authentication),
        ("authentication timeout", .authenticationTimeout, .reconnect),
        ("permissions violation", .permissionViolation, .permission),
        ("maximum connections exceeded", .maximumConnectionsExceeded, .reconnectLater),
        ("maximum account active connections exceeded", .maximumAccountConnectionsExceeded, .reconnectLater),
        ("connection throttling is active", .maximumConnectionsExceeded, .reconnectLater),
        ("maximum subscriptions exceeded", .maximumSubscriptionsExceeded, .subscriptionLimit),
        ("stale connection", .staleConnection, .reconnect),
        ("maximum payload violation", .maximumPayloadExceeded, .reconnect),
        ("maximum control line exceeded", .protocolViolation, .reconnect),
        ("unknown protocol operation", .protocolViolation, .reconnect),
        ("invalid subject", .badSubject, .report),
        ("invalid publish subject", .badSubject, .report),
        ("secure connection - tls required", .secureConnectionRequired, .fatalForServer),
        ("failed account registration", .authorization, .fatalForServer),
        ("invalid client protocol", .server, .fatalForServer),
        ("no responders requires headers support", .server, .fatalForServer),
    ]

    /// A server's longest text names a subject and a queue group; beyond this many characters nothing is kept.
    private static let maximumLength = 512

    init(_ raw: String) {
        var text = raw[...]
        while let first = text.first, first == "'" || first == " " || first == "\t" {
            text = text.dropFirst()
        }
        while let last = text.last, last == "'" || last == " " || last == "\t" {
            text = text.dropLast()
        }
        let lowercased = text.prefix(Self.maximumLength).lowercased()
        let row = Self.table.first { lowercased.hasPrefix($0.prefix) }
        self.text = String(text.prefix(Self.maximumLength))
        self.code = row?.code ?? .server
        self.treatment = row?.treatment ?? .report
    }

    /// Subject, queue group and sid of a permission violation.
    ///
    /// `Permissions Violation for Publish to "s"`, `… for Publish with Reply of "r"`,
    /// `… for Subscription to "s"[ using queue "q"][ (sid "n")]`, `…, too many tokens`.
    var permission: NATSError.Permission? {
        guard self.treatment == .permission else {
            return nil
        }
        let quoted = self.text.split(separator: "\"", omittingEmptySubsequences: false)
        guard quoted.count >= 2 else {
            return nil
        }
        func value(after words: String) -> String? {
            for index in quoted.indices.dropLast() where quoted[index].lowercased().hasSuffix(words) {
                return String(quoted[index + 1])
            }
            return nil
        }
        let isPublish = self.text.lowercased().hasPrefix("permissions violation for publish")
        return NATSError.Permission(
            operation: isPublish ? .publish : .subscribe,
            subject: String(quoted[1]),
            queueGroup: value(after: "using queue "),
            sid: value(after: "(sid ").flatMap(UInt64.init)
        )
    }

    var error: NATSError {
        NATSError(self.code, "the server says: \(self.text)", permission: self.permission)
    }
}
