import NATSTestServer
import NATSTestSupport
import Testing

@Suite("accounts of the test server")
struct AccountOptionsTests {
    private func connect(_ user: String, _ server: NATSTestServer) async throws -> RawConnection {
        let peer = try RawConnection.connect(port: server.port, answersPings: true)
        try await peer.readInfo()
        await peer.send("CONNECT {\"verbose\":false,\"user\":\"\(user)\",\"pass\":\"\(user)\"}\r\nPING\r\n")
        try await peer.expect("PONG\r\n")
        return peer
    }

    private static var options: NATSTestServer.Options {
        var options = NATSTestServer.Options()
        options.accounts = [
            .init(
                name: "shop",
                users: [.init(name: "shop", password: "shop")],
                exports: [.stream("orders.>"), .service("price.*", for: ["web"])],
                mappings: ["old.*": "orders.$1"]
            ),
            .init(
                name: "web",
                users: [.init(name: "web", password: "web")],
                imports: [.stream("orders.>", from: "shop"), .service("price.*", from: "shop", as: "ask.$1")]
            ),
        ]
        return options
    }

    @Test("two accounts that share a stream and a service", .timeLimit(.minutes(1)))
    func sharing() async throws {
        try await NATSTestServer.withServer(Self.options) { server in
            let shop = try await self.connect("shop", server)
            let web = try await self.connect("web", server)
            await web.send("SUB orders.* 1\r\nSUB reply 2\r\nPING\r\n")
            try await web.expect("PONG\r\n")
            await shop.send("SUB price.* 1\r\nPUB old.x 1\r\n1\r\nPUB other 1\r\n2\r\n")
            try await web.expect("MSG orders.x 1 1\r\n1\r\n")
            try await shop.expectNothing()
            await web.send("PUB ask.book reply 0\r\n\r\n")
            let words = try await shop.readLine().split(separator: " ")
            #expect(words.prefix(2) == ["MSG", "price.book"])
            await shop.send("PUB \(words[3]) 2\r\n42\r\n")
            try await web.expect("MSG reply 2 2\r\n42\r\n")
        }
    }

    @Test("the system account is told who comes, and answers questions", .timeLimit(.minutes(1)))
    func systemAccount() async throws {
        var options = Self.options
        options.accounts.append(.init(name: "watch", users: [.init(name: "watch", password: "watch")]))
        options.systemAccount = "watch"
        try await NATSTestServer.withServer(options) { server in
            let watch = try await self.connect("watch", server)
            await watch.send("SUB $SYS.ACCOUNT.web.CONNECT 1\r\nSUB answer 2\r\nPING\r\n")
            try await watch.expect("PONG\r\n")
            #expect(await server.statistics().subscriptions == 2)
            let web = try await self.connect("web", server)
            #expect(try await watch.readLine().hasPrefix("MSG $SYS.ACCOUNT.web.CONNECT 1 "))
            #expect(try await watch.readLine().contains("\"user\":\"web\""))
            await watch.send("PUB $SYS.REQ.SERVER.PING.IDZ answer 0\r\n\r\n")
            #expect(try await watch.readLine().hasPrefix("MSG answer 2 "))
            #expect(try await watch.readLine().contains("\"id\":\"\(server.serverID)\""))
            withExtendedLifetime(web) {}
        }
    }

    @Test("what cannot be shared is refused, at the start and later", .timeLimit(.minutes(1)))
    func refused() async throws {
        var notExported = Self.options
        notExported.accounts[1].imports.append(.service("cost", from: "shop"))
        var unknown = Self.options
        unknown.accounts[1].imports.append(.stream("x", from: "nobody"))
        var mapping = Self.options
        mapping.accounts[0].mappings["a.*"] = "b.$2"
        var twice = Self.options
        twice.accounts.append(.init(name: "web"))
        let running = try await NATSTestServer.start(Self.options)
        for (options, part) in [
            (notExported, "service import not authorized"), (unknown, "account not defined for stream import"),
            (mapping, "wildcard index out of range"), (twice, "Duplicate"),
        ] {
            let start = await #expect(throws: NATSTestServerError.self) { try await NATSTestServer.start(options) }
            #expect(start?.message.contains(part) == true, "\(start?.message ?? "")")
            await #expect(throws: NATSTestServerError.self) { try await running.reloadAuthorization(options) }
        }
        await running.stop()
    }
}
