import NATSClient
import NATSTestServer

func testConfiguration(_ url: String) -> NATSClientConfiguration {
    var configuration = NATSClientConfiguration(servers: [url])
    configuration.connectTimeout = .seconds(20)
    configuration.requestTimeout = .seconds(30)
    configuration.reconnectWait = .milliseconds(5)
    configuration.reconnectJitter = .milliseconds(2)
    return configuration
}

/// Runs `body` with a client of a server of its own, both of which are ended however `body` ends.
func withClient(_ body: (NATSClient, NATSTestServer) async throws -> Void) async throws {
    try await NATSTestServer.withServer { server in
        let client = try await NATSClient.connect(testConfiguration(server.clientURL))
        do {
            try await body(client, server)
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }
}
