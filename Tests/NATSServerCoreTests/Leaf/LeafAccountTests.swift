import NATSTestSupport
import Testing

/// Leaf nodes, and what accounts give each other, on the official server and ours.
@Suite("leaf nodes and accounts", .timeLimit(.minutes(5)))
struct LeafAccountTests {
    /// Clients without credentials are in A, which imports from B.
    private static let accounts = """
        accounts {
          A {
            users: [ {user: a, password: a} ]
            imports: [
              {stream: {account: B, subject: "events.>"}, prefix: "b"}
              {service: {account: B, subject: "ask"}, to: "b.ask"}
            ]
          }
          B {
            users: [ {user: b, password: b} ]
            exports: [ {stream: "events.>"}, {service: "ask"} ]
          }
        }
        no_auth_user: a

        """

    @Test("a leaf node gets the streams that its account imports, under their names there", arguments: LeafPair.all)
    func streams(pair: LeafPair) async throws {
        try await pair.with(
            hub: ", authorization { account: A, user: x, password: x, timeout: 60 }",
            hubRest: Self.accounts,
            login: "x:x@"
        ) { hub, leaf in
            let subscriber = try await leaf.connect("")
            let publisher = try await hub.connect("b")
            await subscriber.send("SUB b.events.> 1\r\nSUB b.events.q crew 2\r\n")
            try await eventually("the interest") {
                await publisher.send("PUB events.a 0\r\n\r\nPING\r\n")
                try await publisher.expect("PONG\r\n")
                return await subscriber.wait(timeout: .milliseconds(20)) { !$0.bytes.isEmpty }
            }
            await publisher.send("PUB events.end 0\r\n\r\n")
            let text = String(decoding: try await subscriber.read(until: "MSG b.events.end 1 0\r\n\r\n"), as: UTF8.self)
            #expect(text.hasPrefix("MSG b.events.a 1 0\r\n\r\n"))
            await publisher.send("PUB events.q 0\r\n\r\n")
            let both = String(decoding: try await subscriber.read(count: 44), as: UTF8.self)
            #expect(
                both.contains("MSG b.events.q 1 0\r\n\r\n") && both.contains("MSG b.events.q 2 0\r\n\r\n"),
                "\(both)"
            )
            await subscriber.send("UNSUB 1\r\nUNSUB 2\r\nPING\r\n")
            try await subscriber.expect("PONG\r\n")
        }
    }

    @Test("a leaf node may ask for services that its account imports", arguments: LeafPair.all)
    func services(pair: LeafPair) async throws {
        try await pair.with(
            hub: ", authorization { account: A, user: x, password: x, timeout: 60 }",
            hubRest: Self.accounts,
            login: "x:x@"
        ) { hub, leaf in
            let responder = try await hub.connect("b")
            try await responder.flush("SUB ask 1\r\n")
            let requester = try await leaf.connect("")
            await requester.send("SUB in.> 1\r\nPUB b.ask in.1 2\r\nhi\r\n")
            let request = String(decoding: try await responder.read(until: "hi\r\n"), as: UTF8.self)
            let reply = try #require(request.split(separator: " ").dropFirst(3).first)
            #expect(reply.hasPrefix("_R_."), "\(request)")
            await responder.send("PUB \(reply) 2\r\nho\r\n")
            try await requester.expect("MSG in.1 1 2\r\nho\r\n")
        }
    }

    @Test("a service behind a leaf node is asked by other accounts of the hub", arguments: LeafPair.all)
    func exported(pair: LeafPair) async throws {
        try await pair.with(
            hub: ", authorization { account: B, user: x, password: x, timeout: 60 }",
            hubRest: Self.accounts,
            login: "x:x@",
            isJoined: { hub, leaf in
                let subscriber = try await leaf.connect("")
                let publisher = try await hub.connect("b")
                await subscriber.send("SUB joined 1\r\n")
                try await LeafPair.settle(publisher, "joined", subscriber)
            }
        ) { hub, leaf in
            let responder = try await leaf.connect("")
            let requester = try await hub.connect("a", ",\"headers\":true,\"no_responders\":true")
            await responder.send("SUB ask 1\r\n")
            await requester.send("SUB in.> 1\r\n")
            try await eventually("the service") {
                await requester.send("PUB b.ask in.1 2\r\nhi\r\nPING\r\n")
                _ = try await requester.read(until: "PONG\r\n")
                return await responder.wait(timeout: .milliseconds(20)) { !$0.bytes.isEmpty }
            }
            let line = try await responder.readLine()
            let reply = try #require(line.split(separator: " ").dropFirst(3).first)
            #expect(reply.hasPrefix("_R_."), "\(line)")
            await responder.send("PUB \(reply) 2\r\nho\r\n")
            _ = try await requester.read(until: "ho\r\n")
        }
    }

    @Test("subject mappings hold for what comes from a leaf node", arguments: LeafPair.all)
    func mappings(pair: LeafPair) async throws {
        try await pair.with(hubRest: "mappings { \"old.*\": \"new.$1\" }") { hub, leaf in
            let subscriber = try await hub.connect("")
            let publisher = try await leaf.connect("")
            await subscriber.send("SUB new.> 1\r\n")
            try await eventually("the mapping") {
                await publisher.send("PUB old.a 0\r\n\r\nPING\r\n")
                try await publisher.expect("PONG\r\n")
                return await subscriber.wait(timeout: .milliseconds(20)) { !$0.bytes.isEmpty }
            }
            try await subscriber.expect("MSG new.a 1 0\r\n\r\n")
        }
    }
}
