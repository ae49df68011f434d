import NATSTestSupport
import Testing

@Suite("nats-top and bad monitoring servers")
struct BadServerTests {
    private static let varz = BadServer.Reply.answer(Fixture.varz())
    private static let connz = BadServer.Reply.answer(Fixture.connz())

    /// What is said between two good rounds.
    private func line(_ bad: [BadServer.Reply], _ arguments: String = "") async throws -> String {
        let server = try BadServer([Self.varz, Self.connz] + bad + [Self.varz, Self.connz])
        let result = try await TopRun.run("-m \(server.port) --batch -d 0.1 -r 3 \(arguments)")
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        let states = result.lines.filter { $0.hasPrefix("20") && $0.contains("Z ") }
        try #require(states.count == 3, "\(result.output)")
        #expect(states[0].hasSuffix("Z up"))
        #expect(states[2].hasSuffix("Z up"))
        return states[1]
    }

    @Test(
        "a page that cannot be read is one line, and the next round is good again",
        arguments: [
            (BadServer.Reply.close, "/varz\": the server closed the connection"),
            (.raw("garbage\r\n\r\n"), "/varz\": not an answer by HTTP"),
            (.raw("INFO {\"server_id\":\"X\"} \r\n"), "/varz\": this is the port of clients, not of monitoring"),
            (.answer("hello"), "lost: /varz: no JSON"),
            (.answer("[1,2"), "lost: /varz: no JSON"),
            (.answer("{}"), "lost: /varz: an empty answer"),
            (.answer("out of\norder", status: 500), "lost: stats request failed 500: \"out of\""),
            (.answer("", status: 302), "lost: stats request failed 302: \"\""),
            (.large(11 << 20), "/varz\": the answer has more than 10 MB"),
            (.raw("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"), "/varz\": "),
            (.raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nshort"), "/varz\": "),
        ]
    )
    func firstPage(reply: BadServer.Reply, text: String) async throws {
        // The connection that is open already is closed: the same request is tried again on a new one.
        let line = try await self.line([.close, reply])
        #expect(line.contains("lost: ") && line.contains(text), "\(line)")
    }

    @Test("a server that answers nothing is given up after the time limit")
    func silence() async throws {
        let line = try await self.line([.silence], "--timeout 5s")
        #expect(line.contains("lost: ") && line.hasSuffix("/varz\": no answer in time"), "\(line)")
    }

    @Test("without the second page the server is up, with a problem")
    func secondPage() async throws {
        let line = try await self.line([Self.varz, .answer("bad Request\n", status: 400)])
        #expect(line.hasSuffix("Z up, stats request failed 400: \"bad Request\""), "\(line)")
    }

    @Test("fields that are missing, or of other types, are neutral")
    func missingFields() async throws {
        let strange = BadServer.Reply.answer(#"{"server_id":"X","version":7,"mem":"x","cpu":-1,"start":{},"now":[]}"#)
        let server = try BadServer([strange, .answer(#"{"connections":[{},7,{"cid":"x","name":[1]}]}"#)])
        let result = try await TopRun.run("-m \(server.port) -o -")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("NATS server version 7 (uptime: )"))
        #expect(result.output.contains("Connections Polled: 2"))
    }

    @Test("names never reach the terminal as control codes")
    func controlCodes() async throws {
        let connection = Fixture.connection(5, name: #"a\u001b]0;title\u0007b"#, fields: #""in_msgs":1"#)
        let server = try BadServer([Self.varz, .answer(Fixture.connz([connection]))])
        let result = try await TopRun.run("-m \(server.port) -o -")
        #expect(result.output.contains("a\u{FFFD}]0;title\u{FFFD}b"), "\(result.output)")
    }

    @Test("a server that cannot be asked at the start ends it with 1 and one line")
    func start() async throws {
        let reserved = try ReservedPort()
        let refused = try await TopRun.run("-m \(reserved.port) --batch")
        #expect(refused.status == 1)
        #expect(
            refused.errors == "nats-top: /varz smoke test failed: could not get stats from server: "
                + "Get \"http://127.0.0.1:\(reserved.port)/varz\": connection refused\n"
        )
        try await ServerUnderTest.ours.withServer { server in
            let client = try await TopRun.run("-m \(server.port) -o -")
            #expect(client.status == 1)
            #expect(client.errors.hasSuffix("this is the port of clients, not of monitoring\n"), "\(client.errors)")
        }
        let file = try await TopRun.run("--replay /dev/null --json")
        #expect(file.status == 1)
        #expect(file.errors == "nats-top: /dev/null is no recording of nats-top\n")
    }

    @Test("HTTPS: certificates are checked", arguments: MonitoredServer.available)
    func certificates(kind: MonitoredServer.Kind) async throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority()
        let other = try TestAuthority()
        try directory.write(authority.text, to: "ca.pem")
        try directory.write(other.text, to: "other.pem")
        let files = try authority.server().write(to: directory, as: "server")
        let reserved = try ReservedPort()
        let configuration = """
            https: "127.0.0.1:\(reserved.port)"
            tls { cert_file: "\(files.certificate)", key_file: "\(files.key)" }
            """
        let file = try directory.write(configuration, to: "server.conf")
        let server = try MonitoredServer(kind, on: reserved, arguments: ["-c", file])
        try await server.waitUntilReady()
        let top = "-ms \(reserved.port) -o -"
        let good = try await TopRun.run("\(top) -cacert '\(directory.path)/ca.pem'")
        #expect(good.status == 0 && good.output.contains("NATS server version"), "\(good.errors)")
        let unchecked = try await TopRun.run("\(top) -k")
        #expect(unchecked.status == 0 && unchecked.output.contains("NATS server version"), "\(unchecked.errors)")
        let unknown = try await TopRun.run("\(top) -cacert '\(directory.path)/other.pem'")
        #expect(unknown.status == 1)
        #expect(unknown.errors.hasSuffix("the server's certificate does not verify\n"), "\(unknown.errors)")
        let url = "-s https://localhost:\(reserved.port) -o - -cacert '\(directory.path)/ca.pem'"
        #expect(try await TopRun.run(url).status == 0)
        let missing = try await TopRun.run("\(top) -cacert /nowhere")
        #expect(missing.status == 2)
        await server.stop()
    }
}
