import NATSTestSupport
import Testing

/// Who may come in by a route, on the official server and ours.
@Suite("routes and who may come in", .timeLimit(.minutes(2)))
struct RouteSecurityTests {
    private static let cluster = "server_name: A\ndebug: true\ncluster { name: C1, listen: \"127.0.0.1:-1\" }\n"

    /// A connection to the port for routes; INFO has been read.
    private static func dial(_ server: ConfiguredServer) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: server.clusterPort)
        try await connection.readInfo()
        return connection
    }

    @Test("who is wrong here is told so, and the connection ends", arguments: ServerUnderTest.available)
    func strangers(server: ServerUnderTest) async throws {
        let samples: [(said: String, answer: String, reason: String)] = [
            (
                #"CONNECT {"verbose":false,"lang":"go","version":"1.50.0"}"#,
                "-ERR 'attempted to connect to route port'\r\n", "Incorrect Port"
            ),
            (
                #"CONNECT {"name":"NX","gateway":"gw"}"#,
                "-ERR 'Rejecting connection from gateway \"gw\" on the Route port'\r\n", "Wrong Gateway"
            ),
            (
                #"CONNECT {"name":"NX","cluster":"OTHER"}"#,
                "-ERR 'Rejecting connection, cluster name \"OTHER\" does not match \"C1\"'\r\n",
                "Cluster Name Conflict"
            ),
            (
                #"CONNECT {"name":"NX"}"#,
                "-ERR 'Rejecting connection, cluster name \"\" does not match \"C1\"'\r\n", "Cluster Name Conflict"
            ),
            (#"INFO {"server_id":"NX"}"#, "-ERR 'Authorization Violation'\r\n", "Authentication Failure"),
            ("PING", "-ERR 'Authorization Violation'\r\n", "Authentication Failure"),
            ("SUB a 1", "-ERR 'Authorization Violation'\r\n", "Authentication Failure"),
        ]
        try await ConfiguredServer.with(server, Self.cluster) { server in
            for sample in samples {
                let connection = try await Self.dial(server)
                await connection.send(sample.said + "\r\n")
                try await connection.expect(sample.answer)
                try await connection.expectEnd()
                try await eventually("the log of \(sample.said)") {
                    server.log.contains("Router connection closed: \(sample.reason)")
                }
            }
        }
    }

    @Test("what a peer says wrongly ends its connection, or is not heard", arguments: ServerUnderTest.available)
    func wrongLines(server: ServerUnderTest) async throws {
        let hello = """
            CONNECT {"name":"NX","cluster":"C1","headers":true}\r
            INFO {"server_id":"NX","server_name":"F","headers":true,"cluster":"C1","host":"127.0.0.1","port":1}\r

            """
        let samples: [(said: String, answer: String?)] = [
            ("RS+ $G foo..bar\r\n", nil), ("RS+ NOPE foo\r\n", nil), ("RS- $G foo\r\n", nil),
            ("RMSG NOPE foo 2\r\nhi\r\n", nil), ("RMSG $G foo | nobody 2\r\nhi\r\n", nil), ("A+ $G\r\n", nil),
            ("RS+ $G a b\r\n", ""), ("RMSG $G a x b 2\r\n", ""), ("RMSG $G foo -1\r\n", ""),
            ("RMSG $G foo 2\r\nhiho", "-ERR 'Unknown Protocol Operation'\r\n"),
            ("BOGUS\r\n", "-ERR 'Unknown Protocol Operation'\r\n"), ("-ERR 'x'\r\n", ""),
            ("RS+ $G " + String(repeating: "a", count: 70_000), "-ERR 'maximum control line exceeded'\r\n"),
        ]
        try await ConfiguredServer.with(server, Self.cluster) { server in
            for sample in samples {
                let connection = try await Self.dial(server)
                await connection.send(hello + "PING\r\n")
                // With all that the server listens to itself.
                _ = try await connection.read(until: "PONG\r\n")
                await connection.send(sample.said)
                guard let answer = sample.answer else {
                    await connection.send("PING\r\n")
                    let text = String(decoding: try await connection.read(until: "PONG\r\n"), as: UTF8.self)
                    let errors = text.split(separator: "\r\n").filter { $0.hasPrefix("-ERR") }
                    #expect(errors == (sample.said.contains("..") ? ["-ERR 'Invalid Subscription'"] : []))
                    connection.close()
                    continue
                }
                let text = String(decoding: try await connection.readToEnd(), as: UTF8.self)
                let errors = text.split(separator: "\r\n").filter { $0.hasPrefix("-ERR") }.map { "\($0)\r\n" }
                #expect(errors.joined() == answer, "\(sample.said.prefix(40))")
            }
        }
    }

    @Test("user and password", arguments: RoutePairTests.pairs)
    func credentials(pair: RoutePairTests.Pair) async throws {
        let authorization = "authorization { user: joe, password: secret, timeout: 60 }"
        try await ConfiguredServer.with(
            pair.first,
            "server_name: A\ncluster { name: C1, listen: \"127.0.0.1:-1\", \(authorization) }\n"
        ) { first in
            for login in ["joe:wrong@", ""] {
                let routes = "routes: [\"nats://\(login)127.0.0.1:\(first.clusterPort)\"]"
                let text = "server_name: B\ncluster { name: C1, listen: \"127.0.0.1:-1\", \(routes) }\n"
                try await ConfiguredServer.with(pair.second, text) { second in
                    try await eventually("the refusal") { second.log.contains("'Authorization Violation'") }
                    #expect(!second.log.contains("secret") && !first.log.contains("wrong"))
                }
            }
            let routes = "routes: [\"nats://joe:secret@127.0.0.1:\(first.clusterPort)\"]"
            let text = "server_name: B\ncluster { name: C1, listen: \"127.0.0.1:-1\", \(routes), \(authorization) }\n"
            try await ConfiguredServer.with(pair.second, text) { second in
                try await RoutePairTests.expectRoute(from: second, to: first)
                #expect(!second.log.contains("secret"))
            }
        }
    }

    @Test("TLS, with certificates on both sides", arguments: RoutePairTests.pairs)
    func tls(pair: RoutePairTests.Pair) async throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority()
        let paths = try authority.peer().write(to: directory, as: "peer")
        let strangers = try TestAuthority(name: "Another Authority").peer().write(to: directory, as: "stranger")
        let authorities = try directory.write(authority.text, to: "ca.pem")
        func tls(_ paths: (certificate: String, key: String)) -> String {
            "tls { cert_file: \"\(paths.certificate)\", key_file: \"\(paths.key)\", ca_file: \"\(authorities)\", timeout: 30 }"
        }
        try await ConfiguredServer.with(
            pair.first,
            "server_name: A\ncluster { name: C1, listen: \"127.0.0.1:-1\", \(tls(paths)) }\n"
        ) { first in
            func second(_ paths: (certificate: String, key: String)) -> String {
                let routes = "routes: [\"nats://127.0.0.1:\(first.clusterPort)\"]"
                return "server_name: B\ncluster { name: C1, listen: \"127.0.0.1:-1\", \(routes), \(tls(paths)) }\n"
            }
            try await ConfiguredServer.with(pair.second, second(strangers)) { _ in
                try await eventually("the refusal") { first.log.contains("TLS route handshake error") }
            }
            try await ConfiguredServer.with(pair.second, second(paths)) { second in
                try await RoutePairTests.expectRoute(from: second, to: first)
            }
        }
    }
}
