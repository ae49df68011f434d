import NATSAuth
import NATSTestSupport
import Testing

/// Who may come in as a leaf node, on the official server and ours.
@Suite("leaf nodes and who may come in", .timeLimit(.minutes(5)))
struct LeafSecurityTests {
    private static let accounts = """
        accounts {
          A { users: [ {user: a, password: a} ] }
          B { users: [ {user: b, password: b, allowed_connection_types: ["LEAFNODE", "STANDARD"]} ] }
          SYS { users: [ {user: s, password: s} ] }
        }
        system_account: SYS
        no_auth_user: a

        """

    /// Connects both to account A, by `no_auth_user`, unless said otherwise.
    @Test("user and password of the block, of a list in it, and of an account", arguments: LeafPair.kinds)
    func passwords(pair: LeafPair) async throws {
        let blocks = [
            ", authorization { user: joe, password: secret, account: A, timeout: 60 }",
            ", authorization { users: [ {user: ann, password: x}, {user: joe, password: secret, account: A} ], timeout: 60 }",
        ]
        for block in blocks {
            for login in ["joe:wrong@", "", "nobody:secret@"] {
                try await pair.with(
                    hub: block,
                    leaf: ", account: A",
                    hubRest: Self.accounts,
                    leafRest: Self.accounts,
                    login: login,
                    isJoined: { _, leaf in
                        try await eventually("the refusal") { leaf.log.contains("'Authorization Violation'") }
                    }
                ) { hub, leaf in #expect(!leaf.log.contains("secret") && !hub.log.contains("wrong")) }
            }
            try await pair.with(
                hub: block,
                leaf: ", account: A",
                hubRest: Self.accounts,
                leafRest: Self.accounts,
                login: "joe:secret@"
            ) { hub, leaf in #expect(!leaf.log.contains("secret") && !hub.log.contains("secret")) }
        }
        // Whoever is a user of an account comes to it, to whatever account of its own.
        try await pair.with(
            leaf: ", account: A",
            hubRest: Self.accounts,
            leafRest: Self.accounts,
            login: "b:b@",
            isJoined: { _, _ in }
        ) { hub, leaf in
            let subscriber = try await hub.connect("b")
            let publisher = try await leaf.connect("a")
            await subscriber.send("SUB x 1\r\n")
            try await LeafPair.settle(publisher, "x", subscriber)
            let other = try await hub.connect("a")
            try await other.flush("SUB x 1\r\n")
            await publisher.send("PUB x end 0\r\n\r\n")
            _ = try await subscriber.read(until: " end 0\r\n\r\n")
            try await other.expectNothing()
        }
    }

    @Test("an nkey, by its signature of what the hub has sent", arguments: LeafPair.kinds)
    func nkeys(pair: LeafPair) async throws {
        let keys = try NKeyPair(kind: .user)
        let other = try NKeyPair(kind: .user)
        let block = ", authorization { nkey: \(keys.publicKey.text), timeout: 60 }"
        try await pair.with(
            hub: block,
            leaf: ", nkey: \(other.seed)",
            isJoined: { _, leaf in
                try await eventually("the refusal") { leaf.log.contains("'Authorization Violation'") }
            }
        ) { _, leaf in #expect(!leaf.log.contains(other.seed)) }
        try await pair.with(hub: block, leaf: ", nkey: \(keys.seed)") { _, leaf in
            #expect(!leaf.log.contains(keys.seed))
        }
    }

    @Test("credentials of an operator's user, whose permissions hold on the way", arguments: LeafPair.kinds)
    func credentials(pair: LeafPair) async throws {
        var authority = try TestOperator()
        let account = try authority.addAccount("A")
        let tenant = try Tenant(of: account, authority) { claims in
            claims.limits.permissions.publish.deny = ["secret.>"]
            claims.limits.permissions.subscribe.deny = ["hidden.>"]
        }
        let client = try Tenant(of: account, authority)
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            CredentialsFile(jwt: tenant.jwt, keyPair: tenant.keys).text,
            to: "leaf.creds"
        )
        try await ConfiguredServer.with(pair.hub, LeafPair.hub("", try authority.configurationText())) { hub in
            try await ConfiguredServer.with(
                pair.leaf,
                LeafPair.leaf(hub.leafNodePort, ", credentials: \"\(path)\"")
            ) { leaf in
                do {
                    let atHub = try await client.connect(to: hub)
                    let atLeaf = try await leaf.connect("")
                    await atHub.send("SUB > 1\r\n")
                    try await LeafPair.settle(atLeaf, "open.a", atHub)
                    await atLeaf.send("PUB secret.a 0\r\n\r\nPUB open.end end 0\r\n\r\n")
                    let text = String(decoding: try await atHub.read(until: " end 0\r\n\r\n"), as: UTF8.self)
                    #expect(!text.contains("secret.a"))
                    await atLeaf.send("SUB > 2\r\n")
                    let publisher = try await client.connect(to: hub)
                    try await LeafPair.settle(publisher, "open.b", atLeaf)
                    await publisher.send("PUB hidden.a 0\r\n\r\nPUB open.end last 0\r\n\r\n")
                    let back = String(decoding: try await atLeaf.read(until: " last 0\r\n\r\n"), as: UTF8.self)
                    #expect(!back.contains("hidden.a"))
                } catch {
                    Issue.record("hub:\n\(hub.log)\n\nleaf node:\n\(leaf.log)")
                    throw error
                }
            }
        }
    }

    @Test("what the leaf node denies passes in neither direction", arguments: LeafPair.kinds)
    func denials(pair: LeafPair) async throws {
        try await pair.with(leaf: ", deny_exports: [\"out.>\"], deny_imports: \"in.>\"") { hub, leaf in
            for (here, there, denied) in [(leaf, hub, "out.a"), (hub, leaf, "in.a")] {
                let subscriber = try await there.connect("")
                let publisher = try await here.connect("")
                await subscriber.send("SUB > 1\r\n")
                try await LeafPair.settle(publisher, "other", subscriber)
                await publisher.send("PUB \(denied) 0\r\n\r\nPUB other end 0\r\n\r\n")
                let text = String(decoding: try await subscriber.read(until: " end 0\r\n\r\n"), as: UTF8.self)
                #expect(!text.contains(denied))
                subscriber.close()
            }
        }
    }

    @Test(
        "TLS, with INFO before it or after, with a certificate of the leaf node or without",
        arguments: LeafPair.kinds
    )
    func tls(pair: LeafPair) async throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority()
        let paths = try authority.peer().write(to: directory, as: "peer")
        let authorities = try directory.write(authority.text, to: "ca.pem")
        let stranger = try directory.write(TestAuthority(name: "Another").text, to: "other.pem")
        let certificate = "cert_file: \"\(paths.certificate)\", key_file: \"\(paths.key)\""
        func hub(_ more: String) -> String {
            ", tls { \(certificate), ca_file: \"\(authorities)\", timeout: 30 \(more) }, authorization { timeout: 60 }"
        }
        func leaf(_ more: String, authorities: String) -> String {
            ", first_info_timeout: \"30s\", tls { ca_file: \"\(authorities)\", timeout: 30 \(more) }"
        }
        try await pair.with(hub: hub(""), leaf: leaf("", authorities: authorities)) { _, _ in }
        try await pair.with(
            hub: hub(", verify: true"),
            leaf: leaf(", \(certificate)", authorities: authorities)
        ) { _, _ in }
        try await pair.with(
            hub: hub(", handshake_first: true"),
            leaf: leaf(", handshake_first: true", authorities: authorities)
        ) { _, _ in }
        try await pair.with(
            hub: hub(""),
            leaf: leaf("", authorities: stranger),
            isJoined: { _, leaf in
                try await eventually("the refusal") { leaf.log.contains("TLS leafnode handshake error: ") }
            }
        ) { _, _ in }
        try await pair.with(
            hub: hub(", verify: true"),
            leaf: leaf("", authorities: authorities),
            isJoined: { hub, _ in
                try await eventually("the refusal") { hub.log.contains("TLS leafnode handshake error: ") }
            }
        ) { _, _ in }
    }

    @Test("compression is offered by default, and refused without harm", arguments: LeafPair.kinds)
    func compression(pair: LeafPair) async throws {
        for mode in ["", ", compression: s2_auto", ", compression: accept", ", compression: off"] {
            try await pair.with(
                hub: mode + ", authorization { timeout: 60 }",
                leaf: mode,
                hubRest: "http: \"127.0.0.1:-1\"",
                leafRest: "http: \"127.0.0.1:-1\""
            ) { hub, leaf in
                // Two official servers do compress by default.
                guard pair.hub != .official || pair.leaf != .official else { return }
                for server in [hub, leaf] {
                    let page = try await server.fetch("/leafz").text
                    #expect(page.contains("\"compression\": \"off\""), "\(page)")
                }
            }
        }
    }

    @Test("a server that is leaf node and hub of the same one is told of the loop", arguments: LeafPair.kinds)
    func loops(pair: LeafPair) async throws {
        let port = try ReservedPort()
        let first = """
            server_name: FIRST
            leafnodes { listen: "127.0.0.1:-1", remotes: [ {url: "nats://127.0.0.1:\(port.port)"} ] }

            """
        try await ConfiguredServer.with(pair.hub, first) { first in
            let second = """
                server_name: SECOND
                leafnodes {
                  listen: "127.0.0.1:\(port.port)", remotes: [ {url: "nats://127.0.0.1:\(first.leafNodePort)"} ]
                }

                """
            try await ConfiguredServer.with(pair.leaf, second) { second in
                let text = "Loop detected for leafnode account=\"$G\". Delaying attempt to reconnect for 30s"
                do {
                    try await eventually("the loop") { first.log.contains(text) || second.log.contains(text) }
                } catch {
                    Issue.record("first:\n\(first.log)\n\nsecond:\n\(second.log)")
                    throw error
                }
            }
        }
    }
}
