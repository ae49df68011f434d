import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

/// Connections that break after each byte of one message on its way to the server, and on its way to the client.
///
/// What is promised: a message arrives whole and once or not at all, order is kept, whatever waits is told, and what is
/// sent once the connection is back arrives.
@Suite struct OperationCutTests {
    typealias Fault = FaultProxy.Fault
    typealias End = FaultProxy.End

    enum Kind: String, CaseIterable {
        case plain
        case withHeaders

        var headers: NATSHeaders {
            guard self == .withHeaders else { return NATSHeaders() }
            var headers = NATSHeaders()
            headers.append(name: "Name", value: "value")
            return headers
        }
    }

    private static func ends(_ position: Int) -> [End] {
        let ends: [End] = [.close, .reset, .finish, .garbage(Array("\0garbage\0".utf8))]
        return TestDependencies.runsLongTests ? ends : [ends[position % 4], ends[(position + 1) % 4]]
    }

    /// Texts of one length.
    private static func text(_ position: Int) -> String {
        "text \(position < 10 ? "0" : "")\(position)"
    }

    private func check(_ message: NATSMessage, _ kind: Kind) {
        #expect(message.headers["Name"] == (kind == .plain ? nil : "value"))
        #expect(message.string.hasPrefix("text "))
    }

    @Test("what a client publishes while its connection is cut", arguments: ServerUnderTest.oneEach, Kind.allCases)
    func publish(_ server: ServerUnderTest, _ kind: Kind) async throws {
        try await server.withServer { running in
            let proxy = try await FaultProxy.start(to: running.port)
            let receiver = try await NATSClient.connect(quickConfiguration(running.url))
            let received = try await receiver.subscribe("p.>", confirm: true)
            let responder = try await receiver.subscribe("echo", confirm: true)
            let responding = Task {
                for try await message in responder {
                    try await message.respond("")
                }
            }
            try await withTestClient(instantConfiguration(proxy.url)) { client in
                // "PUB p.a 7\r\ntext 00\r\n", and the same with headers.
                for position in 0...(kind == .plain ? 20 : 50) {
                    for end in Self.ends(position) {
                        let text = Self.text(position)
                        let hits = proxy.hitCount
                        await proxy.arm(Fault(.toServer, after: position, end))
                        // All of these go out behind each other, and each comes to an end of its own.
                        try await client.publish(text, to: "p.a", headers: kind.headers)
                        async let request = outcome { try await client.request("", to: "echo", timeout: .seconds(120)) }
                        async let flush = outcome { try await client.flush(timeout: .seconds(120)) }
                        try await eventually { proxy.hitCount > hits }
                        let isGarbage = if case .garbage = end { true } else { false }
                        if isGarbage {
                            // The server may take it for the rest of a message, and wait for more.
                            await proxy.cut(.reset)
                        }
                        for code in [await request, await flush] {
                            #expect(code == nil || code == .disconnected, "\(String(describing: code))")
                        }
                        try await flushThrough(client)
                        await proxy.arm(nil)
                        try await client.publish("mark", to: "p.mark")
                        var arrived: [NATSMessage] = []
                        while let message = try await received.next(timeout: .seconds(120)) {
                            guard message.subject != "p.mark" else { break }
                            arrived.append(message)
                        }
                        #expect(arrived.count <= 1, "\(text) \(end): \(arrived.map(\.string))")
                        for message in arrived where !isGarbage {
                            self.check(message, kind)
                            #expect(message.string == text && message.subject == "p.a")
                        }
                    }
                }
                #expect(client.statistics.outstandingRequests == 0 && client.statistics.bufferedBytes == 0)
            }
            await receiver.close()
            try await responding.value
            await proxy.close()
        }
    }

    @Test("what a client receives while its connection is cut", arguments: ServerUnderTest.oneEach, Kind.allCases)
    func receive(_ server: ServerUnderTest, _ kind: Kind) async throws {
        try await server.withServer { running in
            let proxy = try await FaultProxy.start(to: running.port)
            let publisher = try await NATSClient.connect(quickConfiguration(running.url))
            try await withTestClient(instantConfiguration(proxy.url)) { client in
                let subscription = try await client.subscribe("m.>", confirm: true)
                // "MSG m.a 2 7\r\ntext 00\r\n", and the same with headers.
                for position in 0...(kind == .plain ? 22 : 52) {
                    for end in Self.ends(position) {
                        let text = Self.text(position)
                        let hits = proxy.hitCount
                        await proxy.arm(Fault(.toClient, after: position, end))
                        try await publisher.publish(text, to: "m.a", headers: kind.headers)
                        try await publisher.flush()
                        async let flush = outcome { try await client.flush(timeout: .seconds(120)) }
                        try await eventually { proxy.hitCount > hits }
                        if case .garbage = end {
                            // It may be taken for the rest of a message.
                            await proxy.cut(.reset)
                        }
                        let code = await flush
                        #expect(code == nil || code == .disconnected, "\(String(describing: code))")
                        try await flushThrough(client)
                        await proxy.arm(nil)
                        try await client.publish("mark", to: "m.mark")
                        var arrived: [NATSMessage] = []
                        while let message = try await subscription.next(timeout: .seconds(120)) {
                            guard message.subject != "m.mark" else { break }
                            arrived.append(message)
                        }
                        #expect(arrived.count <= 1, "\(text) \(end): \(arrived.map(\.string))")
                        for message in arrived {
                            self.check(message, kind)
                            #expect(message.string == text && message.subject == "m.a")
                        }
                    }
                }
                #expect(subscription.statistics.dropped == 0 && subscription.statistics.pendingMessages == 0)
            }
            await publisher.close()
            await proxy.close()
        }
    }
}
