internal import NATSWire

/// Who may connect.
enum AuthenticationPolicy: Sendable {
    case open
    case user(name: String, password: String)
    case token(String)

    /// The token wins where both are given (nats-server auth.go processClientOrLeafAuthentication).
    init(_ options: ServerOptions) {
        if let token = options.token {
            self = .token(token)
        } else if let name = options.username {
            self = .user(name: name, password: options.password ?? "")
        } else {
            self = .open
        }
    }

    var isRequired: Bool {
        if case .open = self { return false }
        return true
    }

    func accepts(_ connect: ConnectPayload) -> Bool {
        switch self {
        case .open:
            true
        case .user(let name, let password):
            // Both are compared in any case: the time taken must not tell which one was wrong.
            Self.areEqual(name, connect.user) & Self.areEqual(password, connect.password) == 1
        case .token(let token):
            Self.areEqual(token, connect.authToken) == 1
        }
    }

    /// 1 if equal, else 0, in a time that depends on the second text's length only.
    private static func areEqual(_ expected: String, _ given: String) -> UInt8 {
        let expected = Array(expected.utf8)
        let given = Array(given.utf8)
        var difference: UInt8 = expected.count == given.count ? 0 : 1
        for (index, byte) in given.enumerated() {
            difference |= byte ^ (expected.isEmpty ? 0 : expected[index % expected.count])
        }
        return difference == 0 ? 1 : 0
    }
}
