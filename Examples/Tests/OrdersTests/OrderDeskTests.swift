import NATSClient
import NATSTestServer
import Orders
import Testing

@Suite("order desk")
struct OrderDeskTests {
    /// A desk on a server of its own, which is gone afterwards.
    private func withDesk(_ body: @Sendable (NATSTestServer, NATSClient) async throws -> Void) async throws {
        try await NATSTestServer.withServer { server in
            let configuration = NATSClientConfiguration(servers: [server.clientURL])
            let desk = try await NATSClient.connect(configuration)
            let running = Task { try await OrderDesk(client: desk).run() }
            try await NATSClient.withClient(configuration) { shop in
                // Until somebody listens: a request says so at once.
                while true {
                    do {
                        _ = try await OrderDesk.place("", over: shop)
                        break
                    } catch let error as NATSError where error.code == .noResponders {
                        await Task.yield()
                    }
                }
                try await body(server, shop)
            }
            try await desk.drain()
            try await running.value
        }
    }

    @Test("an order is taken, and everybody is told")
    func taken() async throws {
        try await self.withDesk { _, shop in
            let placed = try await shop.subscribe("orders.placed")
            #expect(try await OrderDesk.place("3 apples", over: shop))
            #expect(try await placed.next(timeout: .seconds(10))?.string == "3 apples")
        }
    }

    @Test("nothing is no order")
    func nothing() async throws {
        try await self.withDesk { _, shop in
            let isTaken = try await OrderDesk.place("", over: shop)
            #expect(!isTaken)
        }
    }

    @Test("the desk is there again when the server is")
    func restart() async throws {
        try await self.withDesk { server, shop in
            try await server.restart()
            while true {
                do {
                    #expect(try await OrderDesk.place("1 pear", over: shop))
                    break
                } catch let error as NATSError where error.code == .noResponders || error.code == .disconnected {
                    await Task.yield()
                }
            }
        }
    }
}
