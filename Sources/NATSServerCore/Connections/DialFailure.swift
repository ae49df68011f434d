import NIOCore
import NIOPosix

/// Why another server could not be connected to.
enum DialFailure {
    /// Go's text for what `connect` failed with.
    static func describe(_ error: any Error, _ address: RouteAddress) -> String {
        let dial = "dial tcp \(address)"
        if error is ChannelError { return "\(dial): i/o timeout" }
        guard let failure = error as? NIOConnectionError else { return "\(dial): \(error)" }
        guard let attempt = failure.connectionErrors.last else {
            return "dial tcp: lookup \(address.host): no such host"
        }
        let target = HostPort.join(attempt.target.ipAddress ?? address.host, address.port)
        guard let code = (attempt.error as? IOError)?.errnoCode else { return "dial tcp \(target): i/o timeout" }
        let cause =
            switch code {
            case ECONNREFUSED: "connection refused"
            case ENETUNREACH: "network is unreachable"
            case EHOSTUNREACH: "no route to host"
            case ECONNRESET: "connection reset by peer"
            case ETIMEDOUT: "connection timed out"
            default: "error \(code)"
            }
        return "dial tcp \(target): connect: \(cause)"
    }
}
