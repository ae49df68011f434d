import Testing

@testable import NATSClient

@Suite struct ServerErrorTextTests {
    @Test(
        "every text of the server has its code and its treatment",
        arguments: [
            ("'Authorization Violation'", NATSError.Code.authorization, ServerErrorText.Treatment.authentication),
            ("'User Authentication Expired'", .authExpired, .authentication),
            ("'User Authentication Revoked'", .authRevoked, .authentication),
            ("'Account Authentication Expired'", .accountAuthExpired, .authentication),
            ("'Authentication Timeout'", .authenticationTimeout, .reconnect),
            ("'Permissions Violation for Publish to \"x\"'", .permissionViolation, .permission),
            ("'maximum connections exceeded'", .maximumConnectionsExceeded, .reconnectLater),
            (
                "'maximum account active connections exceeded'", .maximumAccountConnectionsExceeded,
                .reconnectLater
            ),
            (
                "'Connection throttling is active. Please try again later.'", .maximumConnectionsExceeded,
                .reconnectLater
            ),
            ("'maximum subscriptions exceeded'", .maximumSubscriptionsExceeded, .subscriptionLimit),
            ("'Stale Connection'", .staleConnection, .reconnect),
            ("'Maximum Payload Violation'", .maximumPayloadExceeded, .reconnect),
            ("'maximum control line exceeded'", .protocolViolation, .reconnect),
            ("'Unknown Protocol Operation'", .protocolViolation, .reconnect),
            ("'Invalid Subject'", .badSubject, .report),
            ("'Invalid Publish Subject'", .badSubject, .report),
            ("'Secure Connection - TLS Required'", .secureConnectionRequired, .fatalForServer),
            ("'Failed Account Registration'", .authorization, .fatalForServer),
            ("'invalid client protocol'", .server, .fatalForServer),
            ("'no responders requires headers support'", .server, .fatalForServer),
            ("'Something New'", .server, .report), ("", .server, .report), ("'", .server, .report),
        ]
    )
    func table(raw: String, code: NATSError.Code, treatment: ServerErrorText.Treatment) {
        let text = ServerErrorText(raw)
        #expect(text.code == code)
        #expect(text.treatment == treatment)
    }

    @Test("subject, queue group and sid of a violation are found")
    func permissions() {
        func permission(_ text: String) -> NATSError.Permission? {
            ServerErrorText(text).permission
        }
        #expect(
            permission(#"'Permissions Violation for Publish to "a.b"'"#)
                == .init(operation: .publish, subject: "a.b", queueGroup: nil, sid: nil)
        )
        #expect(
            permission(#"'Permissions Violation for Publish with Reply of "r"'"#)
                == .init(operation: .publish, subject: "r", queueGroup: nil, sid: nil)
        )
        #expect(
            permission(#"'Permissions Violation for Subscription to "y"'"#)
                == .init(operation: .subscribe, subject: "y", queueGroup: nil, sid: nil)
        )
        #expect(
            permission(#"'Permissions Violation for Subscription to "foo.9" using queue "q"'"#)
                == .init(operation: .subscribe, subject: "foo.9", queueGroup: "q", sid: nil)
        )
        #expect(
            permission(#"'Permissions Violation for Subscription to "foo" using queue "q" (sid "2")'"#)
                == .init(operation: .subscribe, subject: "foo", queueGroup: "q", sid: 2)
        )
        #expect(
            permission(#"'Permissions Violation for Subscription to "a.b.c", too many tokens'"#)
                == .init(operation: .subscribe, subject: "a.b.c", queueGroup: nil, sid: nil)
        )
        #expect(permission("'Permissions Violation'") == nil)
        #expect(permission("'Stale Connection \"x\"'") == nil)
    }

    @Test("of an endless text only the start is kept")
    func endless() {
        let text = ServerErrorText("'Authorization Violation" + String(repeating: "x", count: 1 << 20))
        #expect(text.code == .authorization)
        #expect(text.text.count == 512 && text.error.message.utf8.count < 1024)
    }
}
