import NATSTestSupport
import Testing

@testable import NATSClient

/// A configuration whose reconnects take next to no time, for tests with hundreds of them.
func instantConfiguration(_ url: String) -> NATSClientConfiguration {
    var configuration = quickConfiguration(url)
    configuration.reconnectWait = .milliseconds(1)
    configuration.maxReconnectWait = .milliseconds(1)
    configuration.reconnectJitter = .zero
    configuration.secureReconnectJitter = .zero
    return configuration
}

/// Flushes until a connection lives long enough for it.
func flushThrough(_ client: NATSClient) async throws {
    while true {
        do throws(NATSError) {
            return try await client.flush(timeout: .seconds(120))
        } catch {
            guard error.code == .disconnected else { throw error }
        }
    }
}

/// What an operation came to: it always comes to something.
func outcome<Value>(_ body: () async throws -> Value) async -> NATSError.Code? {
    do {
        _ = try await body()
        return nil
    } catch let error as NATSError {
        return error.code
    } catch {
        Issue.record("not a NATSError: \(error)")
        return nil
    }
}

/// The texts of what a subscription gets up to a mark.
func texts(_ subscription: NATSSubscription, until mark: String) async throws -> [String] {
    var texts: [String] = []
    while let message = try await subscription.next(timeout: .seconds(120)) {
        guard message.string != mark else { return texts }
        texts.append(message.string)
    }
    throw ConditionNotMet(description: "the subscription ended before \(mark), after \(texts)")
}

extension ServerUnderTest {
    /// One of ours and the official one, for tests in which the server is not what is looked at.
    static let oneEach = ServerUnderTest.available.filter { $0 != .oursOnManyLoops }
}
