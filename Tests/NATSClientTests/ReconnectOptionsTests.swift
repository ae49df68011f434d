import NATSTestServer
import NATSTestSupport
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import NATSClient

@Suite struct ReconnectOptionsTests {
    /// A client that has lost its connection, and the server that it may find again.
    private func withDisconnectedClient(
        _ change: (inout NATSClientConfiguration) -> Void,
        _ body: (NATSClient, NATSTestServer) async throws -> Void
    ) async throws {
        let (server, port) = try await NATSTestServer.startOnReservedPort()
        defer { port.release() }
        var configuration = quickConfiguration(server.clientURL)
        change(&configuration)
        try await withTestClient(configuration) { client in
            await server.stop()
            try await eventually { !client.isConnected }
            try await body(client, server)
        }
        await server.stop()
    }

    @Test("a publish without a connection fails if it is to, and nothing is kept")
    func publishFails() async throws {
        try await self.withDisconnectedClient {
            $0.disconnectedPublish = .fail
        } _: { client, server in
            await expectError(.disconnected) { try await client.publish("x", to: "a") }
            await expectError(.disconnected) { try client.tryPublish("x", to: "a") }
            await expectError(.disconnected) { _ = try await client.request("x", to: "a") }
            #expect(client.statistics.bufferedBytes == 0 && client.statistics.messagesOut == 0)
            try await server.restart()
            try await eventually { client.isConnected }
            try await client.publish("x", to: "a")
        }
    }

    @Test("a publish without a connection waits for the next one if it is to, once the buffer is full")
    func publishWaits() async throws {
        try await self.withDisconnectedClient {
            $0.disconnectedPublish = .wait
            $0.reconnectBufferSize = 10
        } _: { client, server in
            let subscription = try await client.subscribe("a")
            try await client.publish("first", to: "a")
            await expectError(.publishBufferFull) { try client.tryPublish("no", to: "a") }
            let waiting = Task { try await client.publish("second", to: "a") }
            let cancelled = Task { try await client.publish("third", to: "a") }
            cancelled.cancel()
            await expectError(.cancelled) { try await cancelled.value }
            await expectError(.timeout) { _ = try await client.request("", to: "a", timeout: .milliseconds(10)) }
            await expectError(.timeout) { _ = try await client.requestMany("", to: "a", timeout: .milliseconds(10)) }
            #expect(client.statistics.messagesOut == 1)
            try await server.restart()
            try await waiting.value
            #expect(try await subscription.next(timeout: .seconds(30))?.string == "first")
            #expect(try await subscription.next(timeout: .seconds(30))?.string == "second")
        }
    }

    @Test("a publish that waits for a connection ends with its client")
    func publishWaitsForNothing() async throws {
        try await self.withDisconnectedClient {
            $0.disconnectedPublish = .wait
            $0.reconnectBufferSize = 0
        } _: { client, _ in
            let waiting = Task { try await client.publish("x", to: "a") }
            await client.close()
            await expectError(.connectionClosed) { try await waiting.value }
        }
    }

    @Test("the user's own wait is asked with the passes that failed")
    func customDelay() async throws {
        let asked = Watched<[Int]>([])
        try await self.withDisconnectedClient {
            $0.reconnectDelay = { passes in
                asked.update { $0.append(passes) }
                return .milliseconds(2)
            }
        } _: { client, server in
            #expect(await asked.wait { $0.count >= 4 })
            #expect(Array(asked.value.prefix(4)) == [1, 2, 3, 4])
            try await server.restart()
            try await eventually { client.isConnected }
        }
    }

    @Test("a connection is given up for the next server, subscriptions and all")
    func forceReconnect() async throws {
        try await NATSTestServer.withServer { first in
            try await NATSTestServer.withServer { second in
                var configuration = quickConfiguration(first.clientURL, second.clientURL)
                configuration.allowReconnect = false
                try await withTestClient(configuration) { client in
                    #expect(client.state == .connected)
                    let subscription = try await client.subscribe("a")
                    try await client.flush()
                    try client.forceReconnect()
                    try await eventually { client.serverInfo?.id == second.serverID && client.isConnected }
                    try await client.publish("x", to: "a")
                    #expect(try await subscription.next(timeout: .seconds(30))?.string == "x")
                    #expect(client.statistics.reconnects == 1)
                    await client.close()
                    #expect(client.state == .closed)
                    await expectError(.connectionClosed) { try client.forceReconnect() }
                    await expectError(.connectionClosed) { try client.setServerPool(["nats://a"]) }
                }
            }
        }
    }

    @Test("a wait before the next attempt ends when it is to")
    func forceReconnectWhileWaiting() async throws {
        let waits = Watched(false)
        try await self.withDisconnectedClient {
            $0.reconnectDelay = { _ in
                waits.update { $0 = true }
                return .seconds(3600)
            }
        } _: { client, server in
            #expect(await waits.wait { $0 })
            #expect(client.state == .reconnecting && client.serverPool.first?.failedAttempts == 1)
            try await server.restart()
            try client.forceReconnect()
            try await eventually { client.isConnected }
        }
    }

    @Test("the wait before the attempt on a chosen server ends when it is to")
    func forceReconnectDuringDelay() async throws {
        try await NATSTestServer.withServer { first in
            try await NATSTestServer.withServer { second in
                let asked = Watched(false)
                let url = second.clientURL
                var configuration = quickConfiguration(first.clientURL, url)
                configuration.reconnectToServer = { _, _ in
                    asked.update { $0 = true }
                    return .init(url: url, delay: .seconds(3600))
                }
                try await withTestClient(configuration) { client in
                    try client.forceReconnect()
                    #expect(await asked.wait { $0 })
                    try client.forceReconnect()
                    try await eventually { client.serverInfo?.id == second.serverID && client.isConnected }
                }
            }
        }
    }

    @Test("a chosen server that left the pool during its delay is not connected to")
    func choiceLeavesPool() async throws {
        try await NATSTestServer.withServer { first in
            try await NATSTestServer.withServer { second in
                try await NATSTestServer.withServer { third in
                    let asked = Watched(0)
                    let url = second.clientURL
                    var configuration = quickConfiguration(first.clientURL, url)
                    configuration.reconnectToServer = { _, _ in
                        asked.update { $0 += 1 }
                        guard asked.value == 1 else {
                            return nil
                        }
                        return .init(url: url, delay: .seconds(3600))
                    }
                    try await withTestClient(configuration) { client in
                        let events = EventRecorder(client)
                        try client.forceReconnect()
                        #expect(await asked.wait { $0 == 1 })
                        try client.setServerPool([third.clientURL])
                        try client.forceReconnect()
                        await events.wait {
                            if case .error(let error, nil) = $0 { error.code == .serverNotInPool } else { false }
                        }
                        try await eventually { client.serverInfo?.id == third.serverID && client.isConnected }
                    }
                }
            }
        }
    }

    @Test("a new pool counts from the next connection on")
    func newPool() async throws {
        try await NATSTestServer.withServer { first in
            try await NATSTestServer.withServer { second in
                try await withTestClient(quickConfiguration(first.clientURL)) { client in
                    #expect(client.serverPool.map(\.url) == [first.clientURL])
                    #expect(client.serverPool.allSatisfy { !$0.isDiscovered && !$0.isGivenUp })
                    await expectError(.invalidConfiguration) { try client.setServerPool([" ,"]) }
                    await expectError(.invalidConfiguration) { try client.setServerPool(["nats://:x"]) }
                    try client.setServerPool([second.clientURL])
                    try await eventually { client.serverPool.map(\.url) == [second.clientURL] }
                    try await client.flush()
                    #expect(client.serverInfo?.id == first.serverID)
                    try client.forceReconnect()
                    try await eventually { client.serverInfo?.id == second.serverID && client.isConnected }
                }
            }
        }
    }

    @Test("the user chooses the next server; one that is not in the pool is reported")
    func chosenServer() async throws {
        let servers = try await [NATSTestServer.start(), NATSTestServer.start(), NATSTestServer.start()]
        let urls = servers.map(\.clientURL)
        let asked = Watched<[[String]]>([])
        var configuration = NATSClientConfiguration(servers: urls)
        configuration.randomizeServers = false
        configuration.connectTimeout = .seconds(20)
        configuration.reconnectToServer = { pool, last in
            asked.update { $0.append(pool.map(\.url) + [last?.url ?? ""]) }
            switch asked.value.count {
            case 1: return .init(url: urls[2], delay: .milliseconds(1))
            case 2: return .init(url: "nats://user:secret@elsewhere:1")
            default: return nil
            }
        }
        try await withTestClient(configuration) { client in
            let events = EventRecorder(client)
            #expect(client.serverInfo?.url == urls[0])
            try client.forceReconnect()
            try await eventually { client.serverInfo?.url == urls[2] && client.isConnected }
            #expect(asked.value == [[urls[1], urls[2], urls[0], urls[0]]])
            // The turn of the others, after the wrong choice and after none.
            try client.forceReconnect()
            await events.wait {
                if case .error(let error, nil) = $0 {
                    error.code == .serverNotInPool && !"\(error)".contains("secret")
                } else {
                    false
                }
            }
            try await eventually { client.serverInfo?.url != urls[2] && client.isConnected }
            try client.forceReconnect()
            try await eventually { client.statistics.reconnects == 3 && client.isConnected }
            #expect(asked.value.count == 3)
        }
        for server in servers {
            await server.stop()
        }
    }

    @Test("refused credentials do not end the client that says so")
    func authenticationForEver() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.ignoreAuthErrorAbort = true
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (first, _) = try await server.acceptClient()
        let client = try await connecting.value
        await first.send("-ERR 'Authorization Violation'\r\n")
        first.close()
        for _ in 0..<3 {
            let peer = try await server.accept()
            await peer.send(ScriptedServer.info() + "-ERR 'Authorization Violation'\r\n")
            peer.close()
        }
        let (last, _) = try await server.acceptClient()
        try await eventually { client.isConnected }
        await client.close()
        last.close()
        await server.close()
    }

    @Test("a server that takes nothing of what it is sent is left")
    func writeTimeout() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.writeTimeout = .milliseconds(50)
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        peer.pauseReading()
        let publishing = Task {
            let payload = [UInt8](repeating: 0, count: 1_000_000)
            while client.lastError == nil {
                try await client.publish(payload, to: "a")
            }
        }
        try await eventually { client.lastError?.code == .staleConnection }
        await client.close()
        _ = await publishing.result
        peer.close()
        await server.close()
    }

    @Test("requests have a time limit of the configuration, and subjects pass unchecked if they are to")
    func requestTimeoutAndSubjects() async throws {
        try await NATSTestServer.withServer { server in
            var configuration = quickConfiguration(server.clientURL)
            configuration.requestTimeout = .milliseconds(20)
            configuration.validatesPublishSubjects = false
            try await withTestClient(configuration) { client in
                let subscription = try await client.subscribe("silent")
                await expectError(.timeout) { _ = try await client.request("", to: "silent") }
                #expect(try await subscription.next(timeout: .seconds(30)) != nil)
                let all = try await client.subscribe(">")
                try await client.publish("x", to: "a..b")
                for subject in ["", "a b", "a\r\nPUB b 0", "a\tb"] {
                    await expectError(.badSubject) { try await client.publish("", to: subject) }
                }
                // The server accepts the subject and matches it with nothing.
                try await client.publish("end", to: "end")
                #expect(try await all.next(timeout: .seconds(30))?.subject == "end")
            }
        }
    }

    @Test("a buffer of no size keeps no publish")
    func noBuffer() async throws {
        try await self.withDisconnectedClient {
            $0.reconnectBufferSize = 0
        } _: { client, server in
            // The loss has been dealt with to its end.
            try await client.core.eventLoop.submit {}.get()
            await expectError(.reconnectBufferExceeded) { try await client.publish("x", to: "a") }
            await expectError(.reconnectBufferExceeded) { try client.tryPublish("", to: "a") }
            await expectError(.reconnectBufferExceeded) { _ = try await client.request("x", to: "a") }
            #expect(client.statistics.bufferedBytes == 0 && client.statistics.messagesOut == 0)
            let subscription = try await client.subscribe("a")
            try await server.restart()
            try await eventually(timeout: .seconds(60)) { client.isConnected }
            try await client.flush(timeout: .seconds(60))
            try await client.publish("y", to: "a")
            #expect(try await subscription.next(timeout: .seconds(60))?.string == "y")
        }
    }

    @Test("reply subjects are checked also where subjects are not")
    func replySubjects() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.validatesPublishSubjects = false
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        for reply in ["", "a b", "a..b", ".a", "a.", "a.*", ">", "a\r\nPUB x 0"] {
            await expectError(.badSubject) { try await client.publish("x", to: "a..b", reply: reply) }
            await expectError(.badSubject) { try client.tryPublish("x", to: "a", reply: reply) }
        }
        try await client.publish("x", to: "a..b", reply: "r.1")
        try await client.publish("y", to: ".>", headers: ["k": "v"])
        try await peer.expect("PUB a..b r.1 1\r\nx\r\nHPUB .> 18 19\r\nNATS/1.0\r\nk: v\r\n\r\ny\r\n")
        await client.close()
        peer.close()
        await server.close()
    }
}
