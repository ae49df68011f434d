import NATSClient
import NATSCommandSupport
import NIOConcurrencyHelpers

/// What became of the requests: the failure that ended them, or the worst of those that were passed over.
final class RequestOutcome: Sendable {
    private struct State {
        var error: (any Error)?
        var worst = ToolStatus.success
    }

    private let keepsGoing: Bool
    private let diagnostics: Diagnostics
    private let state = NIOLockedValueBox(State())

    init(keepsGoing: Bool, diagnostics: Diagnostics) {
        self.keepsGoing = keepsGoing
        self.diagnostics = diagnostics
    }

    /// The failure that ended everything.
    var error: (any Error)? {
        self.state.withLockedValue { $0.error }
    }

    /// The status of those that were passed over.
    var worst: ToolStatus {
        self.state.withLockedValue { $0.worst }
    }

    /// Takes the failure of a request.
    ///
    /// - Parameters:
    ///   - error: Why it failed.
    ///   - place: Where in the input it came from.
    /// - Returns: Whether the next request is to be sent.
    func passesOver(_ error: any Error, place: String) -> Bool {
        guard self.keepsGoing, !Task.isCancelled, let failure = Self.failureOfOne(error) else {
            self.state.withLockedValue { $0.error = error }
            return false
        }
        self.diagnostics.error(place + failure.description)
        self.state.withLockedValue { state in
            if Self.rank(failure.status) > Self.rank(state.worst) { state.worst = failure.status }
        }
        return true
    }

    /// Nil for an error that will meet every other request too.
    private static func failureOfOne(_ error: any Error) -> ToolFailure? {
        switch error {
        case let error as ToolFailure:
            return error
        case let error as NATSError:
            switch error.code {
            case .noResponders, .timeout, .badSubject, .badHeader, .maximumPayloadExceeded: return ToolFailure(error)
            default: return nil
            }
        default:
            return nil
        }
    }

    private static func rank(_ status: ToolStatus) -> Int {
        switch status {
        case .success: 0
        case .timeout: 1
        case .noResponders: 2
        case .serviceError: 3
        case .failure, .usage, .brokenPipe, .signal: 4
        }
    }
}
