package import NATSWire
package import NIOCore

/// A message that is ready to be sent.
package struct OutgoingMessage: Sendable {
    package var subject: String
    package var reply: String?
    package var headers: NATSHeaders
    package var payload: ByteBuffer
}

/// Makes messages of payloads: adds what the command line says of all of them, and fills templates in.
package struct MessageComposer: Sendable {
    private let subject: String?
    private let reply: String?
    private let headers: NATSHeaders
    private let subjectTemplate: PayloadTemplate?
    private let headerTemplates: [PayloadTemplate?]
    /// Records are JSON messages.
    private let readsJSON: Bool
    /// Templates in payloads count.
    private let expandsPayloads: Bool
    /// What all messages have in common, where only their payloads differ.
    package let frame: OutgoingMessage?
    private var context = PayloadTemplate.Context()

    /// - Parameters:
    ///   - subject: Of every message, or of those that name none.
    ///   - reply: As `subject`.
    ///   - headers: Of every message, in front of its own.
    ///   - expands: Templates in `subject` and `headers` count.
    ///   - expandsPayloads: Templates in payloads count.
    ///   - readsJSON: Payloads are JSON messages.
    package init(
        subject: String?,
        reply: String?,
        headers: NATSHeaders,
        expands: Bool,
        expandsPayloads: Bool,
        readsJSON: Bool
    ) {
        self.subject = subject
        self.reply = reply
        self.headers = headers
        self.subjectTemplate = expands ? subject.flatMap { PayloadTemplate(parsing: $0.utf8) } : nil
        let templates = expands ? headers.map { PayloadTemplate(parsing: $0.value.utf8) } : []
        self.headerTemplates = templates.contains { $0 != nil } ? templates : []
        self.readsJSON = readsJSON
        self.expandsPayloads = expandsPayloads
        self.frame =
            if let subject, self.subjectTemplate == nil, self.headerTemplates.isEmpty, !readsJSON, !expandsPayloads {
                OutgoingMessage(subject: subject, reply: reply, headers: headers, payload: ByteBuffer())
            } else {
                nil
            }
    }

    // MARK: Hot path

    /// The message for `payload`.
    ///
    /// - Throws: `JSONMessage.Malformed` for a line of JSON that is none.
    @inline(__always)
    package mutating func message(_ payload: ByteBuffer) throws(JSONMessage.Malformed) -> OutgoingMessage {
        guard var message = self.frame else { return try self.composed(payload) }
        message.payload = payload
        return message
    }

    private mutating func composed(_ payload: ByteBuffer) throws(JSONMessage.Malformed) -> OutgoingMessage {
        self.context.count += 1
        self.context.nanoseconds = POSIX.nanosecondsSinceEpoch
        var message = OutgoingMessage(
            subject: self.subjectTemplate?.text(&self.context) ?? self.subject ?? "",
            reply: self.reply,
            headers: self.headers,
            payload: payload
        )
        if !self.headerTemplates.isEmpty {
            var headers = NATSHeaders()
            for (field, template) in zip(self.headers, self.headerTemplates) {
                headers.append(name: field.name, value: template?.text(&self.context) ?? field.value)
            }
            message.headers = headers
        }
        if self.readsJSON {
            let json = try JSONMessage(parsing: payload)
            guard let subject = json.subject ?? (self.subject == nil ? nil : message.subject) else {
                throw JSONMessage.Malformed(description: "no subject")
            }
            message.subject = subject
            message.reply = json.reply ?? self.reply
            for field in json.headers { message.headers.append(name: field.name, value: field.value) }
            message.payload = json.payload
        }
        if self.expandsPayloads, let template = PayloadTemplate(parsing: message.payload.readableBytesView) {
            message.payload = ByteBuffer()
            var random = SystemRandomNumberGenerator()
            template.append(&self.context, using: &random, to: &message.payload)
        }
        return message
    }
}
