import NATSClient

extension NATSServiceError {
    /// How much of a text is sent and kept: it often quotes what was received, and is not to fill the headers of a response
    /// and the statistics up to `max_payload`.
    static let maximumMessageBytes = 1024

    /// The error with no more of its text than is sent.
    var shortened: NATSServiceError {
        guard self.message.utf8.count > Self.maximumMessageBytes else {
            return self
        }
        var text = String.UnicodeScalarView()
        var bytes = 0
        for scalar in self.message.unicodeScalars {
            bytes += UTF8.width(scalar)
            guard bytes <= Self.maximumMessageBytes else {
                break
            }
            text.append(scalar)
        }
        return NATSServiceError(code: self.code, String(text))
    }

    /// The headers of a response with this error, before all others.
    func headers(adding others: NATSHeaders) -> NATSHeaders {
        let own = [(Self.descriptionHeader, self.headerText), (Self.codeHeader, String(self.code))]
        var headers = NATSHeaders(own)
        // Headers of a request that are passed back must not be taken for these.
        for field in others where !own.contains(where: { $0.0.lowercased() == field.name.lowercased() }) {
            headers.append(name: field.name, value: field.value)
        }
        return headers
    }

    // nats.go header values: line ends become blanks. An empty text would be no header for some readers.
    private var headerText: String {
        var text = String.UnicodeScalarView()
        for scalar in self.shortened.message.unicodeScalars {
            text.append(scalar == "\r" || scalar == "\n" ? " " : scalar)
        }
        return text.contains { $0 != " " } ? String(text) : "error"
    }
}
