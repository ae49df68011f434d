import NATSTestServer
import NATSTestSupport
import NIOCore
import NIOPosix
import Testing

@testable import NATSClient

@Suite("addresses of host names")
struct HostResolverTests {
    private func address(_ text: String) throws -> SocketAddress { try SocketAddress(ipAddress: text, port: 4222) }

    private func found() throws -> [SocketAddress] {
        try ["::1", "10.0.0.1", "::2", "10.0.0.2", "10.0.0.1", "::3"].map(self.address)
    }

    @Test("the families come in the wanted order, each address once")
    func order() throws {
        var random = SeededGenerator(seed: 3)
        let v4 = try ["10.0.0.1", "10.0.0.2"].map(self.address)
        let v6 = try ["::1", "::2", "::3"].map(self.address)
        for (order, first, second) in [
            (.any, v6, v4), (.ipv4First, v4, v6), (.ipv6First, v6, v4), (.ipv4Only, v4, []), (.ipv6Only, v6, []),
        ] as [(NATSClientConfiguration.AddressOrder, [SocketAddress], [SocketAddress])] {
            let arranged = HostAddresses(try self.found(), order: order, shuffles: false, random: &random)
            #expect(arranged.first == first && arranged.second == second, "\(order)")
        }
        let reversed = HostAddresses(try self.found().reversed(), order: .any, shuffles: false, random: &random)
        #expect(reversed.first == v6.reversed())
        let v4First = HostAddresses(v4 + v6, order: .any, shuffles: false, random: &random)
        #expect(v4First.first == v4 && v4First.second == v6)
    }

    @Test("the addresses of a family are shuffled, and only if they are to be")
    func shuffle() throws {
        var random = SeededGenerator(seed: 3)
        let many = try (1...50).map { try self.address("10.0.0.\($0)") }
        let kept = HostAddresses(many, order: .any, shuffles: false, random: &random)
        #expect(kept.first == many)
        let shuffled = HostAddresses(many, order: .any, shuffles: true, random: &random)
        #expect(shuffled.first != many && Set(shuffled.first) == Set(many))
    }

    @Test("one look-up answers both queries")
    func queries() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let lookups = Watched(0)
        let found = try self.found()
        let resolver = HostResolver(eventLoop: loop, order: .ipv4First, shuffles: false) { _, _ in
            lookups.update { $0 += 1 }
            return found
        }
        let first = try await resolver.initiateAAAAQuery(host: "a", port: 4222).get()
        let second = try await resolver.initiateAQuery(host: "a", port: 4222).get()
        #expect(first.map(\.ipAddress) == ["10.0.0.1", "10.0.0.2"] && second.count == 3)
        #expect(lookups.value == 1)
    }

    @Test("a name without an address of the wanted family is an error that says so")
    func none() async throws {
        let v4 = try self.address("10.0.0.1")
        let resolver = HostResolver(
            eventLoop: MultiThreadedEventLoopGroup.singleton.any(),
            order: .ipv6Only,
            shuffles: true
        ) { _, _ in [v4] }
        await expectError(.connectionFailed) { _ = try await resolver.initiateAAAAQuery(host: "a", port: 1).get() }
        #expect(throws: (any Error).self) { try HostResolver.systemLookup("no.such.host.invalid", 1) }
    }

    @Test(
        "a server on this machine is reached by name in any order that has IPv4",
        arguments: [NATSClientConfiguration.AddressOrder.any, .ipv4First, .ipv6First, .ipv4Only]
    )
    func reaches(order: NATSClientConfiguration.AddressOrder) async throws {
        try await NATSTestServer.withServer { server in
            var configuration = quickConfiguration("nats://localhost:\(server.port)")
            configuration.addressOrder = order
            try await withTestClient(configuration) { client in
                try await client.flush(timeout: .seconds(30))
                #expect(client.serverInfo?.clientIP == "127.0.0.1")
            }
        }
    }

    @Test("an address is reached as it is: no order keeps it away")
    func literal() async throws {
        try await NATSTestServer.withServer { server in
            var configuration = quickConfiguration("nats://127.0.0.1:\(server.port)")
            configuration.addressOrder = .ipv6Only
            try await withTestClient(configuration) { client in
                try await client.flush(timeout: .seconds(30))
                #expect(client.serverInfo?.clientIP == "127.0.0.1")
            }
        }
    }

    @Test("a server on this machine that has IPv4 only is not reached by name when IPv6 alone is wanted")
    func unwantedFamily() async throws {
        try await NATSTestServer.withServer { server in
            var configuration = quickConfiguration("nats://localhost:\(server.port)")
            configuration.addressOrder = .ipv6Only
            do throws(NATSError) {
                let client = try await NATSClient.connect(configuration)
                Issue.record("connected to \(client.serverInfo?.clientIP ?? "?")")
                await client.close()
            } catch {
                // Nobody listens there, or the name has no such address.
                #expect(error.code == .noServers || error.code == .connectionFailed, "\(error)")
            }
        }
    }
}
