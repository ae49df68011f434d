public import NATSClient

/// An error as services tell it to who asked: in the headers `Nats-Service-Error` and `Nats-Service-Error-Code`.
///
/// Throw it from a handler, or send it by ``NATSServiceRequest/respond(error:payload:headers:)``.
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

    /// The headers of a response with this error, before all others.
    func headers(adding others: NATSHeaders) -> NATSHeaders {
        var headers = others
        headers.set(name: Self.descriptionHeader, value: self.headerText)
        headers.set(name: Self.codeHeader, value: String(self.code))
        return headers
    }

    // nats.go header values: line ends become blanks. An empty text would be no header for some readers.
    private var headerText: String {
        var text = String.UnicodeScalarView()
        for scalar in self.message.unicodeScalars {
            text.append(scalar == "\r" || scalar == "\n" ? " " : scalar)
        }
        return text.contains { $0 != " " } ? String(text) : "error"
    }
}

extension NATSMessage {
    /// What a service answered instead of a result; nil if this is no answer with an error.
    public var serviceError: NATSServiceError? {
        guard self.hasHeaders else {
            return nil
        }
        let headers = self.headers
        let text = headers.first(ignoringCase: NATSServiceError.descriptionHeader)
        let code = headers.first(ignoringCase: NATSServiceError.codeHeader)
        guard text != nil || code != nil else {
            return nil
        }
        return NATSServiceError(code: code.flatMap { Int($0) } ?? 0, text ?? "")
    }
}
