import NATSTestServer
import NATSTestSupport
import Testing

/// nats-sub's messages on their way through commands, to files, with their replies, or counted.
@Suite("nats-sub's ways", .timeLimit(.minutes(3)))
struct SubscribeWayTests {
    private func withServer(_ body: (NATSTestServer, WireTap) async throws -> Void) async throws {
        try await NATSTestServer.withServer { server in
            try await body(server, try await WireTap(port: server.port, subject: "unused"))
        }
    }

    @Test("a command translates payloads, the order is kept, the subject is in its environment")
    func translate() async throws {
        try await self.withServer { server, tap in
            // The first takes longest.
            let command =
                "read x; [ $x = 1 ] && while [ ! -e go ]; do sleep 0.02; done; echo $NATS_SUBJECT $x; : >$x"
            let shell = try ToolShell(
                "nats-sub $U -r -v -n 4 'x.>' --translate '\(command)'",
                url: server.clientURL
            )
            try await shell.waitForErrors()
            for number in 1...4 { try await tap.publish("x.\(number)", "\(number)\n") }
            try shell.write("", to: "go")
            let result = try await shell.result()
            #expect(result.output == "x.1 1\nx.2 2\nx.3 3\nx.4 4\n")
            #expect(result.status == 0)
        }
    }

    @Test("a command that fails is said, the message left out, and the end a failure")
    func translateFails() async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell("nats-sub $U -n 2 x --translate 'grep a'", url: server.clientURL)
            try await shell.waitForErrors()
            try await tap.publish("x", "b\n")
            try await tap.publish("x", "a\n")
            let result = try await shell.result()
            #expect(result.output == "[#2] Received on [x]: 'a\n'\n")
            #expect(result.errors.hasSuffix("nats: translating message 1 on [x]: exit status 1\n"))
            #expect(result.status == 1)
        }
    }

    @Test("a signal waits for what is being translated")
    func translateAndSignal() async throws {
        try await self.withServer { server, tap in
            let command = "while [ ! -e go ]; do sleep 0.02; done; cat"
            let shell = try ToolShell(
                "exec nats-sub $U -r -v x --translate 'echo 1 >started; \(command)' --drain-timeout 60s",
                url: server.clientURL
            )
            try await shell.waitForErrors()
            try await tap.publishNumbers("x", 5)
            try await eventually("the command") { !shell.file("started").isEmpty }
            shell.signal(15)
            try await shell.waitForErrors("Draining...")
            try shell.write("", to: "go")
            let result = try await shell.result()
            #expect(result.output == "1\n2\n3\n4\n5\n")
            #expect(result.exit == .signaled(15))
        }
    }

    @Test("a command that never ends keeps nobody from ending", arguments: ["sleep 86400", "sleep 86400 & echo"])
    func translateForEver(command: String) async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell(
                "nats-sub $U -r -v x --translate ': >started; \(command)' --max-time 3s --drain-timeout 100ms",
                url: server.clientURL
            )
            try await shell.waitForErrors()
            try await tap.publishNumbers("x", 1)
            let result = try await shell.result()
            // A machine so busy that the time was over before the message came proves nothing.
            guard shell.hasFile("started") else { return }
            #expect(result.output.isEmpty && result.status == 1)
            #expect(result.errors.hasSuffix("nats: translating message 1 on [x]: stopped\n"), "\(result.errors)")
        }
    }

    @Test("dumps: objects with NUL behind them, or files that only the user can read")
    func dump() async throws {
        try await self.withServer { server, tap in
            let stream = try ToolShell("nats-sub $U -v --dump - -n 2 x", url: server.clientURL)
            let files = try ToolShell(
                "mkdir d; nats-sub $U -v --dump d -n 2 x; status=$?; ls d; cat d/1.json; ls -l d/2.json | cut -c1-10; exit $status",
                url: server.clientURL
            )
            for shell in [stream, files] { try await shell.waitForErrors() }
            try await tap.publish("x", headers: "NATS/1.0\r\nB: 2\r\nA: 1\r\n\r\n", "hi")
            try await tap.publish("x", reply: "r", "")
            let first =
                #"{"Subject":"x","Reply":"","Header":{"A":["1"],"B":["2"]},"Data":"aGk=","Sub":null}"#
            let second = #"{"Subject":"x","Reply":"r","Header":null,"Data":"","Sub":null}"#
            #expect(try await stream.result().output == "\(first)\0\(second)\0")
            let result = try await files.result()
            #expect(result.output == "1.json\n2.json\n\(first)-rw-------\n")
            #expect(result.status == 0)
            let missing = try await ToolShell.run("nats-sub $U --dump not/there x", url: server.clientURL)
            #expect(missing.errors == "nats: not/there: No such file or directory\n")
            #expect(missing.status == 1)
        }
    }

    @Test(
        "requests are printed with their replies, those without one in the end",
        arguments: ["", "--output nats", "-r"]
    )
    func matchReplies(flags: String) async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell(
                "exec nats-sub $U -v \(flags) --match-replies --inbox-prefix my 'svc.>'",
                url: server.clientURL
            )
            try await shell.waitForErrors()
            try await tap.publish("svc.a", reply: "my.1", "ping")
            try await tap.publish("svc.b", reply: "my.2", "lost")
            try await tap.publish("svc.c", "plain")
            try await tap.publish("my.1", "pong")
            try await tap.publish("my.1", "pong again")
            try await tap.publish("other", "x")
            try await eventually("the reply") { shell.output.contains("pong") }
            shell.signal(15)
            let result = try await shell.result()
            let expected =
                switch flags {
                case "":
                    "[#3] Received on [svc.c]: 'plain'\n[#1] Received on [svc.a]: 'ping'\n"
                        + "[#1] Matched reply on [my.1]: 'pong'\n[#2] Received on [svc.b]: 'lost'\n"
                case "-r":
                    "plain\nping\npong\nlost\n"
                default:
                    "[#3] Received on \"svc.c\"\nplain\n\n[#1] Received on \"svc.a\" with reply \"my.1\"\nping\n\n"
                        + "[#1] Matched reply on \"my.1\"\npong\n\n"
                        + "[#2] Received on \"svc.b\" with reply \"my.2\"\nlost\n\n"
                }
            #expect(result.output == expected)
        }
    }

    @Test("the end by count waits for the replies that are due")
    func matchAndCount() async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell(
                "mkdir d; nats-sub $U -v --match-replies --dump d -n 1 svc; ls d",
                url: server.clientURL
            )
            try await shell.waitForErrors()
            try await tap.publish("svc", reply: "_INBOX.1", "ping")
            try await tap.publish("_INBOX.1", "pong")
            #expect(try await shell.result().output == "1.json\n1_reply.json\n")
        }
    }

    @Test("the report of subjects comes at the end where there is no terminal")
    func report() async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell(
                "nats-sub $U --report-subjects --report-top 1 -n 4 '>'",
                url: server.clientURL
            )
            try await shell.waitForErrors()
            for subject in ["a", "b.c", "b.c", "d"] { try await tap.publish(subject, "123") }
            let result = try await shell.result()
            #expect(
                result.output == """
                    Subject   Messages  Bytes
                    b.c              2      6
                    (others)         2      6
                    Total            4     12

                    """
            )
            #expect(result.status == 0)
        }
    }
}
