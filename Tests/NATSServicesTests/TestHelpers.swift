import NATSClient
import NATSServices
import NATSTestSupport
import Testing

func testConfiguration(_ url: String) -> NATSClientConfiguration {
    var configuration = NATSClientConfiguration(servers: [url])
    configuration.connectTimeout = .seconds(20)
    configuration.requestTimeout = .seconds(30)
    return configuration
}

/// Two connections to one server, of which the first is to offer services.
func withClients(
    _ server: ServerUnderTest,
    _ body: (_ provider: NATSClient, _ requester: NATSClient) async throws -> Void
) async throws {
    try await server.withServer { server in
        try await withClients(server.url, body)
    }
}

func withClients(
    _ url: String,
    _ body: (_ provider: NATSClient, _ requester: NATSClient) async throws -> Void
) async throws {
    let provider = try await NATSClient.connect(testConfiguration(url))
    let requester: NATSClient
    do {
        requester = try await NATSClient.connect(testConfiguration(url))
    } catch {
        await provider.close()
        throw error
    }
    do {
        try await body(provider, requester)
    } catch {
        await provider.close()
        await requester.close()
        throw error
    }
    await provider.close()
    await requester.close()
}

extension NATSServiceConfiguration {
    static func sums(_ change: (inout NATSServiceConfiguration) -> Void = { _ in }) -> NATSServiceConfiguration {
        var configuration = NATSServiceConfiguration(
            name: "sums",
            version: "1.2.3",
            description: "adds up",
            metadata: ["zone": "a"]
        )
        change(&configuration)
        return configuration
    }
}

/// Calls `body`, which must throw a `NATSError` of this code.
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
