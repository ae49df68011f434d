import NATSTestSupport
import Testing

@testable import NATSClient

/// Servers that answer when nobody waits any more.
@Suite struct LateAnswerTests {
    @Test("INFO and PONG that come too late are a time-out, and the next server is asked", arguments: [true, false])
    func handshake(sendsInfo: Bool) async throws {
        let late = try ScriptedServer()
        let good = try ScriptedServer()
        var configuration = instantConfiguration(late.url)
        configuration.servers.append(good.url)
        configuration.connectTimeout = .milliseconds(300)
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let peer = try await late.accept()
        if sendsInfo {
            await peer.send(ScriptedServer.info())
        }
        #expect(await peer.wait { $0.end != nil })
        await peer.send(sendsInfo ? "PONG\r\n" : ScriptedServer.info())
        // The other server has the same little time; its client goes on until it is quick enough.
        let next = try await good.accept()
        await next.send(ScriptedServer.info())
        #expect(await next.wait { $0.end != nil || $0.bytes.endOfFirst(Array("PING\r\n".utf8)) != nil })
        await next.send("PONG\r\n")
        switch await connecting.result {
        case .success(let client):
            #expect(client.serverInfo?.url == good.url)
            await client.close()
        case .failure(let error as NATSError):
            // On a busy machine.
            #expect(error.code == .timeout, "\(error)")
        case .failure(let error):
            Issue.record(error)
        }
        for peer in [peer, next] { peer.close() }
        await late.close()
        await good.close()
    }

    @Test("the PONG of a flush that has timed out is not taken for that of the next")
    func pong() async throws {
        try await withScriptedClient { client, peer in
            await expectError(.timeout) { try await client.flush(timeout: .milliseconds(20)) }
            try await peer.expect("PING\r\n")
            let isAnswered = Watched(false)
            let second = Task {
                try await client.flush(timeout: .seconds(120))
                isAnswered.update { $0 = true }
            }
            try await peer.expect("PING\r\n")
            // The PING behind it shows that the late one has been looked at.
            await peer.send("PONG\r\nPING\r\n")
            try await peer.expect("PONG\r\n")
            #expect(!isAnswered.value)
            await peer.send("PONG\r\n")
            try await second.value
        }
    }

    @Test("a late reply is dropped, a late error is an event, and neither touches anything else")
    func errorsAndReplies() async throws {
        try await withScriptedClient { client, peer in
            let events = EventRecorder(client)
            let gone = try await client.subscribe("gone")
            try await peer.expect("SUB gone 2\r\n")
            gone.unsubscribe()
            try await peer.expect("UNSUB 2\r\n")
            let kept = try await client.subscribe("kept")
            try await peer.expect("SUB kept 3\r\n")
            await expectError(.timeout) { _ = try await client.request("", to: "s", timeout: .milliseconds(20)) }
            _ = try await peer.readLine()
            let publish = try await peer.readLine()
            let reply = try #require(publish.split(separator: " ").dropFirst(2).first.map(String.init))
            try await peer.expect("\r\n")
            await peer.send(
                "MSG \(reply) 1 4\r\nlate\r\nMSG gone 2 4\r\nlate\r\n"
                    + "-ERR 'Permissions Violation for Subscription to \"gone\"'\r\n"
                    + "-ERR 'Permissions Violation for Subscription to \"gone\" (sid \"2\")'\r\n"
                    + "-ERR 'Permissions Violation for Publish to \"s\"'\r\n"
                    + "-ERR 'Permissions Violation for Publish with Reply of \"\(reply)\"'\r\nPONG\r\n"
                    + "MSG kept 3 1\r\nx\r\n"
            )
            #expect(try await kept.next(timeout: .seconds(120))?.string == "x")
            for name in ["gone", "s", reply] {
                await events.wait {
                    if case .error(let error, nil) = $0 { error.permission?.subject == name } else { false }
                }
            }
            #expect(try await gone.next(timeout: .seconds(30)) == nil)
            #expect(client.isConnected && client.statistics.outstandingRequests == 0)
            let request = Task { try await client.request("", to: "s", timeout: .seconds(120)) }
            let again = try await peer.readLine()
            let newReply = try #require(again.split(separator: " ").dropFirst(2).first)
            try await peer.expect("\r\n")
            await peer.send("MSG \(newReply) 1 2\r\nok\r\n")
            #expect(try await request.value.string == "ok")
        }
    }

    @Test("an error that comes while the client drains does not keep it from ending")
    func whileDraining() async throws {
        try await withScriptedClient { client, peer in
            let subscription = try await client.subscribe("a")
            try await peer.expect("SUB a 2\r\n")
            let draining = Task { try await client.drain(timeout: .seconds(120)) }
            try await peer.expect("UNSUB 2\r\nPING\r\n")
            await peer.send("-ERR 'Permissions Violation for Subscription to \"a\" (sid \"2\")'\r\nPONG\r\n")
            _ = await outcome { try await subscription.next(timeout: .seconds(120)) }
            #expect(await peer.wait { $0.bytes.endOfFirst(Array("PING\r\n".utf8)) != nil })
            await peer.send("PONG\r\n")
            try await draining.value
        }
    }
}
