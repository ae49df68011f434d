import NATSTestSupport

extension Transcript {
    /// Conversations observed on the official server with one connection; the numbers are those of the reference's table.
    static let table: [Transcript] =
        Self.operations + Self.unknownOperations + Self.silentCloses + Self.subjects + Self.connects + Self.headers
        + Self.authorization + Self.limits

    // MARK: Rows 1, 3, 5, 6, 22, 23, 30, 31

    private static let operations: [Transcript] = [
        Transcript(
            "row 1: a telnet session",
            .init(),
            .client("sub foo.* 90\r\n"),
            .server("+OK\r\n"),
            .client("pub foo.bar 5\r\nhello\r\n"),
            .server("+OK\r\nMSG foo.bar 90 5\r\nhello\r\n"),
            .client("unsub 90\r\n"),
            .server("+OK\r\n"),
            .client("ping\r\n"),
            .server("PONG\r\n")
        ),
        Transcript(
            "row 3: control lines may end in LF, payloads must not",
            .init(),
            .client("SUB a 1\n"),
            .server("+OK\r\n"),
            .client("PUB a 2\nhi\r\n"),
            .server("+OK\r\nMSG a 1 2\r\nhi\r\n"),
            .client("PUB a 2\r\nhi\n"),
            .client("P"),
            .server(unknownOperation),
            .end
        ),
        Transcript(
            "row 5: a payload longer than announced",
            send: "PUB foo 2\r\nhello\r\n",
            expectThenEnd: unknownOperation
        ),
        Transcript(
            "row 6: a payload shorter than announced",
            .init(),
            .client("PUB foo 5\r\nhi\r\n"),
            .client("PING\r\n"),
            .server(unknownOperation),
            .end
        ),
        Transcript(
            "row 22: UNSUB with max counts from SUB",
            .init(),
            .client("SUB foo 1\r\nUNSUB 1 2\r\n"),
            .server("+OK\r\n+OK\r\n"),
            .client("PUB foo 1\r\na\r\n"),
            .server("+OK\r\nMSG foo 1 1\r\na\r\n"),
            .client("PUB foo 1\r\na\r\n"),
            .server("+OK\r\nMSG foo 1 1\r\na\r\n"),
            .client("PUB foo 1\r\na\r\n"),
            .server("+OK\r\n")
        ),
        Transcript(
            "UNSUB with max that has been reached removes at once",
            .init(),
            .client("SUB foo 1\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\n"),
            .server("+OK\r\n+OK\r\nMSG foo 1 1\r\na\r\n+OK\r\nMSG foo 1 1\r\nb\r\n"),
            .client("UNSUB 1 2\r\nPUB foo 1\r\nc\r\n"),
            .server("+OK\r\n+OK\r\n")
        ),
        Transcript(
            "UNSUB with max counts what was delivered before it",
            .init(),
            .client("SUB foo 1\r\nPUB foo 1\r\na\r\nUNSUB 1 3\r\n"),
            .server("+OK\r\n+OK\r\nMSG foo 1 1\r\na\r\n+OK\r\n"),
            .client("PUB foo 1\r\nb\r\nPUB foo 1\r\nc\r\nPUB foo 1\r\nd\r\n"),
            .server("+OK\r\nMSG foo 1 1\r\nb\r\n+OK\r\nMSG foo 1 1\r\nc\r\n+OK\r\n")
        ),
        Transcript(
            "a later UNSUB replaces the max",
            send: quiet + "SUB foo 1\r\nUNSUB 1 5\r\nUNSUB 1 1\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\n",
            expect: "MSG foo 1 1\r\na\r\n"
        ),
        Transcript(
            "UNSUB with max 0 removes at once",
            send: quiet + "SUB foo 1\r\nUNSUB 1 0\r\nPUB foo 1\r\na\r\n",
            expect: ""
        ),
        Transcript(
            "UNSUB with a max that is no number removes at once",
            send: quiet + "SUB foo 1\r\nUNSUB 1 abc\r\nPUB foo 1\r\na\r\n",
            expect: ""
        ),
        Transcript("UNSUB of an unknown sid is accepted", send: "UNSUB 17\r\nUNSUB 18 5\r\n", expect: "+OK\r\n+OK\r\n"),
        Transcript(
            "after the last message of a max the sid is free again",
            send: quiet + "SUB foo 1\r\nUNSUB 1 1\r\nPUB foo 1\r\na\r\nSUB bar 1\r\nPUB bar 1\r\nb\r\n",
            expect: "MSG foo 1 1\r\na\r\nMSG bar 1 1\r\nb\r\n"
        ),
        Transcript(
            "row 23: a second SUB with the same sid is ignored",
            send:
                "CONNECT {\"verbose\":false}\r\nSUB foo 1\r\nSUB bar 1\r\nPUB foo 1\r\na\r\nPUB bar 1\r\nb\r\nPING\r\n",
            expect: "MSG foo 1 1\r\na\r\nPONG\r\n"
        ),
        Transcript(
            "a second SUB with the same sid is acknowledged",
            send: "SUB foo 1\r\nSUB bar 1\r\n",
            expect: "+OK\r\n+OK\r\n"
        ),
        Transcript(
            "row 30: +OK from a client is ignored",
            send: "+OK\r\n+ok whatever\r\nPING\r\n",
            expect: "PONG\r\n"
        ),
        Transcript("row 30: INFO from a client is ignored", send: "INFO {}\r\nPING\r\n", expect: "PONG\r\n"),
        Transcript("PONG from a client is ignored", send: "PONG\r\nPONG x\r\nPING\r\n", expect: "PONG\r\n"),
        Transcript("row 31: PING with a tail", send: "PINGxyz\r\n", expect: "PONG\r\n"),
        Transcript("PING with arguments", send: "PING extra\r\n", expect: "PONG\r\n"),
        Transcript(
            "operations in any case",
            send: "pInG\r\nsUb a 1\r\nPub a 0\r\n\r\n",
            expect: "PONG\r\n+OK\r\n+OK\r\nMSG a 1 0\r\n\r\n"
        ),
        Transcript(
            "blanks and tabs separate fields, also at the end",
            send: "SUB  foo\t 1 \r\nPUB\tfoo\t\trep\t2\r\nhi\r\nPUB foo 2 \t \r\nhi\r\nUNSUB \t 1\t\r\n",
            expect: "+OK\r\n+OK\r\nMSG foo 1 rep 2\r\nhi\r\n+OK\r\nMSG foo 1 2\r\nhi\r\n+OK\r\n"
        ),
        Transcript(
            "sizes are forwarded as they came",
            send: quiet + "SUB a 1\r\nPUB a 0002\r\nhi\r\n",
            expect: "MSG a 1 0002\r\nhi\r\n"
        ),
        Transcript(
            "a sid is any word",
            send: quiet + "SUB foo abc.*\r\nPUB foo 0\r\n\r\n",
            expect: "MSG foo abc.* 0\r\n\r\n"
        ),
        Transcript(
            "many operations at once are answered in order",
            send: "SUB a 1\r\nPING\r\nPUB a 1\r\nx\r\nPING\r\nUNSUB 1\r\nPING\r\n",
            expect: "+OK\r\nPONG\r\n+OK\r\nMSG a 1 1\r\nx\r\nPONG\r\n+OK\r\nPONG\r\n"
        ),
    ]

    // MARK: Row 2

    private static let unknownOperations: [Transcript] =
        [
            "\r\n", "\n", "  PING\r\n", "\tPING\r\n", "FOO\r\n", "HELP\r\n", "MSG foo 1 2\r\nhi\r\n",
            "HMSG foo 1 2 2\r\n",
            "RS+ $G foo\r\n", "LS+ foo\r\n", "A+ foo\r\n", "SUB\r\n", "PUB\r\n", "HPUB\r\n", "UNSUB\r\n",
            "SUBfoo 1\r\n",
            "PANG\r\n", "{\"a\":1}\r\n", "GET / HTTP/1.1\r\n", "\u{0}\u{1}\u{2}\r\n", "+NO\r\n", "-OK\r\n",
            "CONNECX {}\r\n",
            "PIN\r\n", "PUN\r\n", "\r", "é",
        ].map { line in
            Transcript("row 2: \(describe(Array(line.utf8)))", send: line, expectThenEnd: unknownOperation)
        } + [
            Transcript(
                "operations before an unknown one have taken effect, what follows has not",
                send: "SUB a 1\r\nPUB a 1\r\nx\r\nPING\r\nBAD\r\nPING\r\nPUB a 1\r\ny\r\n",
                expectThenEnd: "+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\nPONG\r\n" + unknownOperation
            )
        ]

    // MARK: Rows 7, 12, 18 and 30

    private static let silentCloses: [Transcript] =
        [
            "PUB foo\r\n", "PUB foo -1\r\n", "PUB foo +2\r\n", "PUB foo abc\r\n", "PUB a b c 2\r\n",
            "PUB foo 1234567890\r\n",
            "PUB foo 2x\r\n", "PUB \r\n", "PUB  \r\n", "SUB foo\r\n", "SUB foo a b c\r\n", "SUB \r\n",
            "UNSUB 1 2 3\r\n",
            "UNSUB \r\n", "CONNECT {bad\r\n", "CONNECT\r\n", "CONNECT []\r\n", "CONNECT \"x\"\r\n", "CONNECT {} {}\r\n",
            "CONNECT {\"verbose\":1}\r\n", "CONNECT {\"user\":1}\r\n", "CONNECT {\"protocol\":\"1\"}\r\n",
            "CONNECT {\"protocol\":1.5}\r\n", "HPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n", "-ERR 'boo'\r\n",
            "INFO notjson\r\n",
        ].map { line in
            Transcript(
                "rows 7, 12, 18, 30: silent end after \(describe(Array(line.utf8)))",
                send: line,
                expectThenEnd: ""
            )
        }
        + [
            "HPUB foo 12\r\n", "HPUB foo 12 a\r\n", "HPUB foo a 12\r\n", "HPUB foo 13 12\r\n", "HPUB a b c 12 12\r\n",
            "HPUB foo -1 12\r\n", "HPUB \r\n",
        ].map { line in
            Transcript(
                "silent end after \(describe(Array(line.utf8))) with headers",
                send: modern + line,
                expectThenEnd: ""
            )
        } + [
            Transcript(
                "output before a silent end is delivered",
                send: "SUB a 1\r\nPUB a 1\r\nx\r\nSUB a\r\nPING\r\n",
                expectThenEnd: "+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\n"
            )
        ]

    // MARK: Rows 8 to 11 and 28

    private static let subjects: [Transcript] =
        [
            "foo..bar", "foo.*", ">", "foo.", ".foo", "*", "foo.>", "foo.*.bar",
        ].map { subject in
            Transcript(
                "row 8: pedantic publish to \(subject)",
                send: "PUB \(subject) 2\r\nhi\r\n",
                expect: "-ERR 'Invalid Publish Subject'\r\n+OK\r\n"
            ).sentInOnePacketEach()
        } + [
            Transcript(
                "row 9: a pedantic publish to a wildcard is routed all the same",
                send: "CONNECT {\"verbose\":false,\"pedantic\":true}\r\nSUB > 1\r\nPUB foo.* 2\r\nhi\r\n",
                expect: "-ERR 'Invalid Publish Subject'\r\nMSG foo.* 1 2\r\nhi\r\n"
            ).sentInOnePacketEach(),
            Transcript(
                "a pedantic publish is checked before its payload",
                send: "PUB a..b 3\r\n12345\r\n",
                expectThenEnd: "-ERR 'Invalid Publish Subject'\r\n" + unknownOperation
            ).sentInOnePacketEach(),
            Transcript(
                "row 10: publish subjects are not checked unless pedantic",
                .init(),
                .client(quiet + "SUB > 1\r\nPUB foo..bar 2\r\nhi\r\n"),
                .client("PUB foo.* 2\r\nhi\r\n"),
                .server("MSG foo.* 1 2\r\nhi\r\n")
            ),
            Transcript(
                "a wildcard in a publish subject is text",
                send: quiet + "SUB foo.bar 1\r\nSUB foo.* 2\r\nPUB foo.* 1\r\na\r\nPUB foo.> 1\r\nb\r\n",
                expect: "MSG foo.* 2 1\r\na\r\nMSG foo.> 2 1\r\nb\r\n"
            ),
        ]
        + ["foo..bar", ".foo", "foo.", ">.foo", "foo.>.bar", "."].map { subject in
            Transcript(
                "row 11: SUB \(subject)",
                send: "SUB \(subject) 1\r\n",
                expect: "-ERR 'Invalid Subject'\r\n"
            )
        } + [
            Transcript(
                "an invalid subject is refused without verbose and pedantic too, and nothing is registered",
                send: quiet + "SUB foo..bar 1\r\nSUB bar 1\r\nPUB bar 1\r\na\r\n",
                expect: "-ERR 'Invalid Subject'\r\nMSG bar 1 1\r\na\r\n"
            ),
            Transcript(
                "row 11: a wildcard character inside a token is text",
                send: quiet
                    + "SUB foo.b*r 6\r\nSUB foo.b> 7\r\nPUB foo.bar 1\r\na\r\nPUB foo.b*r 1\r\nb\r\nPUB foo.b> 1\r\nc\r\n",
                expect: "MSG foo.b*r 6 1\r\nb\r\nMSG foo.b> 7 1\r\nc\r\n"
            ),
            Transcript("row 11: SUB foo.b*r", send: "SUB foo.b*r 6\r\n", expect: "+OK\r\n"),
            Transcript(
                "subjects are case-sensitive and may hold any byte but blanks",
                send: quiet + "SUB Foo 1\r\nSUB f\u{0}é\u{7f} 2\r\nPUB foo 1\r\na\r\nPUB f\u{0}é\u{7f} 1\r\nb\r\n",
                expect: "MSG f\u{0}é\u{7f} 2 1\r\nb\r\n"
            ),
            Transcript(
                "> needs at least one token",
                send: quiet + "SUB foo.> 1\r\nPUB foo 1\r\na\r\nPUB foo.b 1\r\nb\r\nPUB foo.b.c 1\r\nc\r\n",
                expect: "MSG foo.b 1 1\r\nb\r\nMSG foo.b.c 1 1\r\nc\r\n"
            ),
            Transcript(
                "row 28: publish to a reserved subject",
                send: "PUB _GR_.abc 1\r\na\r\n",
                expect: "-ERR 'Permissions Violation for Publish to \"_GR_.abc\"'\r\n"
            ),
            Transcript(
                "row 28: publish with a reserved reply subject",
                send: "PUB foo _R_.x 1\r\na\r\n",
                expect: "-ERR 'Permissions Violation for Publish with Reply of \"_R_.x\"'\r\n"
            ),
            Transcript(
                "subjects in errors are quoted as Go does it",
                send: quiet
                    + "PUB _GR_.\u{7}\u{8}\u{b}\u{c}\u{1}\u{7f}\"\\é\u{a0}\u{200b}\u{e000}😀\u{fffd}\u{e0001} 0\r\n\r\n",
                expect:
                    "-ERR 'Permissions Violation for Publish to \"_GR_.\\a\\b\\v\\f\\x01\\x7f\\\"\\\\é\\u00a0\\u200b\\ue000😀\u{fffd}"
                    + "\\U000e0001\"'\r\n"
            ),
            Transcript(
                "a line that is too long by one byte and has no end",
                .init(maxControlLine: 60),
                send: quiet + "SUB " + String(repeating: "a", count: 61),
                expectThenEnd: "-ERR 'maximum control line exceeded'\r\n"
            ),
            Transcript(
                "the other reserved subjects",
                send: quiet + "SUB foo 1\r\nPUB $NRG.x 1\r\na\r\nPUB foo $JS.ACK.x 1\r\na\r\nPUB foo _GR_.x 1\r\na\r\n"
                    + "SUB foo _sys_ 2\r\n",
                expect: "-ERR 'Permissions Violation for Publish to \"$NRG.x\"'\r\n"
                    + "-ERR 'Permissions Violation for Publish with Reply of \"$JS.ACK.x\"'\r\n"
                    + "-ERR 'Permissions Violation for Publish with Reply of \"_GR_.x\"'\r\n"
                    + "-ERR 'Permissions Violation for Subscription to \"foo\" using queue \"_sys_\"'\r\n"
            ),
            Transcript(
                "a CR inside the arguments of SUB separates",
                send: quiet + "SUB fo\ro 12\r\nPUB fo 1\r\na\r\n",
                expect: "MSG fo 12 1\r\na\r\n"
            ).sentInOnePacketEach(),
            Transcript(
                "replies and queue groups",
                send: quiet + "SUB foo q 1\r\nPUB foo the.reply 2\r\nhi\r\n",
                expect: "MSG foo 1 the.reply 2\r\nhi\r\n"
            ),
        ]

    // MARK: Rows 12 to 14 and 29

    private static let connects: [Transcript] = [
        Transcript("row 12: defaults are verbose", send: "CONNECT {}\r\n", expect: "+OK\r\n"),
        Transcript("CONNECT without a blank", send: "CONNECT{}\r\n", expect: "+OK\r\n"),
        Transcript("connect in lower case", send: "connect {}\r\n", expect: "+OK\r\n"),
        Transcript(
            "row 13: protocol 2",
            send: "CONNECT {\"protocol\":2}\r\n",
            expectThenEnd: "-ERR 'invalid client protocol'\r\n"
        ),
        Transcript(
            "protocol -1",
            send: "CONNECT {\"protocol\":-1}\r\n",
            expectThenEnd: "-ERR 'invalid client protocol'\r\n"
        ),
        Transcript(
            "row 14: no_responders without headers",
            send: "CONNECT {\"no_responders\":true,\"verbose\":false}\r\n",
            expectThenEnd: "-ERR 'no responders requires headers support'\r\n"
        ),
        Transcript("row 29: account", send: "CONNECT {\"account\":\"FOO\"}\r\n", expectThenEnd: authorizationViolation),
        Transcript("new_account", send: "CONNECT {\"new_account\":true}\r\n", expectThenEnd: authorizationViolation),
        Transcript(
            "keys in any case, unknown keys, null",
            send:
                "CONNECT {\"VERBOSE\":false,\"Pedantic\":false,\"later\":{\"a\":[1,2,{}]},\"name\":null}\r\nSUB foo..x 1\r\nPUB a..b 0\r\n\r\n",
            expect: "-ERR 'Invalid Subject'\r\n"
        ),
        Transcript("null leaves verbose on", send: "CONNECT {\"verbose\":null}\r\n", expect: "+OK\r\n"),
        Transcript(
            "the last of two equal keys counts",
            send: "CONNECT {\"verbose\":true,\"verbose\":false}\r\nSUB a 1\r\n",
            expect: ""
        ),
        Transcript("tls_required is only information", send: "CONNECT {\"tls_required\":true}\r\n", expect: "+OK\r\n"),
        Transcript(
            "escapes in strings",
            send: "CONNECT {\"name\":\"\\u00e9\\n\\ud83d\\ude00\",\"l\\u0061ng\":\"x\",\"verbose\":true}\r\n",
            expect: "+OK\r\n"
        ),
        Transcript(
            "credentials are ignored where none are configured",
            send:
                "CONNECT {\"user\":\"a\",\"pass\":\"b\",\"auth_token\":\"c\",\"jwt\":\"x\",\"nkey\":\"UA\",\"sig\":\"y\"}\r\n",
            expect: "+OK\r\n"
        ),
        Transcript(
            "echo off: own messages do not come back",
            send: "CONNECT {\"verbose\":false,\"echo\":false}\r\nSUB foo 1\r\nPUB foo 1\r\na\r\n",
            expect: ""
        ),
        Transcript(
            "the first CONNECT changes what earlier subscriptions get: echo",
            send: "SUB foo 1\r\nCONNECT {\"verbose\":false,\"echo\":false}\r\nPUB foo 1\r\na\r\n",
            expect: "+OK\r\n"
        ),
        Transcript(
            "the first CONNECT changes what earlier subscriptions get: headers",
            send: "SUB foo 1\r\nSUB bar q 2\r\nCONNECT {\"verbose\":false,\"headers\":true}\r\n"
                + "HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB bar 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
            expect: "+OK\r\n+OK\r\nHMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"
                + "HMSG bar 2 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"
        ),
        Transcript(
            "a second CONNECT changes the options and drops all subscriptions",
            .init(),
            .client("CONNECT {\"verbose\":true}\r\nSUB foo 1\r\nPUB foo 1\r\na\r\n"),
            .server("+OK\r\n+OK\r\n+OK\r\nMSG foo 1 1\r\na\r\n"),
            .client(quiet + "PUB foo 1\r\nb\r\nPUB a..b 0\r\n\r\n"),
            .client("SUB foo 1\r\nPUB foo 1\r\nc\r\n"),
            .server("MSG foo 1 1\r\nc\r\n")
        ),
        Transcript(
            "what a second CONNECT leaves out keeps its value",
            send: quiet + "CONNECT {}\r\nSUB a 1\r\nPUB a..b 0\r\n\r\n",
            expect: ""
        ),
    ]

    // MARK: Rows 16 to 18

    private static let headers: [Transcript] = [
        Transcript(
            "row 16: nobody answers",
            send: modern + "SUB _INBOX.x.* 2\r\nPUB none.bar _INBOX.x.1 2\r\nhi\r\n",
            expect: "HMSG _INBOX.x.1 2 40 40\r\nNATS/1.0 503\r\nNats-Subject: none.bar\r\n\r\n\r\n"
        ),
        Transcript(
            "nobody answers a request with headers",
            send: modern + "SUB in 2\r\nHPUB none in 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
            expect: "HMSG in 2 36 36\r\nNATS/1.0 503\r\nNats-Subject: none\r\n\r\n\r\n"
        ),
        Transcript(
            "no 503 without a subscription on the reply subject",
            send: modern + "SUB other 2\r\nPUB none in 2\r\nhi\r\n",
            expect: ""
        ),
        Transcript(
            "no 503 to a queue subscription",
            send: modern + "SUB in q 2\r\nPUB none in 2\r\nhi\r\n",
            expect: ""
        ),
        Transcript(
            "no 503 without no_responders",
            send: "CONNECT {\"verbose\":false,\"headers\":true}\r\nSUB in 2\r\nPUB none in 2\r\nhi\r\n",
            expect: ""
        ),
        Transcript(
            "no 503 without a reply subject",
            send: modern + "SUB > 2\r\nUNSUB 2\r\nPUB none 2\r\nhi\r\n",
            expect: ""
        ),
        Transcript(
            "503 in verbose mode",
            send: "CONNECT {\"headers\":true,\"no_responders\":true}\r\nSUB in 2\r\nPUB none in 2\r\nhi\r\n",
            expect: "+OK\r\n+OK\r\n+OK\r\nHMSG in 2 36 36\r\nNATS/1.0 503\r\nNats-Subject: none\r\n\r\n\r\n"
        ),
        Transcript(
            "503 when the only responder is the requester without echo",
            send: "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true,\"echo\":false}\r\n"
                + "SUB in 2\r\nSUB ask 3\r\nPUB ask in 2\r\nhi\r\n",
            expect: "HMSG in 2 35 35\r\nNATS/1.0 503\r\nNats-Subject: ask\r\n\r\n\r\n"
        ),
        Transcript(
            "row 17: headers arrive as they were sent",
            send: modern + "SUB foo 1\r\nHPUB foo rep 22 27\r\nNATS/1.0\r\nBar: Baz\r\n\r\nhello\r\n",
            expect: "HMSG foo 1 rep 22 27\r\nNATS/1.0\r\nBar: Baz\r\n\r\nhello\r\n"
        ),
        Transcript(
            "the header block is not examined",
            send: modern + "SUB foo 1\r\nHPUB foo 5 7\r\nhellohi\r\nhpub foo 007 0007\r\nhellohi\r\n",
            expect: "HMSG foo 1 5 7\r\nhellohi\r\nHMSG foo 1 007 0007\r\nhellohi\r\n"
        ),
        Transcript(
            "an empty header block makes a plain message",
            send: modern + "SUB foo 1\r\nHPUB foo 0 2\r\nhi\r\n",
            expect: "MSG foo 1 2\r\nhi\r\n"
        ),
        Transcript(
            "PUB reaches a client with headers as MSG",
            send: modern + "SUB foo 1\r\nPUB foo 2\r\nhi\r\n",
            expect: "MSG foo 1 2\r\nhi\r\n"
        ),
        Transcript(
            "HPUB to a server without header support",
            .init(headers: false),
            send: "CONNECT {\"verbose\":false,\"headers\":true}\r\nHPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n",
            expectThenEnd: ""
        ),
        Transcript(
            "no_responders on a server without header support",
            .init(headers: false),
            send: "CONNECT {\"headers\":true,\"no_responders\":true}\r\n",
            expectThenEnd: "-ERR 'no responders requires headers support'\r\n"
        ),
    ]

    // MARK: Row 19 and §8

    private static let authorization: [Transcript] = {
        let token = ServerConfiguration(token: "tok", authTimeout: .seconds(60))
        let user = ServerConfiguration(user: "derek", password: "T0pS3cr3t", authTimeout: .seconds(60))
        return [
            Transcript("row 19: PING before CONNECT", token, send: "PING\r\n", expectThenEnd: authorizationViolation),
            Transcript(
                "row 19: a wrong token",
                token,
                send: "CONNECT {\"auth_token\":\"bad\"}\r\n",
                expectThenEnd: authorizationViolation
            ),
            Transcript(
                "row 19: the right token",
                token,
                send: "CONNECT {\"auth_token\":\"tok\"}\r\n",
                expect: "+OK\r\n"
            ),
            Transcript(
                "a token as user",
                token,
                send: "CONNECT {\"user\":\"tok\"}\r\n",
                expectThenEnd: authorizationViolation
            ),
            Transcript(
                "a token as password",
                token,
                send: "CONNECT {\"user\":\"\",\"pass\":\"tok\"}\r\n",
                expectThenEnd: authorizationViolation
            ),
            Transcript("no token", token, send: "CONNECT {}\r\n", expectThenEnd: authorizationViolation),
            Transcript(
                "the right user and password",
                user,
                send: "CONNECT {\"user\":\"derek\",\"pass\":\"T0pS3cr3t\"}\r\nSUB a 1\r\nPUB a 1\r\nx\r\n",
                expect: "+OK\r\n+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\n"
            ),
            Transcript(
                "right credentials, no verbose",
                user,
                send: "CONNECT {\"user\":\"derek\",\"pass\":\"T0pS3cr3t\",\"verbose\":false}\r\nPING\r\n",
                expect: "PONG\r\n"
            ),
            Transcript(
                "a wrong password",
                user,
                send: "CONNECT {\"user\":\"derek\",\"pass\":\"T0pS3cr3\"}\r\nPING\r\n",
                expectThenEnd: authorizationViolation
            ),
            Transcript(
                "a wrong user",
                user,
                send: "CONNECT {\"user\":\"Derek\",\"pass\":\"T0pS3cr3t\"}\r\n",
                expectThenEnd: authorizationViolation
            ),
            Transcript(
                "no password",
                user,
                send: "CONNECT {\"user\":\"derek\"}\r\n",
                expectThenEnd: authorizationViolation
            ),
            Transcript(
                "a password as token",
                user,
                send: "CONNECT {\"auth_token\":\"T0pS3cr3t\"}\r\n",
                expectThenEnd: authorizationViolation
            ),
            Transcript("SUB before CONNECT", user, send: "SUB a 1\r\n", expectThenEnd: authorizationViolation),
            Transcript(
                "an unknown operation before CONNECT",
                user,
                send: "FOO\r\n",
                expectThenEnd: authorizationViolation
            ),
            Transcript("a blank line before CONNECT", user, send: "\r\n", expectThenEnd: authorizationViolation),
            Transcript(
                "an unknown operation that begins like CONNECT",
                user,
                send: "COFFEE\r\n",
                expectThenEnd: unknownOperation
            ),
            Transcript("bad JSON before authorization", user, send: "CONNECT {\r\n", expectThenEnd: ""),
            Transcript(
                "a second CONNECT with wrong credentials",
                user,
                send:
                    "CONNECT {\"user\":\"derek\",\"pass\":\"T0pS3cr3t\"}\r\nCONNECT {\"user\":\"derek\",\"pass\":\"no\"}\r\n",
                expectThenEnd: "+OK\r\n" + authorizationViolation
            ),
            Transcript(
                "wrong credentials come before a wrong protocol",
                user,
                send: "CONNECT {\"user\":\"no\",\"protocol\":2}\r\n",
                expectThenEnd: authorizationViolation
            ),
        ]
    }()

    // MARK: Rows 4 and 24

    private static let limits: [Transcript] = {
        let tooLong = "-ERR 'maximum control line exceeded'\r\n"
        let tooLarge = "-ERR 'Maximum Payload Violation'\r\n"
        func word(_ count: Int) -> String { String(repeating: "a", count: count) }
        return [
            Transcript(
                "row 4: a payload above the limit is refused at its line",
                send: "PUB foo 1048577\r\n",
                expectThenEnd: tooLarge
            ),
            Transcript(
                "a payload of exactly the limit",
                .init(maxPayload: 100),
                send: quiet + "SUB a 1\r\nPUB a 100\r\n\(word(100))\r\n",
                expect: "MSG a 1 100\r\n\(word(100))\r\n"
            ),
            Transcript(
                "one byte above the limit",
                .init(maxPayload: 100),
                send: quiet + "PUB a 101\r\n",
                expectThenEnd: tooLarge
            ),
            Transcript(
                "headers count as payload",
                .init(maxPayload: 100),
                send: modern + "HPUB a 12 101\r\n",
                expectThenEnd: tooLarge
            ),
            Transcript("the largest size there is", send: quiet + "PUB a 999999999\r\n", expectThenEnd: tooLarge),
            Transcript("row 24: a line of 5000 bytes", send: "SUB \(word(5000)) 1\r\n", expectThenEnd: tooLong),
            Transcript("row 24: no end of line within the limit", send: "SUB \(word(5000))", expectThenEnd: tooLong),
            Transcript(
                "CONNECT longer than a line may be",
                send: "CONNECT {\"name\":\"\(word(5000))\"}\r\n",
                expectThenEnd: tooLong
            ),
            Transcript(
                "arguments of exactly the limit",
                send: quiet + "SUB \(word(4094)) 1\r\nPUB \(word(4092)) 1\r\nx\r\n",
                expect: ""
            ),
            Transcript(
                "arguments one byte above the limit",
                send: quiet + "SUB \(word(4095)) 1\r\n",
                expectThenEnd: tooLong
            ),
            Transcript(
                "a small limit",
                .init(maxControlLine: 60),
                send: quiet + "SUB \(word(58)) 1\r\nSUB \(word(59)) 1\r\n",
                expectThenEnd: tooLong
            ),
            Transcript(
                "PUB above the limit",
                .init(maxControlLine: 60),
                send: quiet + "PUB \(word(59)) 1\r\nx\r\n",
                expectThenEnd: tooLong
            ),
            Transcript(
                "UNSUB above the limit",
                .init(maxControlLine: 60),
                send: quiet + "UNSUB \(word(61))\r\n",
                expectThenEnd: tooLong
            ),
            Transcript(
                "HPUB above the limit",
                .init(maxControlLine: 90),
                send: modern + "HPUB \(word(90)) 1 1\r\nx\r\n",
                expectThenEnd: tooLong
            ),
            Transcript(
                "the line limit does not hold for payloads",
                .init(maxControlLine: 60),
                send: quiet + "SUB a 1\r\nPUB a 300\r\n\(word(300))\r\n",
                expect: "MSG a 1 300\r\n\(word(300))\r\n"
            ),
        ]
    }()
}
