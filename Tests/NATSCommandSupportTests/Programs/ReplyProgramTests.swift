import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-rply", .timeLimit(.minutes(3)))
struct ReplyProgramTests {
    @Test("prints the Go example's lines and answers", arguments: ServerUnderTest.available)
    func lines(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let shell = try ToolShell("nats-rply $U -n 2 -H 'A: 1' svc pong", url: server.url)
            try await shell.waitForErrors()
            let first = try await ToolShell.run("nats-req $U -F '%s|%h\\n' svc ping", url: server.url)
            #expect(first.output == "pong|A: 1\n")
            let second = try await ToolShell.run("nats-req $U -r svc ''", url: server.url)
            #expect(second.output == "pong\n")
            let result = try await shell.result()
            #expect(result.errors == "Listening on [svc]\n")
            #expect(result.output == "[#1] Received on [svc]: 'ping'\n[#2] Received on [svc]: ''\n")
            #expect(result.status == 0)
        }
    }

    @Test("-t puts the local time before each line; a message without reply subject is printed too")
    func timestamp() async throws {
        try await NATSTestServer.withServer { server in
            let tap = try await WireTap(port: server.port, subject: "unused")
            let shell = try ToolShell("nats-rply $U -t -n 1 svc pong", url: server.clientURL)
            try await shell.waitForErrors()
            try await tap.publish("svc", "x")
            let expected = #/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[#1\] Received on \[svc\]: 'x'\n/#
            #expect(try await shell.result().output.wholeMatch(of: expected) != nil)
        }
    }

    @Test("each request is answered by one of a queue group, NATS-RPLY-22 unless another is named")
    func queue() async throws {
        try await NATSTestServer.withServer { server in
            let shells = try [
                ToolShell("nats-rply $U svc a", url: server.clientURL),
                ToolShell("nats-rply $U svc a", url: server.clientURL),
                ToolShell("nats-rply $U -q other svc b", url: server.clientURL),
            ]
            for shell in shells { try await shell.waitForErrors() }
            let result = try await ToolShell.run("nats-req $U -r --replies 2 svc x", url: server.clientURL)
            #expect(result.output.split(separator: "\n").sorted() == ["a", "b"])
            for shell in shells { shell.signal(15) }
        }
    }

    @Test("a signal drains it and ends it")
    func signal() async throws {
        try await NATSTestServer.withServer { server in
            let shell = try ToolShell("exec nats-rply $U -v svc pong", url: server.clientURL)
            try await shell.waitForErrors()
            shell.signal(2)
            let result = try await shell.result()
            #expect(result.exit == .signaled(2))
            #expect(result.errors.hasSuffix("Draining...\n"))
        }
    }

    @Test("wrong operands and a subject that may not be subscribed to")
    func refusals() async throws {
        #expect(try await ToolShell.run("nats-rply svc").status == 2)
        #expect(try await ToolShell.run("nats-rply svc a b").status == 2)
        let command = try await ToolShell.run("nats-rply svc a --command date")
        #expect(command.errors.hasPrefix("nats: flag not supported yet: --command\n"))
        var options = NATSTestServer.Options()
        options.users = [.init(name: "u", password: "p")]
        options.defaultPermissions = .init(subscribe: .init(deny: ["svc"]))
        try await NATSTestServer.withServer(options) { server in
            let result = try await ToolShell.run("nats-rply $U svc a", url: server.clientURL(user: "u", password: "p"))
            #expect(result.status == 1)
            #expect(!result.errors.contains("Listening"))
        }
    }
}
