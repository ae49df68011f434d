import NATSTestSupport
import Testing

@testable import NATSClient

/// What a server's reason for ending a connection, or for refusing one, means for the connections that follow.
@Suite struct ServerRefusalTests {
    @Test(
        "a server that has no use for the client, or no room, is left alone while there is another",
        arguments: [
            ("Secure Connection - TLS Required", true), ("Failed Account Registration", true),
            ("invalid client protocol", true), ("no responders requires headers support", true),
            ("maximum connections exceeded", false), ("maximum account active connections exceeded", false),
            ("Connection throttling is active. Please try again later.", false),
        ]
    )
    func otherServer(text: String, isGivenUp: Bool) async throws {
        for isAfterConnect in [false, true] {
            let first = try ScriptedServer()
            let second = try ScriptedServer()
            var configuration = quickConfiguration(first.url, second.url)
            // For as long a full server is left alone.
            configuration.maxReconnectWait = .seconds(3600)
            let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
            let refusing = try await first.accept(timeout: .seconds(120))
            if isAfterConnect {
                await refusing.send(ScriptedServer.info())
                _ = try await refusing.read(until: "PING\r\n")
                await refusing.send("-ERR '\(text)'\r\n")
            } else {
                await refusing.send(ScriptedServer.info() + "-ERR '\(text)'\r\n")
            }
            let (peer, _) = try await second.acceptClient(timeout: .seconds(120))
            let client = try await connecting.value
            #expect(client.serverPool.first { $0.url == first.url }?.isGivenUp == isGivenUp)
            try client.forceReconnect()
            let (again, _) = try await second.acceptClient(timeout: .seconds(120))
            try await eventually(timeout: .seconds(60)) { client.statistics.reconnects == 1 }
            #expect(first.acceptedCount == 1 && second.acceptedCount == 2)
            await client.close()
            for connection in [refusing, peer, again] {
                connection.close()
            }
            await first.close()
            await second.close()
        }
    }

    @Test(
        "the only server having no use for the client ends it",
        arguments: [
            ("Secure Connection - TLS Required", NATSError.Code.secureConnectionRequired),
            ("Failed Account Registration", .authorization), ("invalid client protocol", .server),
            ("no responders requires headers support", .server),
        ]
    )
    func onlyServer(text: String, code: NATSError.Code) async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (first, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        first.reset()
        let second = try await server.accept(timeout: .seconds(120))
        await second.send(ScriptedServer.info() + "-ERR '\(text)'\r\n")
        await events.wait { if case .closed(.some(let error)) = $0 { error.code == .noServers } else { false } }
        #expect(events.names == ["disconnected", "reconnectAttemptFailed", "closed"])
        await events.wait { event in
            if case .reconnectAttemptFailed(_, let error) = event { error.code == code } else { false }
        }
        #expect(client.serverPool.first?.isGivenUp == true)
        await client.close()
        #expect(server.acceptedCount == 2)
        second.close()
        await server.close()
    }

    @Test(
        "credentials that run out on two connections in a row, neither of which lasted, end the client",
        arguments: [
            ("User Authentication Expired", NATSError.Code.authExpired), ("User Authentication Revoked", .authRevoked),
            ("Account Authentication Expired", .accountAuthExpired),
        ]
    )
    func expiredTwice(text: String, code: NATSError.Code) async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        // A connection that lived for as long has lasted.
        configuration.maxReconnectWait = .seconds(3600)
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (first, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        await first.send("-ERR '\(text)'\r\n")
        first.close()
        let (second, _) = try await server.acceptClient(timeout: .seconds(120))
        await events.wait { if case .reconnected = $0 { true } else { false } }
        await second.send("-ERR '\(text)'\r\n")
        second.close()
        await events.wait { if case .closed(.some(let error)) = $0 { error.code == code } else { false } }
        #expect(events.names == ["error", "disconnected", "reconnected", "error", "disconnected", "closed"])
        #expect(client.lastError?.code == code)
        await client.close()
        #expect(server.acceptedCount == 2)
        await server.close()
    }

    @Test(
        "behind other errors that close the connection the client connects again",
        arguments: [
            ("maximum control line exceeded", NATSError.Code.protocolViolation),
            ("Maximum Payload Violation", .maximumPayloadExceeded),
            ("Unknown Protocol Operation", .protocolViolation), ("Authentication Timeout", .authenticationTimeout),
        ]
    )
    func connectsAgain(text: String, code: NATSError.Code) async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (first, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        // Also twice in a row.
        var peer = first
        for reconnects in 1...2 as ClosedRange<UInt64> {
            await peer.send("-ERR '\(text)'\r\n")
            peer.close()
            (peer, _) = try await server.acceptClient(timeout: .seconds(120))
            try await eventually(timeout: .seconds(60)) { client.statistics.reconnects == reconnects }
        }
        let areReasons = await events.recorded.wait(timeout: .seconds(60)) { events in
            let reasons = events.compactMap { event in
                if case .disconnected(let error) = event { error?.code } else { nil as NATSError.Code? }
            }
            return reasons == [code, code]
        }
        #expect(areReasons, "\(events.recorded.value)")
        await client.close()
        peer.close()
        await server.close()
    }
}
