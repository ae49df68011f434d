import NATSTestServer
import NATSTestSupport
import Testing

/// Hashes take their time; nobody else waits for them.
@Suite("floods of passwords on our server")
struct PasswordFloodTests {
    /// Cost 12.
    private static let slow = "$2a$12$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

    @Test("clients whose hash is not computed in time are told so, others work on, and a stop waits for no hash")
    func flood() async throws {
        var options = NATSTestServer.Options()
        options.authTimeout = .seconds(1)
        options.eventLoopCount = 1
        options.users = [.init(name: "slow", password: Self.slow), .init(name: "fast", password: "f")]
        let server = try await NATSTestServer.start(options)
        let running = RunningServer.ours(server)
        let fast = try await running.connect(options: "{\"verbose\":false,\"user\":\"fast\",\"pass\":\"f\"}")
        var flood: [RawConnection] = []
        for number in 0..<100 {
            let peer = try running.rawConnection()
            _ = peer.sendWhatFits(Array("CONNECT {\"user\":\"slow\",\"pass\":\"x\(number)\"}\r\nPING\r\n".utf8))
            flood.append(peer)
        }
        for _ in 0..<20 { try await fast.expectNothing() }
        let timeout = "-ERR 'Authentication Timeout'\r\n"
        for peer in flood {
            try await peer.readInfo()
            let answer = String(decoding: try await peer.readToEnd(), as: UTF8.self)
            #expect(answer == timeout || answer == authorizationViolation)
        }
        try await fast.expectNothing()
        // A hash is being computed while the server ends.
        let last = try await running.connect()
        await last.send("CONNECT {\"user\":\"slow\",\"pass\":\"x\"}\r\n")
        await server.stop()
        _ = try await last.readToEnd()
    }

    @Test("what a client sends while its hash is computed is bounded and handled in order")
    func inputMeanwhile() async throws {
        var options = NATSTestServer.Options()
        options.authTimeout = .seconds(60)
        options.users = [
            .init(name: "u", password: "$2a$11$1oJy/wZYNTxr9jNwMNwS3eUGhBpHT3On8CL9o7ey89mpgo88VG6ba")
        ]
        try await NATSTestServer.withServer(options) { server in
            let running = RunningServer.ours(server)
            let peer = try await running.connect()
            await peer.send(
                "CONNECT {\"verbose\":false,\"pedantic\":false,\"user\":\"u\",\"pass\":\"password\"}\r\nSUB a 1\r\n"
            )
            let count = 20_000
            await peer.send((0..<count).map { "PUB a 5\r\n\(10_000 + $0)\r\n" }.joined() + "PING\r\n")
            let expected = (0..<count).map { "MSG a 1 5\r\n\(10_000 + $0)\r\n" }.joined() + "PONG\r\n"
            try await peer.expect(expected)
            // One that shuts its side down meanwhile still gets its answers.
            let leaving = try await running.connect()
            await leaving.send(
                "CONNECT {\"verbose\":true,\"user\":\"u\",\"pass\":\"password\"}\r\nPING\r\n"
            )
            try await leaving.expect("+OK\r\nPONG\r\n")
        }
    }
}
