import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-pub, JetStream", .timeLimit(.minutes(3)))
struct PublishJetStreamTests {
    @Test(
        "messages are stored and acknowledged, or the refusal is told",
        .enabled(if: ServerUnderTest.available.contains(.official))
    )
    func store() async throws {
        let directory = try TemporaryDirectory()
        let server = try await OfficialServer.start(arguments: ["-js", "-sd", directory.path])
        let result = try await ToolShell.run(
            """
            nats-req $U -r --quiet '$JS.API.STREAM.CREATE.S' '{"name":"S","subjects":["s.>"],"storage":"memory"}' >made
            nats-pub $U -J s.a one
            nats-pub $U -J -n 2 's.{{Count}}' two
            nats-pub $U --jetstream --msg-id id1 s.a three
            nats-pub $U --jetstream --msg-id id1 s.a three
            nats-pub $U -J -n 2 --expect-last-seq 4 s.a four
            seq 1 3 | nats-pub $U -J -l s.a
            seq 1 2 | nats-pub $U -J -v -l s.a 2>listed; grep -v Connected listed >&2
            nats-pub $U -J --expect-last-seq 4 s.a five; echo $?
            seq 1 2 | nats-pub $U -J -l --expect-last-seq 4 s.a; echo $?
            nats-pub $U -J elsewhere x; echo $?
            """,
            url: server.url
        )
        #expect(
            result.errors == """
                Stored in Stream: S Sequence: 1
                Stored in Stream: S Sequence: 2
                Stored in Stream: S Sequence: 3
                Stored in Stream: S Sequence: 4
                Stored in Stream: S Sequence: 4 Duplicate: true
                Stored in Stream: S Sequence: 5
                Stored in Stream: S Sequence: 6
                Stored in Stream: S Sequence: 10
                Stored in Stream: S Sequence: 11
                Published 2 messages (2 bytes) to [s.a]
                nats: JetStream did not store the message: wrong last sequence: 11 (10071)
                nats: line 1: JetStream did not store the message: wrong last sequence: 11 (10071)
                nats: no stream stores [elsewhere], or JetStream is not enabled: nobody answers

                """
        )
        #expect(result.output == "1\n1\n4\n")
        await server.stop()
    }

    @Test("a server without JetStream is told of", arguments: ServerUnderTest.available)
    func withoutJetStream(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let result = try await ToolShell.run("nats-pub $U -J s x", url: server.url)
            #expect(result.status == 4)
            #expect(
                result.errors == "nats: no stream stores [s], or JetStream is not enabled: nobody answers\n"
            )
        }
    }

    @Test("a line of JSON with a reply subject is refused: JetStream takes it for the acknowledgement")
    func replySubject() async throws {
        try await ServerUnderTest.ours.withServer { server in
            let result = try await ToolShell.run(
                "nats-pub $U -J --json s <lines",
                url: server.url,
                files: ["lines": #"{"data":"x","reply":"r"}"# + "\n"]
            )
            #expect(
                result.errors
                    == "nats: line 1: a reply subject does not go with --jetstream, which needs it for itself\n"
            )
            #expect(result.status == 1)
        }
    }

    @Test("an answer that is no acknowledgement is a failure")
    func otherAnswer() async throws {
        for (answer, reason) in [
            ("hello", "the answer is not an acknowledgement of JetStream"),
            ("{\"stream\":\"S\"}", "the answer is not an acknowledgement of JetStream"),
            ("{\"error\":{}}", "JetStream did not store the message"),
        ] {
            let peer = try ScriptedServer()
            let shell = try ToolShell("nats-pub $U -J s x", url: peer.url)
            let (connection, _) = try await peer.acceptClient()
            var sid = "1"
            var inbox = ""
            while inbox.isEmpty {
                let words = try await connection.readLine().split(separator: " ").map(String.init)
                if words.first == "SUB" { sid = words[words.count - 1] }
                if words.first == "PUB" { inbox = words[2] }
            }
            await connection.send("MSG \(inbox) \(sid) \(answer.utf8.count)\r\n\(answer)\r\n")
            let result = try await shell.result()
            #expect(result.status == 1)
            #expect(result.errors == "nats: \(reason)\n")
        }
    }
}
