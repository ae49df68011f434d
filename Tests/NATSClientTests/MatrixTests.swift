import NATSTestSupport
import NATSWire
import Testing

@testable import NATSClient

/// The main behaviour of the client with every server, over every link, as everybody.
@Suite struct MatrixTests {
    private func configuration(
        _ cell: MatrixCell,
        _ server: MatrixServer,
        port: Int
    ) -> NATSClientConfiguration {
        var configuration = quickConfiguration("\(cell.link.scheme)://127.0.0.1:\(port)")
        configuration.webSocket.compression = cell.link == .secureWebSocket
        configuration.secureReconnectJitter = .zero
        switch server.credentials {
        case .none: break
        case .password(let user, let password):
            configuration.credentials = .userPassword(user: user, password: password)
        case .token(let token): configuration.credentials = .token(token)
        case .nkey(let seed): configuration.credentials = .nkey(seed: seed)
        case .credsFile(let path): configuration.credentials = .credentialsFile(path)
        }
        if let roots = server.trustRoots {
            configuration.tls.trustRoots = .file(roots)
        }
        return configuration
    }

    @Test("connect, publish, subscribe, request, reconnect and drain", arguments: MatrixCell.available)
    func behaviour(_ cell: MatrixCell) async throws {
        try await cell.withServer { server in
            try await self.strangers(cell, server)
            // A connection to break later stands between the client and the server.
            let proxy = try await FaultProxy.start(to: server.port)
            let client = try await NATSClient.connect(self.configuration(cell, server, port: proxy.port))
            let other = try await NATSClient.connect(self.configuration(cell, server, port: server.port))
            do {
                #expect(client.serverInfo?.supportsHeaders == true && client.state == .connected)
                #expect(try await client.rtt() > .zero)
                try await self.publishSubscribe(client, other)
                try await self.queueGroups(client, other)
                try await self.requests(client, other)
                try await self.limits(client)
                try await self.reconnect(client, other, proxy)
                try await self.drain(client, other)
            } catch {
                await client.close()
                await other.close()
                await proxy.close()
                throw error
            }
            #expect(client.isClosed)
            await other.close()
            await proxy.close()
        }
    }

    /// Who does not belong there is not let in.
    private func strangers(_ cell: MatrixCell, _ server: MatrixServer) async throws {
        guard cell.identity != .nobody else { return }
        var stranger = self.configuration(cell, server, port: server.port)
        stranger.credentials = .none
        await expectError(.authorization) { _ = try await NATSClient.connect(stranger) }
        stranger.credentials = .userPassword(user: "user", password: "wrong")
        await expectError(.authorization) { _ = try await NATSClient.connect(stranger) }
    }

    private func publishSubscribe(_ client: NATSClient, _ other: NATSClient) async throws {
        let exact = try await client.subscribe("a.b", confirm: true)
        let star = try await client.subscribe("a.*", confirm: true)
        let rest = try await client.subscribe(">", confirm: true)
        var headers = NATSHeaders()
        headers.append(name: "Key", value: "one")
        headers.append(name: "Key", value: "two")
        headers.append(name: "key", value: "")
        let large = String(repeating: "x", count: 200_000)
        for (payload, headers) in [("", NATSHeaders()), ("x", headers), (large, headers)] {
            try await other.publish(payload, to: "a.b", reply: "r", headers: headers)
            for subscription in [exact, star, rest] {
                let message = try #require(try await subscription.next(timeout: .seconds(120)))
                #expect(message.subject == "a.b" && message.reply == "r")
                #expect(message.payloadSize == payload.utf8.count && message.string == payload)
                #expect(message.headers == headers)
            }
        }
        for index in 0..<2000 { try await other.publish("\(index)", to: "a.c") }
        for subscription in [star, rest] {
            for index in 0..<2000 {
                #expect(try await subscription.next(timeout: .seconds(120))?.string == "\(index)")
            }
        }
        #expect(exact.statistics.pendingMessages == 0)
        for subscription in [exact, star, rest] { subscription.unsubscribe() }
    }

    private func queueGroups(_ client: NATSClient, _ other: NATSClient) async throws {
        let members = [
            try await client.subscribe("q", queue: "g", confirm: true),
            try await client.subscribe("q", queue: "g", confirm: true),
            try await other.subscribe("q", queue: "g", confirm: true),
        ]
        let limited = try await client.subscribe("q", confirm: true)
        limited.unsubscribe(after: 10)
        try await client.flush()
        for index in 0..<300 { try await other.publish("\(index)", to: "q") }
        try await other.flush()
        try await client.flush()
        #expect(members.reduce(0) { $0 + $1.statistics.pendingMessages } == 300)
        var count = 0
        for try await _ in limited { count += 1 }
        #expect(count == 10)
        for member in members { member.unsubscribe() }
    }

    private func requests(_ client: NATSClient, _ other: NATSClient) async throws {
        let responder = try await other.subscribe("echo", confirm: true)
        let responding = Task {
            for try await message in responder {
                try await message.respond(message.payload, headers: message.headers)
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 {
                group.addTask {
                    let reply = try await client.request(
                        "\(index)",
                        to: "echo",
                        headers: ["Index": "\(index)"],
                        timeout: .seconds(120)
                    )
                    #expect(reply.string == "\(index)" && reply.headers["Index"] == "\(index)")
                }
            }
            try await group.waitForAll()
        }
        await expectError(.noResponders) { _ = try await client.request("", to: "nobody", timeout: .seconds(120)) }
        let silent = try await other.subscribe("silent", confirm: true)
        await expectError(.timeout) { _ = try await client.request("", to: "silent", timeout: .milliseconds(50)) }
        silent.unsubscribe()
        responder.unsubscribe()
        try await responding.value
        #expect(client.statistics.outstandingRequests == 0)
    }

    private func limits(_ client: NATSClient) async throws {
        let limit = try #require(client.serverInfo?.maxPayload)
        await expectError(.maximumPayloadExceeded) {
            try await client.publish([UInt8](repeating: 0, count: limit + 1), to: "a")
        }
        try await client.flush()
        #expect(client.statistics.reconnects == 0)
    }

    private func reconnect(_ client: NATSClient, _ other: NATSClient, _ proxy: FaultProxy) async throws {
        let plain = try await client.subscribe("r", confirm: true)
        let queue = try await client.subscribe("r", queue: "g", confirm: true)
        for round in 1...3 {
            proxy.refuse(true)
            await proxy.cut(round == 1 ? .close : .reset)
            try await eventually { !client.isConnected }
            let kept = Task { try await client.publish("kept \(round)", to: "r") }
            try await kept.value
            proxy.refuse(false)
            try await flushThrough(client)
            try await other.publish("new \(round)", to: "r")
            for subscription in [plain, queue] {
                for text in ["kept \(round)", "new \(round)"] {
                    #expect(try await subscription.next(timeout: .seconds(120))?.string == text)
                }
            }
            #expect(client.statistics.reconnects == round)
        }
        plain.unsubscribe()
        queue.unsubscribe()
    }

    private func drain(_ client: NATSClient, _ other: NATSClient) async throws {
        let done = try await other.subscribe("done", confirm: true)
        let work = try await client.subscribe("work", confirm: true)
        for index in 0..<200 { try await other.publish("\(index)", to: "work") }
        try await other.flush()
        let handled = Watched(0)
        let working = Task {
            for try await message in work {
                try await client.publish(message.payload, to: "done")
                handled.update { $0 += 1 }
            }
        }
        // What nobody iterates over is not waited for.
        #expect(await handled.wait(timeout: .seconds(120)) { $0 > 0 })
        try await client.drain(timeout: .seconds(120))
        try await working.value
        try await other.flush()
        for index in 0..<200 { #expect(try await done.next(timeout: .seconds(120))?.string == "\(index)") }
    }
}
