/// The queue group of a service's endpoints.
///
/// What an endpoint says goes before what its group says, and that before what the service says.
public enum NATSServiceQueueGroup: Sendable, Hashable, ExpressibleByStringLiteral {
    /// That of the group or the service around; `q` if none of them says anything.
    case inherited
    /// The queue group of this name: each request goes to one of its members.
    case named(String)
    /// No queue group: each request goes to every instance.
    case disabled

    /// The queue group of this name.
    public init(stringLiteral name: String) {
        self = .named(name)
    }

    /// The name that all services use by themselves (ADR-32).
    static let defaultName = "q"

    func resolved(in parent: NATSServiceQueueGroup) -> NATSServiceQueueGroup {
        self == .inherited ? parent : self
    }

    /// The name for a subscription, nil for none.
    var subscriptionName: String? {
        switch self {
        case .inherited:
            Self.defaultName
        case .named(let name):
            name
        case .disabled:
            nil
        }
    }
}
