import NATSTestServer
import Testing

@Suite("NATSTestServer")
struct NATSTestServerTests {
    @Test("a server is ready when start returns, and stops twice without harm")
    func startAndStop() async throws {
        let server = try await NATSTestServer.start()
        #expect(server.port > 0)
        #expect(server.clientURL == "nats://127.0.0.1:\(server.port)")
        #expect(server.serverID.count == 56)
        #expect(server.serverID.hasPrefix("N"))
        await server.stop()
        await server.stop()
    }

    @Test("a restarted server keeps its port")
    func restart() async throws {
        try await NATSTestServer.withServer { server in
            let port = server.port
            let id = server.serverID
            try await server.restart()
            #expect(server.port == port)
            #expect(server.serverID != id)
        }
    }

    @Test("several servers run in one process")
    func several() async throws {
        try await NATSTestServer.withServer { first in
            try await NATSTestServer.withServer { second in
                #expect(first.port != second.port)
            }
        }
    }

    @Test("a port in use is an error with the official text")
    func portInUse() async throws {
        try await NATSTestServer.withServer { server in
            var options = NATSTestServer.Options()
            options.port = server.port
            let error = await #expect(throws: NATSTestServerError.self) {
                _ = try await NATSTestServer.start(options)
            }
            let address = "127.0.0.1:\(server.port)"
            #expect(
                error?.message
                    == "Error listening on port: \(address), \"listen tcp \(address): bind: address already in use\""
            )
        }
    }
}
