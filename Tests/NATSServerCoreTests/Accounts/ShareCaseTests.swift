import NATSTestSupport
import Testing

/// What accounts share: scripts that have to run the same on the official server and ours.
@Suite("accounts that share")
struct ShareCaseTests {
    @Test("as on the official server", .timeLimit(.minutes(2)), arguments: streams + services + chains)
    func shares(item: TranscriptCase) async throws { try await item.compare() }

    @Test("limits and permissions as on the official server", .timeLimit(.minutes(2)), arguments: restricted)
    func restrictions(item: TranscriptCase) async throws { try await item.compare() }

    @Test("reloads as on the official server", .timeLimit(.minutes(2)), arguments: reloaded)
    func reloads(item: TranscriptCase) async throws { try await item.compare() }

    /// Accounts `A` to `D` with users `a` to `d`, and what is in them besides.
    private static func accounts(_ blocks: [String: String], more: String = "") -> String {
        let text = ["A", "B", "C", "D"].map { name in
            let user = name.lowercased()
            let users = blocks[name]?.contains("users:") == true ? "" : "users: [{user: \(user), password: \(user)}]\n"
            return "  \(name) {\n    \(users)\(blocks[name] ?? "")\n  }"
        }
        return "accounts {\n\(text.joined(separator: "\n"))\n}\n\(more)\n"
    }

    private static func imports(_ kind: String, _ account: String, _ subject: String, _ more: String = "") -> String {
        "{\(kind): {account: \(account), subject: \"\(subject)\"}\(more.isEmpty ? "" : ", \(more)")}"
    }

    // MARK: Streams

    private static let twoStreams = accounts([
        "A": "exports: [{stream: \"s.>\"}]",
        "B": """
        imports: [\(imports("stream", "A", "s.>")), \(imports("stream", "A", "s.a", "to: other")), \
        \(imports("stream", "A", "s.*.c", "to: \"o.$1\""))]
        """,
        "C": "imports: [\(imports("stream", "A", "s.>", "prefix: c"))], exports: [{stream: \"c.>\"}]",
        "D": "imports: [\(imports("stream", "C", "c.>"))]",
    ])

    static let streams: [TranscriptCase] = [
        TranscriptCase(
            name: "one stream under several names",
            configuration: twoStreams,
            script: ["b> SUB > 1", "b> SUB other 2", "a> PUB s.a 1|x", "b?", "a> PUB s.b.c r 1|y", "b?"]
        ),
        TranscriptCase(
            name: "a stream is not passed on by who imports it",
            configuration: twoStreams,
            script: ["d> SUB > 1", "c> SUB > 1", "a> PUB s.a 1|x", "c?", "d?", "c> PUB c.s.a 1|y", "c?", "d?"]
        ),
        TranscriptCase(
            name: "queue groups of an importer get one of each",
            configuration: twoStreams,
            script: [
                "b> SUB s.a q 1", "b2> SUB s.a q 1", "c> SUB c.s.a q 1", "a> PUB s.a 1|1", "a> PUB s.a 1|2",
                "a> PUB s.a 1|3", "a> PUB s.a 1|4", "b+b2+c%",
            ]
        ),
        TranscriptCase(
            name: "a queue group of the same name here and there is one group",
            configuration: accounts([
                "A": "exports: [{stream: \"s.>\"}]", "B": "imports: [\(imports("stream", "A", "s.>"))]",
            ]),
            script: [
                "a> SUB s.a q 1", "b> SUB s.a q 1", "b2> SUB s.a other 1", "a2> PUB s.a 1|1", "a2> PUB s.a 1|2",
                "a2> PUB s.a 1|3", "a2> PUB s.a 1|4", "a+b%", "b2?",
            ]
        ),
        TranscriptCase(
            name: "an importer's limit of messages counts what comes from the other account",
            configuration: twoStreams,
            script: [
                "b> SUB s.* 1", "b> UNSUB 1 2", "a> PUB s.x 1|1", "a> PUB s.x 1|2", "a> PUB s.x 1|3", "b?",
                "b> SUB s.* 2", "b> UNSUB 2 2", "b> PUB s.x 1|4", "a> PUB s.x 1|5", "b> PUB s.x 1|6", "b> PUB s.x 1|7",
                "b?",
            ]
        ),
        TranscriptCase(
            name: "what the importer publishes itself stays with it",
            configuration: twoStreams,
            script: ["a> SUB > 1", "c> SUB > 1", "b> SUB > 1", "b> PUB s.a 1|x", "b> PUB other 1|y", "b?", "a?", "c?"]
        ),
        TranscriptCase(
            name: "reply subjects pass as they are, and stand for nothing there",
            configuration: twoStreams,
            script: [
                "a> SUB inbox 1", "b> SUB s.a 1", "a> PUB s.a inbox 1|x", "b?", "b> PUB inbox 1|y", "a?",
            ]
        ),
        TranscriptCase(
            name: "no responders though another account imports what is asked",
            configuration: twoStreams,
            script: [
                "a> SUB r 1", "a> PUB s.a r 1|x", "a?", "b> SUB s.b 1", "a> PUB s.b r 1|x", "a?", "b?", "b> UNSUB 1",
                "a> PUB s.b r 1|x", "a?",
            ]
        ),
        TranscriptCase(
            name: "headers, and importers that understand none",
            configuration: twoStreams,
            script: [
                "b> SUB s.a 1", "b-> SUB s.a 1", "c-> SUB c.s.a 1", "a> HPUB s.a 20 22|NATS/1.0|Ab: cd||hi", "b?",
                "b-?",
                "c-?",
            ]
        ),
        TranscriptCase(
            name: "mappings of the exporter count, those of the importer do not",
            configuration: accounts([
                "A": "exports: [{stream: \"s.>\"}], mappings = { \"s.x\": \"s.y\", \"m\": \"s.m\" }",
                "B": "imports: [\(imports("stream", "A", "s.>"))], mappings = { \"s.y\": \"s.z\" }",
            ]),
            script: ["b> SUB > 1", "a> PUB s.x 1|x", "a> PUB m 1|m", "b?", "b> PUB s.y 1|y", "b?"]
        ),
        TranscriptCase(
            name: "token of the account in a public stream",
            configuration: accounts([
                "A": "exports: [{stream: \"s.*.>\", account_token_position: 2}]",
                "B": "imports: [\(imports("stream", "A", "s.B.>"))]",
                "C": "imports: [\(imports("stream", "A", "s.C.x"))]",
            ]),
            script: [
                "b> SUB > 1", "c> SUB > 1", "a> PUB s.B.x 1|b", "a> PUB s.C.x 1|c", "a> PUB s.D.x 1|d", "b?", "c?",
            ]
        ),
        TranscriptCase(
            name: "private streams for some",
            configuration: accounts([
                "A": "exports: [{stream: \"s.>\", accounts: [B, C]}, {stream: \"p\", accounts: [D]}]",
                "B": "imports: [\(imports("stream", "A", "s.>"))]", "C": "imports: [\(imports("stream", "A", "s.x"))]",
                "D": "imports: [\(imports("stream", "A", "p", "prefix: from.a"))]",
            ]),
            script: [
                "b+c+d> SUB > 1", "a> PUB s.x 1|x", "a> PUB s.y 1|y", "a> PUB p 1|p", "b?", "c?", "d?",
            ]
        ),
        TranscriptCase(
            name: "imports of $G do not exist, those of an account without credentials do",
            configuration: accounts(
                ["A": "exports: [{stream: \"s.>\"}]", "B": "imports: [\(imports("stream", "A", "s.>"))]"],
                more: "no_auth_user: b"
            ),
            script: ["0> SUB > 1", "a> PUB s.x 1|x", "0?", "b> PUB y 1|y", "0?"]
        ),
        TranscriptCase(
            name: "verbose clients, wildcards in published subjects, empty tokens",
            configuration: twoStreams,
            script: [
                "b> SUB s.> 1", "a> PUB s.* 1|x", "a> PUB s.> 1|y", "a> PUB s..x 1|z", "a> PUB s. 1|z", "a?", "b?",
            ]
        ),
        TranscriptCase(
            name: "three wildcards in another order, a rest behind them",
            configuration: accounts([
                "A": "exports: [{stream: \"s.*.*.*.>\"}, {stream: \"t.*.*\"}]",
                "B": """
                imports: [\(imports("stream", "A", "s.*.*.*.>", "to: \"x.$3.k.$1.$2.>\"")), \
                \(imports("stream", "A", "t.*.*", "to: \"{{wildcard(2)}}.t.{{wildcard(1)}}\""))]
                """,
            ]),
            script: [
                "b> SUB > 1", "b> SUB x.c.*.a.> 2", "b> SUB *.t.a 3", "b> SUB x.c.k.a.b.d.e 4",
                "a> PUB s.a.b.c.d.e 1|x",
                "a> PUB s.a.b.c 1|y", "a> PUB t.a.b 1|z", "a> PUB t.b.a 1|z", "b?",
            ]
        ),
    ]

    // MARK: Services

    private static let service = accounts([
        "A": """
        exports: [{service: "q.*"}, {service: one}, {service: many, response_type: stream}, \
        {service: parts, response_type: chunked}, {service: "w.*.*.*"}]
        """,
        "B": """
        imports: [\(imports("service", "A", "q.*")), \(imports("service", "A", "one")), \
        \(imports("service", "A", "many")), \(imports("service", "A", "parts")), \
        \(imports("service", "A", "q.x", "to: lit")), \(imports("service", "A", "w.*.*.*", "to: \"$3.w.$1.$2\""))]
        """,
        "C":
            "imports: [\(imports("service", "A", "one", "share: true")), \(imports("service", "A", "q.*", "to: \"ask.$1\""))]",
    ])

    static let services: [TranscriptCase] = [
        TranscriptCase(
            name: "the second answer of a singleton is lost",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB r 1", "b> PUB one r 1|x", "a?", "a> PUB @R 1|1", "a> PUB @R 1|2", "b?", "a?",
            ]
        ),
        TranscriptCase(
            name: "an empty answer of a singleton is one",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB r 1", "b> PUB one r 1|x", "a?", "a> PUB @R 0|", "a> PUB @R 1|2", "b?", "a?",
            ]
        ),
        TranscriptCase(
            name: "a stream of answers ends with an empty one",
            configuration: service,
            script: [
                "a> SUB many 1", "b> SUB r 1", "b> PUB many r 1|x", "a?", "a> PUB @R 1|1", "a> PUB @R 1|2",
                "a> HPUB @R 12 12|NATS/1.0||", "a> PUB @R 0|", "a> PUB @R 1|3", "b?", "a?",
            ]
        ),
        TranscriptCase(
            name: "a chunked answer ends with an empty one",
            configuration: service,
            script: [
                "a> SUB parts 1", "b> SUB r 1", "b> PUB parts r 1|x", "a?", "a> PUB @R 1|1", "a> PUB @R 1|2",
                "a> PUB @R 0|", "a> PUB @R 1|3", "b?", "a?",
            ]
        ),
        TranscriptCase(
            name: "a stream of answers ends when nobody takes them",
            configuration: service,
            script: [
                "a> SUB many 1", "b> SUB r 1", "b> PUB many r 1|x", "a?", "a> PUB @R 1|1", "b> UNSUB 1",
                "a> PUB @R 1|2",
                "b> SUB r 2", "a> PUB @R 1|3", "b?", "a?",
            ]
        ),
        TranscriptCase(
            name: "nobody waits any more: a later answer is lost even if somebody waits again",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB r 1", "b> PUB one r 1|x", "a?", "b> UNSUB 1", "b> SUB r 2", "a> PUB @R 1|y",
                "b?",
                "a?",
            ]
        ),
        TranscriptCase(
            name: "the same with wildcards",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB in.* 1", "b> PUB one in.x 1|x", "a?", "b> UNSUB 1", "b> SUB in.* 2",
                "a> PUB @R 1|y", "b?", "a?",
            ]
        ),
        TranscriptCase(
            name: "the same when the asker has left",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB in.* 1", "b> PUB one in.x 1|x", "a?", "b2> SUB in.* 7", "b#", "b3> PING",
                "a> PUB @R 1|y", "b2?", "a?",
            ]
        ),
        TranscriptCase(
            name: "somebody else in the account waits still",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB in.x 1", "b2> SUB in.> 7", "b> PUB one in.x 1|x", "a?", "b> UNSUB 1",
                "a> PUB @R 1|y", "b2?", "a?",
            ]
        ),
        TranscriptCase(
            name: "wildcards in another order and a literal name for one of them",
            configuration: service,
            script: [
                "a> SUB > 1", "b> SUB r 1", "b> PUB c.w.a.b r 1|x", "a?", "a> PUB @R 1|y", "b> PUB lit r 1|z", "a?",
                "a> PUB @R 1|y", "b> PUB q.y r 1|z", "a?", "b> PUB w.a.b.c r 1|n", "b?", "a?",
            ]
        ),
        TranscriptCase(
            name: "two importers with the same reply subject",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB r 1", "c> SUB r 1", "b> PUB one r 1|b", "a?", "c> PUB one r 1|c", "a?",
                "a> PUB @R 4|to c", "a> PUB @P 4|to b", "b?", "c?",
            ]
        ),
        TranscriptCase(
            name: "queue group of a service",
            configuration: service,
            script: [
                "a> SUB one q 1", "a2> SUB one q 1", "b> SUB r 1", "b> PUB one r 1|1", "b> PUB one r 1|2",
                "b> PUB one r 1|3",
                "a+a2%",
            ]
        ),
        TranscriptCase(
            name: "two queue groups and one without",
            configuration: service,
            script: [
                "a> SUB q.* q 1", "a2> SUB q.x p 1", "a3> SUB q.> 1", "b> SUB r 1", "b> PUB q.x r 1|1", "a?", "a2?",
                "a3?",
            ]
        ),
        TranscriptCase(
            name: "no responders when the last member has left",
            configuration: service,
            script: [
                "b> SUB r 1", "a> SUB one q 1", "b> PUB one r 1|1", "a?", "a> UNSUB 1", "b> PUB one r 1|2", "b?",
                "b> PUB lit r 1|3", "b?", "b> PUB c.w.a.b r 1|3", "b?", "b-> SUB r 1", "b-> PUB one r 1|4", "b-?", "b?",
            ]
        ),
        TranscriptCase(
            name: "somebody here and the service there both get a request",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB one 1", "b2> SUB one q 2", "b> SUB r 2", "b> PUB one r 1|x", "a?", "b?", "b2?",
                "a> UNSUB 1", "b> PUB one r 1|y", "b?", "b2?",
            ]
        ),
        TranscriptCase(
            name: "requests of one client who has no echo",
            configuration: service,
            script: ["a> SUB one 1", "b> SUB r 1", "b> PUB one r 1|x", "a?", "a> PUB @R 1|y", "b?"]
        ),
        TranscriptCase(
            name: "what a request tells of the client, if it is told",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB r 1", "c> SUB r 1", "b> PUB one r 1|x", "a?", "c> PUB one r 1|x", "a?",
                "c> HPUB one r 57 58|NATS/1.0|Nats-Request-Info: {}|nats-request-info: x||y", "a?",
                "b> HPUB one r 73 74|NATS/1.0|Nats-Request-Info: {\"acc\":\"A\"}|Nats-Request-Info: {}|A: b||y", "a?",
                "b> HPUB one 41 42|NATS/1.0|Nats-Request-Info-X: 1|A:b||y", "a?",
            ]
        ),
        TranscriptCase(
            name: "an answer's headers stay as they are",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB r 1", "b-> SUB r 1", "b> PUB one r 1|x", "a?",
                "a> HPUB @R 49 51|NATS/1.0|Nats-Request-Info: {\"acc\":\"forged\"}||ok", "b?", "b-?",
            ]
        ),
        TranscriptCase(
            name: "mappings of both accounts",
            configuration: accounts([
                "A": "exports: [{service: \"q.*\"}], mappings = { \"q.x\": \"q.mapped\", \"q.lost\": \"nobody\" }",
                "B": """
                imports: [\(imports("service", "A", "q.*"))], mappings = { ask: "q.x", "r.*": "got.$1", "q.z": "q.y" }
                """,
            ]),
            script: [
                "a> SUB q.* 1", "b> SUB r.1 1", "b> SUB got.* 2", "b> PUB ask r.1 1|x", "a?", "a> PUB @R 2|ok", "b?",
                "b> PUB q.lost r.1 1|x", "b?", "b> PUB q.z r.1 1|x", "a?", "a> PUB @R 2|ok", "b?",
            ]
        ),
        TranscriptCase(
            name: "a reply subject that is a service itself",
            configuration: service,
            script: [
                "a> SUB one 1", "a> SUB q.x 2", "b> PUB one one 1|x", "a?", "a> PUB @R 2|ok", "a?",
                "b> PUB one lit 1|x", "a?",
                "a> PUB @R r 2|ok", "a?", "b?",
            ]
        ),
        TranscriptCase(
            name: "an answer that comes too late",
            configuration: accounts([
                "A": "exports: [{service: one, response_threshold: \"50ms\", latency: lat}]",
                "B": "imports: [\(imports("service", "A", "one"))]",
            ]),
            script: [
                "a> SUB one 1", "a2> SUB lat 1", "b> SUB r 1", "b> PUB one r 1|x", "a?", "a2?504", "a> PUB @R 4|late",
                "b?",
                "a?",
            ]
        ),
        TranscriptCase(
            name: "token of the account in a public service",
            configuration: accounts([
                "A": "exports: [{service: \"q.*.*\", account_token_position: 2}]",
                "B": "imports: [\(imports("service", "A", "q.B.*")), \(imports("service", "A", "q.B.x", "to: short"))]",
                "C": "imports: [\(imports("service", "A", "q.C.x"))]",
            ]),
            script: [
                "a> SUB q.> 1", "b> PUB q.B.x 1|1", "b> PUB short 1|2", "b> PUB q.C.x 1|3", "c> PUB q.C.x 1|4",
                "c> PUB q.B.x 1|5", "a?",
            ]
        ),
        TranscriptCase(
            name: "a private service",
            configuration: accounts([
                "A": "exports: [{service: \"q.*\", accounts: [B]}, {service: \"q.x\", accounts: [C]}]",
                "B": "imports: [\(imports("service", "A", "q.y"))]",
                "C": "imports: [\(imports("service", "A", "q.x"))]",
            ]),
            script: [
                "a> SUB q.> 1", "b> PUB q.y 1|1", "c> PUB q.x 1|2", "b> PUB q.x 1|3", "c> PUB q.y 1|4",
                "d> PUB q.y 1|5", "a?",
            ]
        ),
        TranscriptCase(
            name: "requests come from a stream too",
            configuration: accounts([
                "A": "exports: [{stream: \"s.>\"}, {service: \"s.q\"}]",
                "B": "imports: [\(imports("service", "A", "s.q", "to: ask"))]",
                "C": "imports: [\(imports("stream", "A", "s.>"))]",
            ]),
            script: [
                "c> SUB > 1", "b> SUB r 1", "a> SUB r 2", "b> PUB ask r 1|x", "b?", "c?", "a> SUB s.q 1",
                "b> PUB ask r 1|x",
                "a?", "c?", "b?",
            ]
        ),
    ]

    // MARK: Chains

    private static let chain = accounts([
        "A": "exports: [{service: \"a.*\"}, {service: x, response_type: stream}]",
        "B": """
        exports: [{service: \"b.*\"}, {service: x, response_type: stream}]
        imports: [\(imports("service", "A", "a.*", "to: \"b.$1\"")), \(imports("service", "A", "x"))]
        """,
        "C": """
        exports: [{service: \"c.*\"}, {service: x, response_type: stream}]
        imports: [\(imports("service", "B", "b.*", "to: \"c.$1\", share: true")), \(imports("service", "B", "x"))]
        """,
        "D": "imports: [\(imports("service", "C", "c.*", "to: \"d.$1\"")), \(imports("service", "C", "x"))]",
    ])

    static let chains: [TranscriptCase] = [
        TranscriptCase(
            name: "through three accounts and back",
            configuration: chain,
            script: [
                "a> SUB a.* 1", "d> SUB r 1", "c> SUB r 1", "d> PUB d.x r 1|x", "a?", "a> PUB @R 2|ok", "d?", "c?",
                "c> PUB c.x r 1|x", "a?", "a> PUB @R 2|ok", "d?", "c?", "a> PUB @R 3|2nd", "d?", "c?", "a?",
            ]
        ),
        TranscriptCase(
            name: "whoever listens on the way gets it too",
            configuration: chain,
            script: [
                "a> SUB a.* 1", "b> SUB b.* 1", "c> SUB c.* 1", "d> SUB d.* 1", "d> SUB r 2", "d> PUB d.x r 1|x", "b?",
                "c?", "d?",
                "a?",
            ]
        ),
        TranscriptCase(
            name: "nobody listens at its end",
            configuration: chain,
            script: ["d> SUB r 1", "d> PUB d.x r 1|x", "d?", "b> SUB b.x 1", "d> PUB d.x r 1|y", "d?", "b?", "a> PING"]
        ),
        TranscriptCase(
            name: "many answers through three accounts",
            configuration: chain,
            script: [
                "a> SUB x 1", "d> SUB r 1", "d> PUB x r 1|x", "a?", "a> PUB @R 1|1", "a> PUB @R 1|2", "a> PUB @R 0|",
                "a> PUB @R 1|3", "d?", "a?",
            ]
        ),
        TranscriptCase(
            name: "an answer to an answer goes the way back",
            configuration: chain,
            script: [
                "a> SUB a.* 1", "a> SUB more 2", "d> SUB r 1", "d> PUB d.x r 1|x", "a?", "a> PUB @R more 2|ok", "d?",
                "d> PUB @R 4|more", "a?", "d?",
            ]
        ),
        TranscriptCase(
            name: "without reply subjects",
            configuration: chain,
            script: ["a> SUB a.* 1", "d> PUB d.x 1|x", "b> PUB b.y 1|y", "a?"]
        ),
        TranscriptCase(
            name: "with headers of its own",
            configuration: chain,
            script: [
                "a> SUB a.* 1", "d> HPUB d.x 59 61|NATS/1.0|Nats-Request-Info: {\"acc\":\"forged\"}|Key: val||hi", "a?",
            ]
        ),
    ]

    // MARK: Limits and permissions

    static let restricted: [TranscriptCase] = [
        TranscriptCase(
            name: "max_payload is that of who publishes",
            configuration: accounts([
                "A": "exports: [{stream: s}, {service: one}], limits: { max_payload: 5 }",
                "B": "imports: [\(imports("stream", "A", "s")), \(imports("service", "A", "one"))]",
            ]),
            script: [
                "a> SUB one 1", "b> SUB s 1", "b> PUB one 10|0123456789", "a?", "a> PUB s 5|01234", "b?",
            ]
        ),
        TranscriptCase(
            name: "max_subs does not count shadows",
            configuration: accounts([
                "A": "exports: [{stream: \"s.>\"}, {stream: \"t.>\"}]",
                "B": """
                imports: [\(imports("stream", "A", "s.>")), \(imports("stream", "A", "t.>"))]
                limits: { max_subs: 2 }
                """,
            ]),
            script: ["b> SUB > 1", "b> SUB s.a 2", "b> SUB t.a 3", "b?", "a> PUB s.a 1|s", "a> PUB t.a 1|t", "b?"]
        ),
        TranscriptCase(
            name: "who may not publish may not ask",
            configuration: accounts([
                "A": "exports: [{service: \"q.*\"}]",
                "B": """
                users: [{user: b, password: b, permissions: {publish: {deny: ["q.no"]}, subscribe: ["r"]}}]
                imports: [\(imports("service", "A", "q.*"))]
                """,
            ]),
            script: [
                "a> SUB q.* 1", "b> SUB r 1", "b> PUB q.no r 1|x", "b> PUB q.yes r 1|x", "b> SUB > 2", "b?", "a?",
                "a> PUB @R 2|ok", "b?",
            ]
        ),
        TranscriptCase(
            name: "allow_responses covers answers to other accounts",
            configuration: accounts([
                "A": """
                users: [{user: a, password: a, permissions: {subscribe: [one, many], publish: [nothing], \
                allow_responses: {max: 2, expires: "1m"}}}]
                exports: [{service: one}, {service: many, response_type: stream}]
                """,
                "B": "imports: [\(imports("service", "A", "one")), \(imports("service", "A", "many"))]",
            ]),
            script: [
                "a> SUB one 1", "a> SUB many 2", "b> SUB r 1", "b> PUB one r 1|x", "a?", "a> PUB @R 2|ok", "b?",
                "b> PUB many r 1|x", "a?", "a> PUB @R 1|1", "a> PUB @R 1|2", "a> PUB @R 1|3", "a> PUB r 1|4", "b?",
            ]
        ),
        TranscriptCase(
            name: "denied subscriptions count under the importer's names",
            configuration: accounts([
                "A": "exports: [{stream: \"s.>\"}]",
                "B": """
                users: [{user: b, password: b, permissions: {subscribe: {allow: ["p.>"], deny: ["p.s.secret", "p.s.x q"]}}}]
                imports: [\(imports("stream", "A", "s.>", "prefix: p"))]
                """,
            ]),
            script: [
                "b> SUB p.> 1", "b> SUB p.s.x q 2", "b> SUB s.> 3", "a> PUB s.secret 1|x", "a> PUB s.open 1|y", "b?",
            ]
        ),
        TranscriptCase(
            name: "reply subjects that are the server's own",
            configuration: service,
            script: [
                "a> SUB one 1", "b> SUB > 1", "b> PUB one _R_.abc.def 1|x", "b> PUB one $JS.ACK.x 1|x",
                "b> PUB one _GR_.x 1|x", "b> PUB _R_.abc.def 1|x", "b> PUB $SYS.x r 1|x", "b?", "a?",
            ]
        ),
    ]

    // MARK: Reloads

    private static func reloading(
        _ exports: String,
        _ imports: String,
        users: String = "{user: b, password: b}"
    ) -> String {
        """
        accounts {
          A { users: [{user: a, password: a}], exports: [\(exports)] }
          B { users: [\(users)], imports: [\(imports)] }
        }

        """
    }

    static let reloaded: [TranscriptCase] = [
        TranscriptCase(
            name: "a service comes and goes",
            configuration: reloading("{service: one}", ""),
            reloads: [reloading("{service: one}", imports("service", "A", "one")), reloading("{service: one}", "")],
            script: [
                "a> SUB one 1", "b> SUB r 1", "b> PUB one r 1|1", "b?", "reload 0", "b> PUB one r 1|2", "a?",
                "a> PUB @R 2|ok", "b?", "reload 1", "b> PUB one r 1|3", "b?", "a?",
            ]
        ),
        TranscriptCase(
            name: "a service changes its name here",
            configuration: reloading("{service: one}, {service: two}", imports("service", "A", "one", "to: x")),
            reloads: [reloading("{service: one}, {service: two}", imports("service", "A", "two", "to: x"))],
            script: [
                "a> SUB one 1", "a> SUB two 2", "b> SUB r 1", "b> PUB x r 1|1", "a?", "reload 0", "b> PUB x r 1|2",
                "a?",
                "a> PUB @R 2|ok", "b?",
            ]
        ),
        TranscriptCase(
            name: "a service has many answers from now on",
            configuration: reloading("{service: one}", imports("service", "A", "one")),
            reloads: [reloading("{service: one, response_type: stream}", imports("service", "A", "one"))],
            script: [
                "a> SUB one 1", "b> SUB r 1", "reload 0", "b> PUB one r 1|x", "a?", "a> PUB @R 1|1", "a> PUB @R 1|2",
                "b?",
            ]
        ),
        TranscriptCase(
            name: "a stream comes and goes for subscriptions that are there",
            configuration: reloading("{stream: \"s.>\"}", ""),
            reloads: [
                reloading("{stream: \"s.>\"}", imports("stream", "A", "s.>")),
                reloading("{stream: \"s.>\"}", imports("stream", "A", "s.>", "prefix: p")),
                reloading("{stream: \"s.>\"}", ""),
            ],
            script: [
                "b> SUB > 1", "b> SUB s.x q 2", "b> SUB p.s.x 3", "a> PUB s.x 1|0", "b?", "reload 0", "a> PUB s.x 1|1",
                "b?",
                "reload 1", "a> PUB s.x 1|2", "b?", "reload 2", "a> PUB s.x 1|3", "b?",
            ]
        ),
        TranscriptCase(
            name: "users come and go",
            configuration: reloading("", "", users: "{user: b, password: b}, {user: x, password: x}"),
            reloads: [reloading("", "", users: "{user: b, password: b}, {user: y, password: y}")],
            script: ["b> SUB foo 1", "x> SUB foo 1", "reload 0", "x~", "y> PUB foo 1|y", "b?"]
        ),
        TranscriptCase(
            name: "an exporter that leaves takes its clients with it",
            configuration: reloading("{stream: s}", imports("stream", "A", "s")),
            reloads: [
                "accounts { B { users: [{user: b, password: b}] } }\n",
                reloading("{stream: s}", imports("stream", "A", "s")),
            ],
            script: [
                "b> SUB s 1", "a> PUB s 1|1", "b?", "reload 0", "a~", "b> PUB s 1|2", "b?", "reload 1", "a2> PUB s 1|3",
                "b?",
            ]
        ),
        TranscriptCase(
            name: "other limits",
            configuration:
                "accounts { A { users: [{user: a, password: a}], limits: { max_subs: 2, max_payload: 4 } } }\n",
            reloads: [
                "accounts { A { users: [{user: a, password: a}], limits: { max_subs: 3, max_payload: 8 } } }\n"
            ],
            script: [
                "a> SUB x 1", "a> SUB y 2", "a> SUB z 3", "a?", "reload 0", "a2> SUB x 1", "a2> SUB y 2", "a2> SUB z 3",
                "a2> PUB x 6|012345", "a2?",
            ]
        ),
        TranscriptCase(
            name: "mappings of an account",
            configuration: "accounts { A { users: [{user: a, password: a}], mappings = { foo: bar } } }\n",
            reloads: ["accounts { A { users: [{user: a, password: a}], mappings = { bar: baz } } }\n"],
            script: [
                "a> SUB > 1", "a> PUB foo 1|1", "a> PUB bar 1|2", "a?", "reload 0", "a> PUB foo 1|3", "a> PUB bar 1|4",
                "a?",
            ]
        ),
    ]
}
