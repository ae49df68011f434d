/// An error as services tell it to who asked: in the headers `Nats-Service-Error` and `Nats-Service-Error-Code` (ADR-32).
///
/// Services of `NATSServices` send it; who asks finds it in ``NATSMessage/serviceError``.
public struct NATSServiceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The name of the header with the description.
    public static let descriptionHeader = "Nats-Service-Error"
    /// The name of the header with the code.
    public static let codeHeader = "Nats-Service-Error-Code"

    /// A number, often one of HTTP's; 0 if the service sent none.
    public var code: Int
    /// A text that may be shown to who asked.
    public var message: String

    /// Makes an error.
    public init(code: Int, _ message: String) {
        self.code = code
        self.message = message
    }

    /// `code:message`, as services report their last error.
    public var description: String {
        "\(self.code):\(self.message)"
    }
}

extension NATSMessage {
    /// What a service answered instead of a result; nil if this is no answer with an error.
    public var serviceError: NATSServiceError? {
        guard self.hasHeaders else {
            return nil
        }
        let headers = self.headers
        // In the case in which services send them before any other: others may be headers of a request, passed back.
        func value(_ name: String) -> String? {
            headers.first(name) ?? headers.first(ignoringCase: name)
        }
        let text = value(NATSServiceError.descriptionHeader)
        let code = value(NATSServiceError.codeHeader)
        guard text != nil || code != nil else {
            return nil
        }
        return NATSServiceError(code: code.flatMap { Int($0) } ?? 0, text ?? "")
    }
}
