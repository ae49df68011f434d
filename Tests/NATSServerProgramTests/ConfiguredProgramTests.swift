import NATSTestSupport
import Testing

@testable import nats_server

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Starts with a configuration file, on the official server and on ours.
@Suite struct ConfiguredProgramTests {
    private func log(_ program: Program, _ file: String, _ arguments: [String]) async throws -> [String] {
        let run = try ProgramRun(program, ["-c", file] + arguments)
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        return LogComparison.lines(run.errors, pid: run.processID, port: port)
    }

    @Test(
        "the log from start to end is the official one, line by line, digest included",
        .enabled(if: Program.available.contains(.official)),
        arguments: [
            "", "debug: true\n", "logtime: false\n", "trace: true\ndebug: true\n", "server_name: \"n\"\n",
            "authorization { user: a, password: b }\n", "authorization { token: t }\n", "max_payload: 9MB\n",
            "authorization { users: [ {user: a, password: \"$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\"} ] }\n",
            "ping_interval: 5\n", "PORT: 3\nmax_closed_clients: $PORT\n",
            "monitor_port: -1\nmax_payload: 9MB\nauthorization { user: a, password: b }\ndebug: true\n",
        ]
    )
    func sameLog(text: String) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("host: 127.0.0.1\nport: -1\n" + text, to: "server.conf")
        let official = try await self.log(.official, file, [])
        let ours = try await self.log(.ours, file, [])
        #expect(ours == official)
        #expect(ours.contains { $0.contains("Using configuration file: \(file) (sha256:") })
    }

    @Test(
        "-t tells the digest of a good file, and what is wrong with a bad one",
        .enabled(if: Program.available.contains(.official)),
        arguments: [
            "port: 22001", "host: 127.0.0.1\nport: -1\n", "debug: true\nfoo: bar\n", "port: x\n", "", "{",
            "jetstream: true\ncluster { port: 6222 }\n", "ping_interval: 5\n", "lame_duck_duration: \"1s\"\n",
            "lame_duck_grace_period: \"31s\"\nlame_duck_duration: \"30s\"\n", "include nope.conf\n",
        ]
    )
    func test(text: String) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(text, to: "server.conf")
        var results: [[String]] = []
        for program in [Program.official, .ours] {
            let run = try ProgramRun(program, ["-t", "-c", file])
            results.append(["\(await run.exitCode())", run.output, run.errors])
        }
        #expect(results[1] == results[0])
    }

    @Test(
        "options that do not go together end the start with the official text",
        arguments: Program.available,
        [
            (
                "lame_duck_grace_period: \"31s\"\nlame_duck_duration: \"30s\"",
                "lame duck grace period (31s) should be strictly lower than lame duck duration (30s)"
            ),
            (
                "max_payload: 100MB\nmax_pending: 10MB",
                "max_payload (104857600) cannot be higher than max_pending (10485760)"
            ),
            ("no_auth_user: x", #"no_auth_user: "x" present, but users/nkeys are not defined"#),
            (
                "no_auth_user: x\nauthorization {users: [{user: a, password: b}]}",
                #"no_auth_user: "x" not present as user or nkey in authorization block or account configuration"#
            ),
            ("system_account: foo", "error resolving system account: account missing"),
            ("server_name: \"a b\"", "server name cannot contain spaces"),
        ]
    )
    func conflicts(program: Program, sample: (text: String, error: String)) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(sample.text + "\n", to: "server.conf")
        let run = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1", "-c", file])
        #expect(await run.exitCode() == 1)
        #expect(run.errors.hasPrefix("nats-server: ") && run.errors.contains(sample.error + "\n"))
    }

    @Test(
        "a key whose feature is not there ends the start by its name and place",
        arguments: [
            ("jetstream: true", "jetstream"),
            ("cluster { port: -1, compression: s2_fast }", "cluster.compression"),
            ("accounts { A { jetstream: on } }", "accounts.A.jetstream"),
            ("accounts { A { msg_trace: x } }", "accounts.A.msg_trace"),
            ("leafnodes { port: -1, min_version: 2.9.0 }", "leafnodes.min_version"),
            ("leafnodes { remotes: [ {url: \"ws://a:1\"} ] }", "leafnodes.remotes.urls with ws"),
            ("leafnodes { port: -1, compression: s2_fast }", "leafnodes.compression"),
            ("proxy_protocol: true", "proxy_protocol"),
            ("proxies { trusted = [] }", "proxies"),
        ]
    )
    func unsupported(sample: (text: String, key: String)) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("debug: true\n\(sample.text)\n", to: "server.conf")
        let run = try ProgramRun(.ours, ["-a", "127.0.0.1", "-p", "-1", "-c", file])
        #expect(await run.exitCode() == 1)
        #expect(run.errors == "nats-server: not supported yet: \(sample.key) (\(file):2:1)\n")
        // What is switched off needs nothing.
        let off = try directory.write("jetstream: false\nproxy_protocol: false\nwrite_timeout: close\n", to: "off.conf")
        let started = try ProgramRun(.ours, ["-a", "127.0.0.1", "-p", "-1", "--cluster", "", "-c", off])
        try await started.waitForLog("Server is ready")
        started.signal(SIGTERM)
        #expect(await started.exitCode() == 0)
    }

    @Test("without trusted proxies nobody who has to come by one gets in", arguments: Program.available)
    func proxyRequired(program: Program) async throws {
        let samples: [(authorization: String, member: String, isAccepted: Bool)] = [
            ("user: a, password: b, proxy_required: true", "\"user\":\"a\",\"pass\":\"b\"", false),
            ("token: a, proxy_required: true", "\"auth_token\":\"a\"", false),
            ("users: [{user: a, password: b, proxy_required: true}]", "\"user\":\"a\",\"pass\":\"b\"", false),
            (
                "users: [{user: a, password: b, proxy_required: true}, {user: c, password: d}]",
                "\"user\":\"c\",\"pass\":\"d\"", true
            ),
            ("users: [{user: a, password: b}], proxy_required: true", "\"user\":\"a\",\"pass\":\"b\"", true),
            // Of users that nobody has to be.
            ("proxy_required: true", "\"user\":\"a\"", true),
        ]
        let directory = try TemporaryDirectory()
        for sample in samples {
            let text = "http: \"127.0.0.1:-1\"\nauthorization { timeout: 60, \(sample.authorization) }\n"
            let file = try directory.write(text, to: "server.conf")
            let run = try ProgramRun(program, ["-D", "-a", "127.0.0.1", "-p", "-1", "-c", file])
            try await run.waitForLog("Server is ready")
            let client = try RawConnection.connect(port: try #require(run.port))
            try await client.readInfo()
            await client.send("CONNECT {\"verbose\":false,\(sample.member)}\r\nPING\r\n")
            if sample.isAccepted {
                try await client.expect("PONG\r\n")
            } else {
                try await client.expect("-ERR 'Authorization Violation'\r\n")
                try await client.expectEnd()
                try await run.waitForLog("Client connection closed: Proxy Required")
                #expect(run.errors.contains("proxy connection required"))
                let port = try #require(run.monitoringPort)
                try await eventually("the reason is shown") {
                    try await fetch("/connz?state=closed", port: port).text.contains("\"reason\": \"Proxy Required\"")
                }
            }
            run.signal(SIGTERM)
            #expect(await run.exitCode() == 0)
        }
    }

    @Test("client_advertise is what INFO names, and no list of addresses", arguments: Program.available)
    func clientAdvertise(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("client_advertise: \"nats.example:777\"\n", to: "server.conf")
        let run = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1", "-m", "-1", "-c", file])
        try await run.waitForLog("Server is ready")
        let client = try RawConnection.connect(port: try #require(run.port))
        let info = try await client.readInfo()
        #expect(info.contains("\"host\":\"nats.example\",\"port\":777,"))
        #expect(!info.contains("connect_urls"))
        let variables = try await fetch("/varz", port: try #require(run.monitoringPort)).text
        #expect(variables.contains("\n  \"host\": \"nats.example\",\n  \"port\": 777,\n"))
        #expect(!variables.contains("connect_urls"))
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("what a file says takes effect", arguments: Program.available)
    func effects(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            """
            listen: "127.0.0.1:-1"
            server_name: configured
            client_advertise: "nats.example"
            max_payload: 1KB
            max_control_line: 300
            max_subscriptions: 2
            no_header_support: true
            ports_file_dir: "\(directory.path)"
            http: "127.0.0.1:-1"
            authorization {
              timeout: 60
              users = [
                {user: a, password: b, permissions: {publish: "ok.>", subscribe: "ok.>"}}
              ]
            }
            """,
            to: "server.conf"
        )
        let run = try ProgramRun(program, ["-c", file])
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        let client = try RawConnection.connect(port: port, answersPings: true)
        let info = try await client.readInfo()
        for part in [
            #""server_name":"configured""#, #""host":"nats.example","port":\#(port),"headers":false"#,
            #""auth_required":true"#, #""max_payload":1024"#,
        ] {
            #expect(info.contains(part), "\(part) in \(info)")
        }
        await client.send("CONNECT {\"verbose\":false,\"user\":\"a\",\"pass\":\"b\"}\r\nPUB no 0\r\n\r\nPING\r\n")
        let denied = try await client.read(until: "PONG\r\n")
        #expect(String(decoding: denied, as: UTF8.self).contains("-ERR 'Permissions Violation for Publish to \"no\"'"))
        await client.send("SUB ok.1 1\r\nSUB ok.2 2\r\nSUB ok.3 3\r\nPING\r\n")
        let limited = try await client.read(until: "PONG\r\n")
        #expect(String(decoding: limited, as: UTF8.self).contains("-ERR 'maximum subscriptions exceeded'"))
        try await eventually("ports file") {
            guard let name = directory.names.first(where: { $0.hasSuffix(".ports") }) else { return false }
            let ports = directory.read(name)
            return ports.contains(#"{"nats":["nats://127.0.0.1:\#(port)"],"monitoring":["http://127.0.0.1:"#)
        }
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        #expect(!directory.names.contains { $0.hasSuffix(".ports") })
    }

    @Test("a ports file that cannot be written is an error line, and the server runs", arguments: Program.available)
    func portsFileFailure(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let run = try ProgramRun(
            program,
            ["-a", "127.0.0.1", "-p", "-1", "-T=false", "--ports_file_dir", directory.path + "/no"]
        )
        try await run.waitForLog("[ERR] Error writing ports file (\(directory.path)/no/")
        try await run.waitForLog("Server is ready")
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        #expect(run.errors.contains("[ERR] Error cleaning up ports file \(directory.path)/no/"))
        #expect(run.errors.hasSuffix("[INF] Server Exiting..\n"))
    }

    @Test("a wrong configuration starts nothing and leaves nothing behind", arguments: Program.available)
    func nothingStarted(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            """
            host: 127.0.0.1
            port: -1
            log_file: "\(directory.path)/log"
            pid_file: "\(directory.path)/pid"
            ports_file_dir: "\(directory.path)"
            max_payload: many
            """,
            to: "server.conf"
        )
        let run = try ProgramRun(program, ["-c", file])
        #expect(await run.exitCode() == 1)
        #expect(run.errors.hasPrefix("nats-server: \(file):6:1: "))
        #expect(run.output == "")
        #expect(directory.names == ["server.conf"])
    }

    @Test(
        "a user may be bound to kinds of connection, in any case and by any of the key's names",
        arguments: Program.available,
        ["allowed_connection_types", "connection_types", "clients"]
    )
    func connectionTypes(program: Program, key: String) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            """
            listen: "127.0.0.1:-1"
            authorization {
              timeout: 30
              users = [
                {user: any, password: a}
                {user: plain, password: a, \(key): [Standard, WEBSOCKET]}
                {user: web, password: a, \(key): [WEBSOCKET, mqtt]}
              ]
            }
            """,
            to: "server.conf"
        )
        let run = try ProgramRun(program, ["-D", "-c", file])
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        for (user, answer) in [
            ("any", "PONG\r\n"), ("plain", "PONG\r\n"), ("web", "-ERR 'Authorization Violation'\r\n"),
        ] {
            let client = try RawConnection.connect(port: port, answersPings: true)
            try await client.readInfo()
            await client.send("CONNECT {\"verbose\":false,\"user\":\"\(user)\",\"pass\":\"a\"}\r\nPING\r\n")
            #expect(try await client.read(until: "\r\n") == Array(answer.utf8), "\(user)")
            client.close()
        }
        try await run.waitForLog("authentication error - User \"web\"")
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }
}
