import NATSTestSupport
import Testing

/// Messages between the other servers of a cluster and the leaf nodes of one of them; the peers are the test.
@Suite("routed messages and leaf nodes", .timeLimit(.minutes(5)))
struct LeafRoutedTests {
    private static let configuration = LeafPair.hub(
        ", compression: off, authorization { timeout: 60 }",
        "cluster { name: C1, listen: \"127.0.0.1:-1\", pool_size: -1 }"
    )

    /// A leaf node that is a few lines: it wants something.
    private static func join(_ server: ConfiguredServer, _ interest: String) async throws -> RawConnection {
        let connection = try await Self.dial(server)
        await connection.send("\(interest)PING\r\n")
        _ = try await connection.read(until: "PONG\r\n")
        return connection
    }

    private static func dial(_ server: ConfiguredServer, name: String = "LEAF") async throws -> RawConnection {
        let connection = try RawConnection.connect(port: server.leafNodePort, answersPings: true)
        try await connection.readInfo()
        await connection.send("CONNECT {\"name\":\"\(name)\",\"headers\":true,\"user\":\"x\",\"pass\":\"x\"}\r\n")
        return connection
    }

    /// The messages up to one, without what is said about interest.
    private static func messages(_ peer: RawConnection, until end: String) async throws -> [String] {
        String(decoding: try await peer.read(until: end), as: UTF8.self).split(separator: "\r\n").map(String.init)
            .filter { line in !["LS", "RS", "PING", "PONG", "INFO"].contains { line.hasPrefix($0) } }
    }

    private static func settle(_ sender: RawConnection, _ message: String, _ receiver: RawConnection) async throws {
        try await eventually("the way from one to the other") {
            await sender.send(message)
            return await receiver.wait(timeout: .milliseconds(20)) {
                String(decoding: $0.bytes, as: UTF8.self).contains(" w | g1 2\r\nhi\r\n")
            }
        }
        await sender.send(message.replacing("hi", with: "!!"))
        _ = try await receiver.read(until: "!!\r\n")
    }

    @Test(
        "a queue group behind a leaf node comes before other servers, and after members here",
        arguments: ServerUnderTest.available
    )
    func groups(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.configuration) { server in
            let leaf = try await Self.join(server, "LS+ w g1 1\r\nLS+ plain\r\n")
            let member = try await RoutedQueueTests.join(server, "NMEMBER", "RS+ $G w g1 1\r\nRS+ $G free\r\n")
            let sender = try await RoutedQueueTests.join(server, "NSENDER", "RS+ $G other\r\n")
            try await Self.settle(sender, "RMSG $G w | g1 2\r\nhi\r\n", leaf)
            await sender.send("RMSG $G w + in.box g1 3\r\nabc\r\nRMSG $G free 1\r\nx\r\nRMSG $G plain 3\r\nend\r\n")
            #expect(
                try await Self.messages(leaf, until: "end\r\n")
                    == ["LMSG w + in.box g1 3", "abc", "LMSG plain 3", "end"]
            )
            let local = try await server.connect("")
            try await local.flush("SUB w g1 1\r\n")
            await sender.send("RMSG $G w | g1 5\r\nlocal\r\nRMSG $G plain 3\r\nend\r\n")
            try await local.expect("MSG w 1 5\r\nlocal\r\n")
            #expect(try await Self.messages(leaf, until: "end\r\n") == ["LMSG plain 3", "end"])
            // Nobody here, and nobody behind a leaf node: then another server.
            try await local.flush("UNSUB 1\r\n")
            await leaf.send("LS- w g1\r\nPING\r\n")
            _ = try await leaf.read(until: "PONG\r\n")
            try await Self.settle(sender, "RMSG $G w | g1 2\r\nhi\r\n", member)
            await sender.send("RMSG $G w | g1 4\r\nlast\r\nRMSG $G plain 3\r\nend\r\n")
            #expect(try await Self.messages(leaf, until: "end\r\n") == ["LMSG plain 3", "end"])
            // What comes from the leaf node goes to the cluster.
            await leaf.send("LMSG w | g1 3\r\nabc\r\nLMSG free 3\r\nend\r\n")
            #expect(
                try await Self.messages(member, until: "3\r\nend\r\n")
                    == ["RMSG $G w | g1 4", "last", "RMSG $G w | g1 3", "abc", "RMSG $G free 3", "end"]
            )
        }
    }

    /// The official server may choose a server that has a plain subscriber as well, who gets it twice then.
    @Test("a server that has other subscribers is not sent what was routed for a queue group, whatever leaf nodes want")
    func alreadyThere() async throws {
        try await ConfiguredServer.with(.ours, Self.configuration) { server in
            let leaf = try await Self.join(server, "LS+ both\r\nLS+ both g1 1\r\n")
            let interest = "RS+ $G w g1 1\r\nRS+ $G both\r\nRS+ $G both g1 1\r\n"
            let member = try await RoutedQueueTests.join(server, "NMEMBER", interest)
            let sender = try await RoutedQueueTests.join(server, "NSENDER", "RS+ $G other\r\n")
            try await Self.settle(sender, "RMSG $G w | g1 2\r\nhi\r\n", member)
            await sender.send("RMSG $G both | g1 3\r\ntwo\r\n")
            #expect(try await Self.messages(leaf, until: "two\r\n") == ["LMSG both | g1 3", "two"])
            await leaf.send("LS- both g1\r\nPING\r\n")
            _ = try await leaf.read(until: "PONG\r\n")
            await sender.send("RMSG $G both | g1 3\r\none\r\nRMSG $G w | g1 3\r\nend\r\n")
            #expect(try await Self.messages(leaf, until: "one\r\n") == ["LMSG both 3", "one"])
            #expect(try await Self.messages(member, until: "3\r\nend\r\n") == ["RMSG $G w | g1 3", "end"])
        }
    }

    private static let limited = LeafPair.hub(
        ", compression: off, authorization { account: A, user: x, password: x, timeout: 60 }",
        """
        cluster { name: C1, listen: "127.0.0.1:-1", pool_size: -1 }
        accounts { A { users: [ {user: a} ], limits: {max_leafnodes: 2} }, SYS { users: [ {user: s} ] } }
        system_account: SYS
        """
    )

    @Test("leaf nodes of other servers count against an account's limit", arguments: ServerUnderTest.available)
    func limits(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.limited) { server in
            let peer = try await RoutedQueueTests.join(server, "NPEER", "")
            func tell(_ count: Int, _ sequence: Int) async {
                let text = """
                    {"server":{"name":"P","id":"NPEER","seq":\(sequence)},"acc":"A","conns":0,"leafnodes":\(count)}
                    """
                await peer.send("RMSG SYS $SYS.SERVER.ACCOUNT.A.CONNS \(text.utf8.count)\r\n\(text)\r\n")
            }
            let refusal = "-ERR 'maximum account active connections exceeded'\r\n"
            var leafs: [RawConnection] = []
            for name in ["one", "two"] {
                let leaf = try await Self.dial(server, name: name)
                _ = try await leaf.read(until: "LS+ $LDS.")
                leafs.append(leaf)
            }
            await tell(1, 1)
            // One of the two; the official server takes any.
            try await eventually("the surplus to be closed") {
                leafs.count { String(decoding: $0.unread, as: UTF8.self).contains(refusal) } == 1
            }
            let third = try await Self.dial(server, name: "three")
            try await third.expect("-ERR 'Authorization Violation'\r\n")
            try await third.expectEnd()
            await tell(0, 2)
            try await eventually("room") {
                let leaf = try await Self.dial(server, name: "four")
                let text = String(decoding: try await leaf.read(until: "\r\n"), as: UTF8.self)
                leaf.close()
                return !text.hasPrefix("-ERR")
            }
        }
    }
}
