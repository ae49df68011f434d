import NATSTestServer
import NATSTestSupport
import Testing

@Suite("operator of the test server")
struct OperatorOptionsTests {
    @Test("a test of an application with tenants", .timeLimit(.minutes(1)))
    func tenants() async throws {
        let tenants = try NATSTestServer.Operator(accounts: [
            .init(name: "shop", users: [.init(name: "alice")], exports: [.stream("orders.>", for: ["web"])]),
            .init(name: "web", users: [.init(name: "bob")], imports: [.stream("orders.>", from: "shop")]),
        ])
        try await NATSTestServer.withServer(.init(operator: tenants)) { server in
            let alice = try await RawConnection.connect(to: server, as: tenants.credentials(of: "alice"))
            let bob = try await RawConnection.connect(to: server, as: tenants.credentials(of: "bob"))
            await bob.send("SUB orders.* 1\r\nPING\r\n")
            try await bob.expect("PONG\r\n")
            await alice.send("PUB orders.fruit 8\r\n3 apples\r\n")
            try await bob.expect("MSG orders.fruit 1 8\r\n3 apples\r\n")
        }
    }

    @Test("permissions, limits and what cannot be", .timeLimit(.minutes(1)))
    func details() async throws {
        var shop = NATSTestServer.Account(
            name: "shop",
            users: [.init(name: "alice", permissions: .init(publish: .init(deny: ["no"])))],
            mappings: ["old.*": "new.$1"]
        )
        shop.maxSubscriptions = 1
        let tenants = try NATSTestServer.Operator(accounts: [shop])
        #expect(tenants.publicKey.hasPrefix("O"))
        #expect(tenants.publicKey(ofAccount: "shop")?.hasPrefix("A") == true)
        #expect(try tenants.credentials(of: "alice").file.contains("-----BEGIN NATS USER JWT-----"))
        #expect(throws: NATSTestServerError.self) { try tenants.credentials(of: "nobody") }
        #expect(throws: NATSTestServerError.self) { try NATSTestServer.Operator(accounts: [shop, shop]) }
        try await NATSTestServer.withServer(.init(operator: tenants)) { server in
            let alice = try await RawConnection.connect(to: server, as: tenants.credentials(of: "alice"))
            await alice.send("SUB new.* 1\r\nPUB old.x 1\r\n1\r\nPUB no 1\r\n1\r\nSUB b 2\r\n")
            try await alice.expect("MSG new.x 1 1\r\n1\r\n-ERR 'Permissions Violation for Publish to \"no\"'\r\n")
            try await alice.expect("-ERR 'maximum subscriptions exceeded'\r\n")
            let nobody = try RawConnection.connect(port: server.port, answersPings: true)
            try await nobody.readInfo()
            await nobody.send("CONNECT {\"verbose\":false}\r\n")
            try await nobody.expect("-ERR 'Authorization Violation'\r\n", thenEndWithin: .seconds(30))
        }
    }
}

extension RawConnection {
    /// Connects with credentials; the PING has been answered.
    fileprivate static func connect(
        to server: NATSTestServer,
        as credentials: NATSTestServer.Operator.Credentials
    ) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: server.port, answersPings: true)
        try await connection.connect(jwt: credentials.jwt, seed: credentials.seed)
        try await connection.expect("PONG\r\n")
        return connection
    }
}
