package import NATSClient
import NATSText

/// Why a tool ends without success: a line for people and a status for scripts.
package struct ToolFailure: Error, Equatable, CustomStringConvertible {
    /// Without the prefix `nats: `.
    package var description: String
    package var status: ToolStatus

    package init(_ description: String, status: ToolStatus = .failure) {
        self.description = description
        self.status = status
    }

    /// The text that the Go tools print for the same error, with what is known about it.
    package init(_ error: NATSError) {
        switch error.code {
        case .noServers:
            self.init("no servers available for connection")
        case .authorization:
            self.init("authorization violation")
        case .permissionViolation:
            self.init("permissions violation: \(Self.serverText(error))")
        case .noResponders:
            self.init("no responders available for request", status: .noResponders)
        case .timeout:
            self.init("timeout", status: .timeout)
        case .connectionClosed:
            self.init("connection closed")
        default:
            self.init(Self.serverText(error))
        }
    }

    /// A reply has the header that `--fail-if-header` names.
    package init(header name: String, value: String) {
        let field = "\(GoString.harmless(name.utf8)): \(GoString.harmless(value.utf8))"
        self.init("a reply has the header \(field)", status: .serviceError)
    }

    /// The server's own words where the client quotes them.
    private static func serverText(_ error: NATSError) -> String {
        let introduction = "the server says: "
        let text =
            error.message.hasPrefix(introduction) ? error.message.dropFirst(introduction.count) : error.message[...]
        return GoString.harmless(text.utf8)
    }
}
