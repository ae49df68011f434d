import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

/// A configuration for one server that reconnects without making tests wait.
func quickConfiguration(_ urls: String...) -> NATSClientConfiguration {
    var configuration = NATSClientConfiguration(servers: urls)
    configuration.randomizeServers = false
    configuration.reconnectWait = .milliseconds(5)
    configuration.maxReconnectWait = .milliseconds(20)
    configuration.reconnectJitter = .milliseconds(2)
    configuration.connectTimeout = .seconds(20)
    return configuration
}

/// Runs `body` with a client that is closed however `body` ends.
func withTestClient<Result>(
    _ configuration: NATSClientConfiguration,
    _ body: (NATSClient) async throws -> Result
) async throws -> Result {
    let client = try await NATSClient.connect(configuration)
    do {
        let result = try await body(client)
        await client.close()
        return result
    } catch {
        await client.close()
        throw error
    }
}

/// Runs `body` with a client and the connection of the scripted server that it is connected to, and ends all three;
/// `change` may change the configuration of the client.
func withScriptedClient(
    _ change: (inout NATSClientConfiguration) -> Void = { _ in },
    _ body: (NATSClient, RawConnection) async throws -> Void
) async throws {
    let server = try ScriptedServer()
    var configuration = quickConfiguration(server.url)
    change(&configuration)
    let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
    let (peer, _) = try await server.acceptClient()
    let client = try await connecting.value
    do {
        try await body(client, peer)
    } catch {
        await client.close()
        throw error
    }
    await client.close()
    peer.close()
    await server.close()
}

/// Calls `body` and returns the error it must throw.
func expectError(
    _ code: NATSError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
    } catch let error as NATSError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    } catch {
        Issue.record("unexpected error \(error)", sourceLocation: sourceLocation)
    }
}

/// Collects a client's events from now on, so that a test can wait for one.
final class EventRecorder: Sendable {
    let recorded = Watched<[NATSEvent]>([])

    init(_ client: NATSClient) {
        let events = client.events
        let recorded = self.recorded
        Task {
            for await event in events {
                recorded.update { $0.append(event) }
            }
        }
    }

    /// Waits until an event matches.
    func wait(
        sourceLocation: SourceLocation = #_sourceLocation,
        for matches: @escaping @Sendable (NATSEvent) -> Bool
    ) async {
        let found = await self.recorded.wait { $0.contains(where: matches) }
        #expect(found, "events so far: \(self.recorded.value)", sourceLocation: sourceLocation)
    }

    /// The names of the events, in order.
    var names: [String] {
        self.recorded.value.map { event in
            switch event {
            case .connected: "connected"
            case .disconnected: "disconnected"
            case .reconnectAttemptFailed: "reconnectAttemptFailed"
            case .reconnected: "reconnected"
            case .discovered: "discovered"
            case .lameDuckMode: "lameDuckMode"
            case .migrated: "migrated"
            case .slowConsumer: "slowConsumer"
            case .slowConsumerEnded: "slowConsumerEnded"
            case .error: "error"
            case .closed: "closed"
            }
        }
    }
}
