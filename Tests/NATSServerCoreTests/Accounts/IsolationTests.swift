import NATSTestSupport
import Testing

/// An account can neither read nor guess nor disturb what others do: a plain user of `B` tries, `A` works.
///
/// `A` and `C` share a service and a stream, `B` shares nothing with anybody.
@Suite("isolation of accounts")
struct IsolationTests {
    private static let configuration = """
        http: "127.0.0.1:-1"
        accounts {
          A {
            users: [{user: a, password: a}]
            exports: [{service: "svc.*", latency: "lat.a"}, {stream: "news.>"}, {stream: "private.>", accounts: [C]}]
            mappings = { "in.*": "secret.$1", "split": "half.1" }
          }
          B { users: [{user: b, password: b}], mappings = { "own.*": "secret.$1", "to.sys": "$SYS.REQ.SERVER.PING" } }
          C {
            users: [{user: c, password: c}]
            imports: [{service: {account: A, subject: "svc.*"}}, {stream: {account: A, subject: "news.>"}}]
          }
        }

        """

    /// What `A` and `C` do meanwhile; the reply subject of the request is the last one.
    private static let work = [
        "a> SUB > 1", "c> SUB r.> 1", "c> SUB news.> 2", "a> PUB in.x 6|secret", "a> PUB news.n _INBOX.aaa 4|news",
        "a> PUB private.p 1|p", "a> PUB split 1|s", "c> PUB svc.x r.1 3|ask", "c> PUB inside 1|c",
    ]

    private static func attempt(_ name: String, _ lines: [String]) -> TranscriptCase {
        TranscriptCase(name: name, configuration: configuration, script: lines)
    }

    static let attempts: [TranscriptCase] = [
        attempt(
            "wildcards, inboxes, reply subjects and mapped subjects",
            [
                "b> SUB > 1", "b> SUB *.* 2", "b> SUB secret.* 3", "b> SUB _INBOX.> 4", "b> SUB r.> 5",
                "b> SUB _R_.> 6",
                "b> SUB svc.> 7", "b> SUB lat.> 8", "b> SUB half.> 9", "b> SUB private.> 10", "b> SUB $SYS.> 11",
            ] + work + ["a?", "a> PUB @R 6|answer", "c?answer", "b?"]
        ),
        attempt(
            "queue groups of the same name",
            [
                "a> SUB news.n q 1", "a2> SUB secret.x q 1", "b> SUB news.n q 1", "b> SUB secret.x q 1",
                "b> SUB news.> q 2",
                "a3> PUB news.n 1|1", "a3> PUB news.n 1|2", "a3> PUB news.n 1|3", "a3> PUB in.x 1|4", "a?", "a2?", "b?",
                "b> PUB news.n 1|b", "a?",
            ]
        ),
        attempt(
            "messages and requests under subjects of others",
            work + [
                "a?", "c?", "b> SUB r 1", "b> PUB in.x 4|fake", "b> PUB secret.x 4|fake", "b> PUB news.n 4|fake",
                "b> PUB svc.x r 4|fake", "b> PUB r.1 4|fake", "b> PUB lat.a 4|fake", "b> PUB own.x 4|fake",
                "b> PUB _INBOX.aaa 4|fake", "a?", "c?", "b?",
            ]
        ),
        attempt(
            "an answer in place of the service",
            work + [
                "a?", "b> SUB > 1", "b> PUB @R 4|fake", "b> PUB r.1 4|fake", "b> PUB svc.x @R 4|fake", "c?", "b?",
                "c> PUB @R 4|fake", "c?", "a> PUB @R 4|true", "c?", "b?",
            ]
        ),
        attempt(
            "the system's subjects",
            [
                "a> SUB foo 1", "b> SUB r 1", "b> SUB $SYS.> 2", "b> SUB $SYS.ACCOUNT.A.> 3",
                "b> PUB $SYS.REQ.SERVER.PING r 0|",
                "b> PUB $SYS.REQ.ACCOUNT.A.CONNZ r 0|", "b> PUB $SYS.REQ.ACCOUNT.B.CONNZ r 0|",
                "b> PUB $SYS.ACCOUNT.A.DISCONNECT 2|{}", "b> PUB to.sys r 0|", "b?", "a> SUB $SYS.> 2",
                "b> PUB $SYS.ACCOUNT.A.CLAIMS.UPDATE r 1|x", "a?", "b?",
            ]
        ),
        attempt(
            "headers that the server writes or reads",
            [
                "a> SUB svc.* 1", "b> SUB trace 1", "b> SUB r 1", "c> SUB r 1", "c> SUB trace 2", "a> SUB trace 2",
                "c> HPUB svc.x r 67 68|NATS/1.0|Nats-Request-Info: {\"acc\":\"A\"}|Nats-Request-Info: {}||y", "a?",
                "b> HPUB svc.x r 44 45|NATS/1.0|Nats-Request-Info: {\"acc\":\"C\"}||y", "a?", "b?",
                "b> HPUB _R_.abcdef.abcdef 12 13|NATS/1.0||y", "b?", "a?", "c?",
            ]
        ),
        attempt(
            "who is there: no responders tell of one's own account only",
            [
                "a> SUB x 1", "b> SUB r 1", "b> PUB x r 1|?", "b?", "b> SUB x 2", "b> PUB x r 1|?", "b?", "a> SUB r 2",
                "a?",
            ]
        ),
        attempt(
            "limits: what one uses up the others have still",
            [
                "b> SUB r 1", "c> SUB r 1", "a> SUB svc.* 1", "c> PUB svc.1 r 0|", "a?", "b> PUB svc.1 r 0|", "b?",
                "a> PUB @R 2|ok", "c?",
            ]
        ),
    ]

    @Test("a plain user tries", .timeLimit(.minutes(2)), arguments: attempts)
    func tries(item: TranscriptCase) async throws { try await item.compare() }

    /// The same without comparing: what must never arrive.
    @Test("nothing of another account ever arrives", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func nothingArrives(server: ServerUnderTest) async throws {
        let script =
            [
                "b> SUB > 1", "b> SUB _INBOX.> 2", "b> SUB _R_.> 3", "b> SUB $SYS.> 4", "b> SUB r.> q 5",
                "b> SUB news.> q 6",
            ]
            + Self.work + ["a?", "a> PUB @R 6|answer", "c?answer"]
        try await ConfiguredServer.with(server, Self.configuration) { server in
            let lines = try await Transcript.run(script + ["b?"], on: server)
            #expect(lines.last == "b? ")
        }
    }

    @Test(
        "the pages of the monitoring port tell of one account when asked for one",
        .timeLimit(.minutes(2)),
        arguments: ServerUnderTest.available
    )
    func monitoring(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration) { server in
            let first = try await server.connect("a")
            let second = try await server.connect("b")
            try await first.flush("SUB only.a 1\r\n")
            try await second.flush("SUB only.b 1\r\n")
            for page in ["/connz?acc=B&subs=1&auth=1", "/subsz?acc=B&subs=1"] {
                let text = try await server.fetch(page).text
                #expect(text.contains("only.b") && !text.contains("only.a"), "\(page): \(text)")
            }
            let account = try await server.fetch("/accountz?acc=B").text
            #expect(!account.contains("news.>") && !account.contains("private.>"), "\(account)")
            withExtendedLifetime([first, second]) {}
        }
    }
}
