import NATSTestSupport
import Testing

/// What comes in at the port for leaf nodes and is none, on the official server and ours.
@Suite("leaf nodes that are none", .timeLimit(.minutes(5)))
struct LeafHostileTests {
    private static let hub = LeafPair.hub(", compression: off, authorization { timeout: 60 }")

    private static func dial(_ server: ConfiguredServer) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: server.leafNodePort)
        try await connection.readInfo()
        return connection
    }

    @Test("who is wrong here is told so, and the connection ends", arguments: ServerUnderTest.available)
    func strangers(server: ServerUnderTest) async throws {
        let samples: [(said: String, answer: String, reason: String)] = [
            (
                #"CONNECT {"verbose":false,"lang":"go","version":"1.50.0"}"#,
                "-ERR 'attempted to connect to leaf node port'\r\n", "Incorrect Port"
            ),
            (
                #"CONNECT {"name":"X","gateway":"gw"}"#,
                "-ERR 'Rejecting connection from gateway \"gw\" on the leafnode port'\r\n", "Wrong Gateway"
            ),
            (
                #"CONNECT {"name":"X","cluster":"a b"}"#,
                "-ERR 'cluster name cannot contain spaces'\r\n", "Protocol Violation"
            ),
            ("PING", "-ERR 'Authorization Violation'\r\n", "Authentication Failure"),
            ("LS+ foo", "-ERR 'Authorization Violation'\r\n", "Authentication Failure"),
            (#"INFO {"server_id":"X"}"#, "-ERR 'Authorization Violation'\r\n", "Authentication Failure"),
            ("CONNECT {", "", "Protocol Violation"),
        ]
        try await ConfiguredServer.with(server, Self.hub) { server in
            for sample in samples {
                let connection = try await Self.dial(server)
                await connection.send(sample.said + "\r\n")
                try await connection.expect(sample.answer)
                try await connection.expectEnd()
                guard !sample.answer.isEmpty else { continue }
                try await eventually("the log of \(sample.said)") {
                    server.log.contains("Leafnode connection closed: \(sample.reason)")
                }
            }
        }
    }

    @Test("what a leaf node says wrongly ends its connection, or is not heard", arguments: ServerUnderTest.available)
    func wrongLines(server: ServerUnderTest) async throws {
        let samples: [(said: String, answer: String?)] = [
            ("LS+ foo..bar\r\n", nil), ("LS- foo\r\n", nil), ("LMSG foo 2\r\nhi\r\n", nil),
            ("LMSG foo | nobody 2\r\nhi\r\n", nil), ("LMSG foo + r nobody 2\r\nhi\r\n", nil), ("-ERR 'x'\r\n", nil),
            ("LS+ a b\r\n", ""), ("LMSG a x b 2\r\n", ""), ("LMSG foo -1\r\n", ""),
            ("LMSG foo 2\r\nhiho", "-ERR 'Unknown Protocol Operation'\r\n"),
            ("BOGUS\r\n", "-ERR 'Unknown Protocol Operation'\r\n"),
            ("LS+ " + String(repeating: "a", count: 70_000), "-ERR 'maximum control line exceeded'\r\n"),
        ]
        try await ConfiguredServer.with(server, Self.hub) { server in
            for (index, sample) in samples.enumerated() {
                let connection = try await Self.dial(server)
                await connection.send("CONNECT {\"name\":\"X\(index)\",\"headers\":true}\r\nPING\r\n")
                _ = try await connection.read(until: "PONG\r\n")
                await connection.send(sample.said)
                guard let answer = sample.answer else {
                    await connection.send("PING\r\n")
                    let text = String(decoding: try await connection.read(until: "PONG\r\n"), as: UTF8.self)
                    let errors = text.split(separator: "\r\n").filter { $0.hasPrefix("-ERR") }
                    #expect(
                        errors == (sample.said.contains("..") ? ["-ERR 'Invalid Subscription'"] : []),
                        "\(sample.said.prefix(40))"
                    )
                    connection.close()
                    continue
                }
                let text = String(decoding: try await connection.readToEnd(), as: UTF8.self)
                let errors = text.split(separator: "\r\n").filter { $0.hasPrefix("-ERR") }.map { "\($0)\r\n" }
                #expect(errors.joined() == answer, "\(sample.said.prefix(40))")
            }
        }
    }

    @Test("what a leaf node wants is counted against the limit", arguments: ServerUnderTest.available)
    func limits(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.hub + "max_subscriptions: 3\n") { server in
            let connection = try await Self.dial(server)
            await connection.send("CONNECT {\"name\":\"X\"}\r\nPING\r\n")
            _ = try await connection.read(until: "PONG\r\n")
            await connection.send("LS+ a\r\nLS+ b g 7\r\nLS+ c\r\nLS+ b g 9\r\nLS+ d\r\nPING\r\n")
            let text = String(decoding: try await connection.read(until: "PONG\r\n"), as: UTF8.self)
            #expect(text.contains("-ERR 'maximum subscriptions exceeded'\r\n"))
            await connection.send("LS- a\r\nLS+ d\r\nPING\r\n")
            let rest = String(decoding: try await connection.read(until: "PONG\r\n"), as: UTF8.self)
            #expect(!rest.contains("-ERR"))
        }
    }

    @Test("a hub that says nothing, or is none, is tried again", arguments: ServerUnderTest.available)
    func otherPorts(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(.ours, "server_name: A\ncluster { name: C, listen: \"127.0.0.1:-1\" }\n") {
            other in
            for port in [other.port, other.clusterPort] {
                try await ConfiguredServer.with(server, LeafPair.leaf(port)) { leaf in
                    try await eventually("the refusal") {
                        leaf.log.contains("attempted to connect to wrong port")
                    }
                    try await eventually("the next attempt") {
                        leaf.log.ranges(of: "Leafnode connection created").count > 1
                    }
                }
            }
        }
    }
}
